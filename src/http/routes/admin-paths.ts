// Where the admin API is mounted. Pages and scripts of earlier gateways know it under three prefixes.

/** The documented path and its aliases. */
export const adminPaths = (path: string): { readonly path: string; readonly aliases: readonly string[] } => ({
  path: `/api/v1/admin${path}`,
  aliases: [`/v1/admin${path}`, `/admin/api${path}`],
});

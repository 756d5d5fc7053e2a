// Where the admin API is mounted. Pages and scripts of earlier gateways know it under three prefixes, the oldest under a fourth.

export interface Paths {
  readonly path: string;
  readonly aliases: readonly string[];
}

/** The documented path and its aliases. */
export const adminPaths = (path: string): Paths => ({
  path: `/api/v1/admin${path}`,
  aliases: [`/v1/admin${path}`, `/admin/api${path}`],
});

/** The same, and where the oldest pages look for it. */
export const withLegacy = (path: string): Paths => {
  const { aliases, ...canonical } = adminPaths(path);
  return { ...canonical, aliases: [...aliases, `/api${path}`] };
};

// Between nested tables, as files and requests have them, and flat maps from `section.key` to value.

export type Tree = Record<string, unknown>;

export function isTree(value: unknown): value is Tree {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

export function flattenTree(tree: Tree, prefix = ""): Map<string, unknown> {
  const flat = new Map<string, unknown>();
  for (const [name, value] of Object.entries(tree)) {
    const path = prefix === "" ? name : `${prefix}.${name}`;
    if (!isTree(value)) flat.set(path, value);
    else for (const [inner, innerValue] of flattenTree(value, path)) flat.set(inner, innerValue);
  }
  return flat;
}

/** Only for paths of the form `section.key`. */
export function nestValues(values: Iterable<readonly [string, unknown]>): Record<string, Tree> {
  const tree: Record<string, Tree> = {};
  for (const [path, value] of values) {
    const dot = path.indexOf(".");
    const section = path.slice(0, dot);
    tree[section] ??= {};
    tree[section][path.slice(dot + 1)] = value;
  }
  return tree;
}

/** JSON with sorted keys: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, inner: unknown) =>
    isTree(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}

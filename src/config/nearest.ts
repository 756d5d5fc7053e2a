// Finds the name that somebody probably meant.

export function nearestName(wanted: string, names: Iterable<string>): string | null {
  const leaf = lastPart(wanted);
  let best: { name: string; distance: number } | null = null;
  const sameLeaf: string[] = [];
  for (const name of names) {
    if (lastPart(name) === leaf) sameLeaf.push(name);
    const distance = editDistance(wanted.toLowerCase(), name.toLowerCase());
    if (best === null || distance < best.distance) best = { name, distance };
  }
  if (best !== null && best.distance <= Math.max(2, Math.floor(wanted.length / 5))) return best.name;
  const [only, ...others] = sameLeaf;
  return only !== undefined && others.length === 0 ? only : null;
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replace = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replace, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

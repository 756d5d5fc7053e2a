// Applies the import table to files: rooms, package walls, siblings, cycles. Pure; the test gives it real or planted files.
import { dirname, join } from "node:path/posix";
import { type FoundImport, scanImports } from "./import-scan.ts";
import { packageWalls, type Room, rooms } from "./import-table.ts";
import type { SourceFile } from "./sources.ts";

export function roomOf(path: string): Room | undefined {
  const prefixLength = (room: Room) =>
    Math.max(...room.owns.map((prefix) => (path.startsWith(prefix) ? prefix.length : 0)));
  const owners = rooms.filter((room) => prefixLength(room) > 0);
  return owners.toSorted((a, b) => prefixLength(b) - prefixLength(a))[0];
}

export function findImportViolations(file: SourceFile): string[] {
  const room = roomOf(file.path);
  if (!room) return [`${file.path}: belongs to no room of the import table`];
  return scanImports(file.text).flatMap((found) => {
    const problem = judge(file.path, room, found);
    return problem === undefined ? [] : [`${file.path}:${found.line}: ${problem}`];
  });
}

function judge(path: string, room: Room, found: FoundImport): string | undefined {
  if (found.specifier.startsWith("computed: ")) return `imports something ${found.specifier}; name the module`;
  return found.specifier.startsWith(".") ? judgeOwn(path, room, found) : judgePackage(path, room, found);
}

function judgeOwn(path: string, room: Room, found: FoundImport): string | undefined {
  if (!/\.(tsx?|css|json|html|toml|txt|svg)$/.test(found.specifier)) {
    return `"${found.specifier}" lacks its file extension`;
  }
  const target = join(dirname(path), found.specifier);
  const own = roomOf(target) === room;
  if (own) return room.siblingsApart ? judgeSiblings(path, target, room) : undefined;
  if (room.mayImport === "all" && target.startsWith("src/")) return undefined;
  if (room.mayImport !== "all" && room.mayImport.some((prefix) => target.startsWith(prefix))) return undefined;
  if (room.typesFrom?.some((prefix) => target.startsWith(prefix))) {
    return found.typeOnly ? undefined : `${room.name} may import only types from ${target}: ${room.reason}`;
  }
  return `${room.name} may not import ${target}: ${room.reason}`;
}

/** Files beside the folders are what the folders share; they know none of them, and a folder knows only itself and them. */
function judgeSiblings(path: string, target: string, room: Room): string | undefined {
  const folderOf = (file: string) => {
    const prefix = room.owns.find((owned) => file.startsWith(owned)) ?? "";
    return file.slice(prefix.length).split("/").slice(0, -1)[0];
  };
  const wanted = folderOf(target);
  if (wanted === undefined || wanted === folderOf(path)) return undefined;
  return `${target} is a sibling: ${room.reason}`;
}

function judgePackage(path: string, room: Room, found: FoundImport): string | undefined {
  const { specifier } = found;
  const wall = packageWalls.find((one) => one.specifier.test(specifier));
  if (wall) {
    if (wall.onlyIn.some((prefix) => path.startsWith(prefix))) return undefined;
    return `${specifier} is for ${wall.onlyIn.join(", ") || "nobody"}: ${wall.reason}`;
  }
  if (/^(node|bun):|^bun$/.test(specifier)) {
    return room.platform || found.typeOnly
      ? undefined
      : `${room.name} may not use the platform (${specifier}): ${room.reason}`;
  }
  if (room.packages.some((name) => specifier === name || specifier.startsWith(`${name}/`))) return undefined;
  return `${room.name} may not import the package ${specifier}: ${room.reason}`;
}

/** Every cycle once, as the path that closes it; type imports count, because they tie files together all the same. */
export function findCycles(files: readonly SourceFile[]): string[] {
  const edges = new Map(files.map((file) => [file.path, localTargets(file)]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const walk = (path: string, trail: readonly string[]) => {
    const seenAt = trail.indexOf(path);
    if (seenAt >= 0) {
      cycles.push([...trail.slice(seenAt), path].join(" → "));
      return;
    }
    if (done.has(path)) return;
    for (const next of edges.get(path) ?? []) walk(next, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) walk(path, []);
  return cycles;
}

function localTargets(file: SourceFile): string[] {
  const local = scanImports(file.text).filter((found) => found.specifier.startsWith("."));
  return local.map((found) => join(dirname(file.path), found.specifier));
}

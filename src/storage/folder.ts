// Makes sure that a database file can live where it is wanted, and says in one message what to do when it cannot.
// WAL needs to create two more files beside the database: the folder must be writable, a single mounted file is not enough.
import { accessSync, constants, existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** Creates the folder when it is missing; throws an Error made for the operator's eyes. */
export function prepareFolder(path: string): void {
  const folder = dirname(resolve(path));
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK | constants.X_OK);
    if (existsSync(path)) accessSync(path, constants.R_OK | constants.W_OK);
  } catch (thrown) {
    throw new Error(explainOpenFailure(path, thrown), { cause: thrown });
  }
  if (existsSync(path) && statSync(path).isDirectory()) {
    throw new Error(`the database path ${path} is a folder; mount the folder around it, not a folder in its place`);
  }
}

export function explainOpenFailure(path: string, thrown: unknown): string {
  const folder = dirname(resolve(path));
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return [
    `cannot open the database ${path}: ${reason}`,
    `  ${describeOwner()}; ${describePath(folder)}`,
    `  ${advice(errorCode(thrown), folder)}`,
  ].join("\n");
}

function advice(code: string, folder: string): string {
  if (code.startsWith("SQLITE_NOTADB"))
    return "the file is not an SQLite database; move it away or choose another data folder";
  if (code.startsWith("SQLITE_CORRUPT"))
    return "the file is damaged; restore a backup copy, or move it away to start empty";
  if (code.startsWith("SQLITE_FULL") || code === "ENOSPC") return "the disk is full; make room and start again";
  if (code.startsWith("SQLITE_IOERR") || code.startsWith("SQLITE_PROTOCOL")) {
    return "this kind of mount cannot share memory between files (network and Windows folders often cannot); use a local disk or a named volume";
  }
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) {
    return "another program holds the database; stop it, or give this one its own data folder";
  }
  if (code === "ENOTDIR" || code === "EEXIST")
    return "a part of the path is a file, not a folder; choose another data folder";
  if (code === "EROFS") return "the file system is read-only; mount a writable folder there";
  if (/^(SQLITE_CANTOPEN|SQLITE_READONLY|SQLITE_PERM|EACCES|EPERM)/.test(code)) {
    return `the folder itself must be writable, not only the file in it. Run: chown -R ${userAndGroup()} ${quote(folder)}`;
  }
  return `the code is ${code || "unknown"}`;
}

function errorCode(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? thrown.code : "";
}

function describeOwner(): string {
  return process.getuid === undefined ? "running as an unknown user" : `running as uid ${userAndGroup()}`;
}

function userAndGroup(): string {
  return `${process.getuid?.() ?? "?"}:${process.getgid?.() ?? "?"}`;
}

function describePath(folder: string): string {
  const nearest = nearestExisting(folder);
  const info = statSync(nearest, { throwIfNoEntry: false });
  if (info === undefined) return `${nearest} cannot be looked at`;
  return `${nearest} belongs to ${info.uid}:${info.gid}, mode ${(info.mode & 0o777).toString(8)}`;
}

function nearestExisting(path: string): string {
  let current = path;
  while (!existsSync(current) && dirname(current) !== current) current = dirname(current);
  return current;
}

function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

// What only a database on disk can get wrong: restarts, kills, migrations, odd files and folders.
import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrations } from "../../src/storage/migrations.ts";
import { openSqlite } from "../../src/storage/sqlite.ts";

const folders: string[] = [];

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sqlite-"));
  folders.push(folder);
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const change = { collection: "c", id: "a" };

describe("a database on disk", () => {
  test("keeps what was written, in one file that only its owner reads", async () => {
    const path = join(temporaryFolder(), "deep", "er", "test.db");
    const first = openSqlite({ path });
    await first.write([{ ...change, body: { n: 1 } }]);
    await first.close();
    expect(existsSync(`${path}-wal`)).toBe(false);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const second = openSqlite({ path });
    expect(await second.get("c", "a")).toEqual({ id: "a", revision: 1, body: { n: 1 } });
    await second.close();
  });

  test("is shared by two programs without lost revisions", async () => {
    const path = join(temporaryFolder(), "test.db");
    const [one, other] = [openSqlite({ path }), openSqlite({ path })];
    await one.write([{ ...change, body: 1 }]);
    expect(await other.write([{ ...change, body: 2, expect: 1 }])).toEqual({ ok: true, revisions: [2] });
    expect(await one.write([{ ...change, body: 3, expect: 1 }])).toEqual({ ok: false, conflicts: [change] });
    await one.close();
    expect((await other.get("c", "a"))?.body).toBe(2);
    await other.close();
  });

  test("is whole after kill -9 in the middle of a bulk write", async () => {
    let interrupted = 0;
    for (const delayMs of [1, 10, 25, 45, 70]) {
      const path = join(temporaryFolder(), "test.db");
      const begun = await killDuringWrite(path, delayMs);
      const documents = openSqlite({ path });
      const bodies = (await documents.list("accounts")).map(({ body, revision }) => JSON.stringify([body, revision]));
      await documents.close();
      expect(bodies).toHaveLength(20_000);
      expect(new Set(bodies).size).toBe(1);
      const round = Number(/"round":(\d+)/.exec(bodies[0] ?? "")?.[1]);
      if (round < begun) interrupted++;
    }
    expect(interrupted).toBeGreaterThan(0);
  }, 60_000);
});

/** Kills a writer shortly after it said that its third or a later write begins; returns the last write begun. */
async function killDuringWrite(path: string, delayMs: number): Promise<number> {
  const writer = Bun.spawn([process.execPath, join(import.meta.dir, "storage-bulk-writer.ts"), path], {
    stdout: "pipe",
    stderr: "inherit",
  });
  let output = "";
  let killed = false;
  for await (const chunk of writer.stdout) {
    output += new TextDecoder().decode(chunk);
    if (killed || !output.includes("3\n")) continue;
    killed = true;
    await Bun.sleep(delayMs);
    writer.kill("SIGKILL");
  }
  await writer.exited;
  return Number(output.trim().split("\n").at(-1));
}

describe("migrations", () => {
  const steps = [
    ...migrations,
    "ALTER TABLE documents ADD COLUMN note TEXT",
    "CREATE TABLE extra (id INTEGER) STRICT",
    "CREATE INDEX by_note ON documents (note)",
  ];

  test.each(steps.map((_, index) => index + 1))("a database after step %i reaches the last one", async (taken) => {
    const path = join(temporaryFolder(), "test.db");
    const old = openSqlite({ path, migrations: steps.slice(0, taken) });
    await old.write([{ ...change, body: "kept" }]);
    await old.close();
    const fresh = openSqlite({ path, migrations: steps });
    expect((await fresh.get("c", "a"))?.body).toBe("kept");
    await fresh.close();
    expect(readVersion(path)).toBe(steps.length);

    const copy = `${path}.v${taken}.bak`;
    expect(existsSync(copy)).toBe(taken < steps.length);
    if (taken === steps.length) return;
    const restored = openSqlite({ path: copy, migrations: steps.slice(0, taken) });
    expect((await restored.get("c", "a"))?.body).toBe("kept");
    await restored.close();
  });

  test("a failed step leaves the database at the step before it", async () => {
    const path = join(temporaryFolder(), "test.db");
    const old = openSqlite({ path });
    await old.write([{ ...change, body: "kept" }]);
    await old.close();
    const broken = [...migrations, "CREATE TABLE good (id INTEGER)", "CREATE TABLE good (id INTEGER)"];
    expect(() => openSqlite({ path, migrations: broken })).toThrow("good already exists");
    expect(readVersion(path)).toBe(migrations.length + 1);
    const repaired = openSqlite({ path, migrations: [...broken.slice(0, -1), "CREATE TABLE better (id INTEGER)"] });
    expect((await repaired.get("c", "a"))?.body).toBe("kept");
    await repaired.close();
  });

  test("a database of a newer program is refused and not touched", async () => {
    const path = join(temporaryFolder(), "test.db");
    await openSqlite({ path, migrations: steps }).close();
    const before = readFileSync(path);
    expect(() => openSqlite({ path, migrations: steps.slice(0, -1) })).toThrow(
      new RegExp(`newer version.*${steps.length}.*up to ${steps.length - 1}`),
    );
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});

function readVersion(path: string): unknown {
  using database = new Database(path, { readonly: true });
  return database.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version;
}

describe("an unusable place", () => {
  test("a database of another program is refused and not touched", () => {
    const path = join(temporaryFolder(), "other.db");
    const other = new Database(path, { create: true });
    other.run("CREATE TABLE theirs (id INTEGER)");
    other.close();
    const before = readFileSync(path);
    expect(() => openSqlite({ path })).toThrow("database of another program");
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("a file that is no database is named as that", () => {
    const path = join(temporaryFolder(), "text.db");
    writeFileSync(path, "this is a text and certainly not a database\n".repeat(50));
    expect(() => openSqlite({ path })).toThrow(/text\.db.*\n.*\n.*not an SQLite database/);
  });

  test("a folder in place of the file is named as that", () => {
    const path = join(temporaryFolder(), "folder.db");
    mkdirSync(path);
    expect(() => openSqlite({ path })).toThrow("is a folder");
  });

  test("a file in place of the folder is named as that", () => {
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "");
    expect(() => openSqlite({ path: join(file, "test.db") })).toThrow(/file, not a folder/);
  });

  test("a folder that cannot be written says who we are, whose it is and what to run", async () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o555);
    const message = await openUnprivileged(join(folder, "test.db"));
    chmodSync(folder, 0o755);
    const id = process.getuid?.() === 0 ? "65534:65534" : `${process.getuid?.()}:${process.getgid?.()}`;
    expect(message).toContain(`running as uid ${id}`);
    expect(message).toContain(`${folder} belongs to ${process.getuid?.()}:${process.getgid?.()}, mode 555`);
    expect(message).toContain(`chown -R ${id} ${folder}`);
  });

  test("a writable file in a folder that is not (a mounted single file) is refused with the reason", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "test.db");
    await openSqlite({ path }).close();
    chmodSync(path, 0o666);
    chmodSync(folder, 0o555);
    expect(await openUnprivileged(path)).toContain("the folder itself must be writable, not only the file in it");
    chmodSync(folder, 0o755);
  });
});

async function openUnprivileged(path: string): Promise<string> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "storage-unprivileged.ts"), path], {
    stdout: "pipe",
  });
  return new Response(child.stdout).text();
}

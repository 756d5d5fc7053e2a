// The end of the program when one of its stores cannot write any more: what the others hold is written all the same.
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rejection } from "../support/events.ts";
import { startProgram } from "../support/program.ts";

test("a journal that cannot be written keeps no account's state from storage, nor the database from closing", async () => {
  const folder = mkdtempSync(join(tmpdir(), "grok2api-stop-"));
  const path = join(folder, "grok2api.db");
  const program = await startProgram({ folder });
  try {
    using full = new Database(path);
    full.run("CREATE TRIGGER full BEFORE INSERT ON requests BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
    full.close();
    const body = { model: "grok-chat-fast", messages: [{ role: "user", content: "Hello" }] };
    expect((await program.post("/v1/chat/completions", body)).status).toBe(200);
    expect(String(await rejection(program.composed.stop()))).toContain("the disk is full");
    expect(existsSync(`${path}-wal`)).toBe(false);
    using after = new Database(path, { readonly: true });
    const row = after.query("SELECT body FROM documents WHERE collection = 'accounts'").get() as { body: string };
    expect(JSON.parse(row.body)).toMatchObject({ use_count: 1 });
  } finally {
    await program.simulator.stop(true);
    rmSync(folder, { recursive: true, force: true });
  }
});

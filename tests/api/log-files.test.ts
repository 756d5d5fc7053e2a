import { afterEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogFiles } from "../../src/admin/log-files.ts";
import { createLogFile, CURRENT_LOG } from "../../src/lib/log-file.ts";
import { rejection } from "../support/events.ts";
import { ADMIN_ENV, ADMIN_PASSWORD, adminCall, ask, makeKey, until, WAYS } from "../support/keys.ts";
import { PROGRAM_KEY, startProgram } from "../support/program.ts";

const folders: string[] = [];
const temporary = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "logs-"));
  folders.push(folder);
  return folder;
};
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const open = (folder: string, limits: { maxBytes?: number; maxFiles?: number } = {}) => {
  let now = Date.UTC(2026, 7, 1);
  const errors: unknown[] = [];
  const file = createLogFile({
    folder,
    maxBytes: () => limits.maxBytes ?? 1_000,
    maxFiles: () => limits.maxFiles ?? 3,
    clock: { now: () => (now += 1) },
    failed: (error) => errors.push(error),
  });
  return { file, errors };
};

describe("a log file", () => {
  test("is put aside when it is full, and the oldest go", () => {
    const folder = join(temporary(), "made", "on", "demand");
    const { file } = open(folder, { maxBytes: 100, maxFiles: 3 });
    for (let index = 0; index < 50; index++) file.write(`line ${String(index).padStart(3, "0")} ${"x".repeat(20)}\n`);
    file.close();
    const names = readdirSync(folder);
    expect(names).toHaveLength(3);
    for (const name of names) expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(100);
    // What is left is the end of what was written, without a gap.
    const text = names
      .toSorted((one, other) => (one === CURRENT_LOG ? 1 : other === CURRENT_LOG ? -1 : one < other ? -1 : 1))
      .map((name) => readFileSync(join(folder, name), "utf8"))
      .join("");
    const numbers = [...text.matchAll(/line (\d+)/g)].map(([, number]) => Number(number));
    expect(numbers.at(-1)).toBe(49);
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => 50 - numbers.length + index));
    expect(statSync(join(folder, CURRENT_LOG)).mode & 0o077).toBe(0);
  });

  test("is gone on with after a restart", () => {
    const folder = temporary();
    for (const text of ["one\n", "two\n"]) {
      const { file } = open(folder);
      file.write(text);
      file.close();
    }
    expect(readFileSync(join(folder, CURRENT_LOG), "utf8")).toBe("one\ntwo\n");
  });

  test("that cannot be written is told once, and tried again", () => {
    const folder = temporary();
    mkdirSync(join(folder, CURRENT_LOG));
    const { file, errors } = open(folder);
    file.write("lost\n");
    file.write("lost\n");
    expect(errors).toHaveLength(1);
    rmSync(join(folder, CURRENT_LOG), { recursive: true });
    file.write("written\n");
    expect(readFileSync(join(folder, CURRENT_LOG), "utf8")).toBe("written\n");
    file.close();
  });
});

describe("the viewer", () => {
  test("shows JSON lines as people read them, and others as they are", async () => {
    const folder = temporary();
    const entry = {
      time: "2026-08-01T10:20:30.123Z",
      level: "info",
      message: "request",
      route: "/v1/models",
      status: 200,
    };
    writeFileSync(join(folder, "a.log"), `plain\n${JSON.stringify(entry)}\n`);
    expect(await createLogFiles(folder).tail(null, 10)).toEqual({
      file: "a.log",
      lines: ["plain", "2026-08-01 10:20:30 | INFO     | /v1/models - request route=/v1/models status=200"],
    });
  });

  test("reads no more than the end of a large file, and only whole lines", async () => {
    const folder = temporary();
    writeFileSync(
      join(folder, "a.log"),
      Array.from({ length: 60_000 }, (_, index) => `this is line ${index}\n`).join(""),
    );
    const { lines } = await createLogFiles(folder).tail("a.log", 1_000_000);
    expect(lines.length).toBeWithin(40_000, 60_000);
    expect(lines.at(-1)).toBe("this is line 59999");
    for (const line of lines.slice(0, 3)) expect(line).toMatch(/^this is line \d+$/);
    expect((await createLogFiles(folder).tail("a.log", 2)).lines).toHaveLength(2);
  });

  test.each(["../grok2api.db", "/etc/passwd.log", ".hidden.log", "a.txt", "a/../b.log", ""])(
    "refuses the name %p",
    async (name) => {
      expect(await rejection(createLogFiles(temporary()).tail(name, 5))).toMatchObject({ code: "invalid_file_name" });
    },
  );

  test("knows when there is nothing", async () => {
    const files = createLogFiles(join(temporary(), "missing"));
    expect(await files.list()).toEqual([]);
    expect(await files.tail(null, 5)).toEqual({ file: null, lines: [] });
    expect(await rejection(files.tail("a.log", 5))).toMatchObject({ code: "file_not_found" });
  });
});

test("the program writes one line a request, at a level that can be changed while it runs, without secrets", async () => {
  const program = await startProgram({ env: { ...ADMIN_ENV, LOG_FILE_ENABLED: "true" } });
  const tail = async () => (await adminCall(program, "/api/v1/admin/logs/tail?lines=5000")).body.lines as string[];
  const { key } = await makeKey(program, { name: "logged" });
  await (await ask(program, key, WAYS[0]!)).text();
  await until(async () => (await tail()).some((line) => line.includes("/v1/chat/completions - request")));
  const lines = (await tail()).filter((line) => line.includes("/v1/chat/completions - request"));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \| INFO     \| .* status=200 .*tokens_out=\d+/);
  const { files } = (await adminCall(program, "/v1/admin/logs/files")).body;
  expect(files).toEqual([{ name: CURRENT_LOG, size_bytes: expect.any(Number), mtime_ms: expect.any(Number) }]);

  const changed = await adminCall(program, "/api/v1/admin/config", { server: { log_level: "error" } });
  expect(changed.status).toBe(200);
  // Lines of one moment are written together.
  await Bun.sleep(60);
  const before = (await tail()).length;
  await (await ask(program, key, WAYS[0]!)).text();
  await Bun.sleep(60);
  expect((await tail()).length).toBe(before);

  const raw = readFileSync(join(program.composed.config.server.data_dir, "logs", CURRENT_LOG), "utf8");
  for (const secret of [key, PROGRAM_KEY, ADMIN_PASSWORD, "sim-super-1", "Say hello"])
    expect(raw).not.toContain(secret);
  expect((await adminCall(program, "/api/v1/admin/logs/tail?file=../grok2api.db")).status).toBe(400);
  expect((await adminCall(program, "/api/v1/admin/logs/tail?file=none.log")).status).toBe(404);
  expect((await adminCall(program, "/api/v1/admin/logs/tail?lines=0")).status).toBe(400);
  await program.stop();
});

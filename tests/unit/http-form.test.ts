// The reader of forms with a real folder behind it: the same at every cut, limits while it reads, nothing left behind.
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configSchema } from "../../src/config/schema.ts";
import { type ErrorCode, GatewayError } from "../../src/core/errors.ts";
import { readForm } from "../../src/http/form.ts";
import { silentLog } from "../../src/lib/log.ts";
import { createIncoming } from "../../src/media/incoming.ts";
import { rejection } from "../support/events.ts";

const folder = mkdtempSync(join(tmpdir(), "grok2api-form-"));
const directory = join(folder, "incoming");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let room = true;
const incoming = createIncoming({ directory, hasRoomFor: async () => room, log: silentLog });
beforeEach(async () => {
  room = true;
  await incoming.clear();
});
const left = (): string[] => {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
};

const TYPE = "multipart/form-data; boundary=----edge";
const part = (head: string, body: string) => `------edge\r\nContent-Disposition: form-data; ${head}\r\n\r\n${body}\r\n`;
const END = "------edge--\r\n";

interface Sent {
  readonly body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | FormData | string;
  readonly type?: string;
  readonly maxBodyMb?: number;
  readonly maxFileMegabytes?: number;
}

const read = (sent: Sent) => {
  const closers: (() => void)[] = [];
  const headers: Record<string, string> = sent.body instanceof FormData ? {} : { "content-type": sent.type ?? TYPE };
  const request = new Request("http://gateway/", { method: "POST", headers, body: sent.body });
  const config = configSchema.parse({ server: { max_body_mb: sent.maxBodyMb ?? 8 } });
  const form = readForm(
    { request, config, deps: { incoming }, onClose: (run) => void closers.push(run) },
    { maxFileMegabytes: sent.maxFileMegabytes ?? 4 },
  );
  return { form, close: () => closers.forEach((run) => run()) };
};

const told = async (sent: Sent) => {
  const { form, close } = read(sent);
  const { fields, files } = await form;
  const seen = [];
  for (const { field, file } of files) seen.push({ field, name: file.name, text: await file.content.text() });
  close();
  return { fields, files: seen };
};
const failure = async (sent: Sent): Promise<GatewayError> => {
  const { form, close } = read(sent);
  const thrown = await rejection(form);
  close();
  if (!(thrown instanceof GatewayError)) throw thrown;
  return thrown;
};
const emptied = async () => {
  for (let round = 0; round < 100 && left().length > 0; round++) await Bun.sleep(5);
  return left();
};
const inPieces = (...pieces: Uint8Array<ArrayBuffer>[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });

const WHOLE = new TextEncoder().encode(
  [
    "a preamble\r\n",
    part('name="prompt"', "einen Hut, 猫"),
    part('name="image[]"; filename="Grüße.png"', "one\r\n------edg\r\n--"),
    part('name="n"', "2"),
    part('name="image[]"; filename="two.png"', ""),
    part('name="tag"', "a"),
    part('name="tag"', "b"),
    part('name="__proto__"', "harmless"),
    END,
    "an epilogue",
  ].join(""),
);
const EXPECTED = {
  fields: Object.fromEntries([
    ["prompt", "einen Hut, 猫"],
    ["n", "2"],
    ["tag", ["a", "b"]],
    ["__proto__", "harmless"],
  ]),
  files: [
    { field: "image[]", name: "Grüße.png", text: "one\r\n------edg\r\n--" },
    { field: "image[]", name: "two.png", text: "" },
  ],
};

describe("a form", () => {
  test("reads the same at every cut, and byte by byte", async () => {
    expect(await told({ body: WHOLE })).toEqual(EXPECTED);
    for (let at = 1; at < WHOLE.length; at++) {
      const cut = await told({ body: inPieces(WHOLE.slice(0, at), WHOLE.slice(at)) });
      expect(cut, `cut at ${at}`).toEqual(EXPECTED);
    }
    const bytes = [...WHOLE].map((byte) => new Uint8Array([byte]));
    expect(await told({ body: inPieces(...bytes) })).toEqual(EXPECTED);
    expect(await emptied()).toEqual([]);
  });

  test("made by this runtime holds what was put in, files in their order", async () => {
    const form = new FormData();
    form.append("image", new File(["x".repeat(300_000)], "large.png"));
    form.append("image", new File(["y"], "small.png"));
    form.append("prompt", "z".repeat(2_000_000));
    const { fields, files } = await told({ body: form });
    expect(String(fields["prompt"])).toHaveLength(2_000_000);
    expect(files.map(({ name, text }) => [name, text.length])).toEqual([
      ["large.png", 300_000],
      ["small.png", 1],
    ]);
  });

  test("is on the disk while its call lasts, and longer where somebody keeps it", async () => {
    const { form, close } = read({ body: WHOLE });
    const { files } = await form;
    expect(left()).toHaveLength(2);
    const letGo = files[0]?.file.keep();
    close();
    for (let round = 0; round < 100 && left().length > 1; round++) await Bun.sleep(5);
    expect(left()).toHaveLength(1);
    expect(await files[0]?.file.content.text()).toBe(EXPECTED.files[0]?.text ?? "");
    letGo?.();
    letGo?.();
    expect(await emptied()).toEqual([]);
  });
});

describe("what is wrong with a form", () => {
  const large = (size: number) => part('name="image"; filename="a.png"', "x".repeat(size));
  test.each<[string, Sent, ErrorCode, string | undefined]>([
    ["no boundary", { body: "x", type: "multipart/form-data" }, "invalid_value", undefined],
    ["no end", { body: part('name="prompt"', "a cat") }, "invalid_value", undefined],
    ["an end inside a file", { body: large(70_000).slice(0, 66_000) }, "invalid_value", undefined],
    ["no form at all", { body: "{}" }, "invalid_value", undefined],
    ["another type", { body: "{}", type: "application/json" }, "unsupported_media_type", undefined],
    ["a large file", { body: large(1_100_000) + END, maxFileMegabytes: 1 }, "file_too_large", "image"],
    ["a large body", { body: large(1_100_000) + END, maxBodyMb: 1 }, "request_too_large", undefined],
    ["a flood of fields", { body: part('name="a"', "").repeat(600) + END }, "invalid_value", undefined],
    ["a flood of files", { body: part('name="a"; filename="b"', "").repeat(100) + END }, "invalid_value", undefined],
  ])("%s", async (_, sent, code, param) => {
    const { code: found, detail } = await failure(sent);
    expect([found, detail.param]).toEqual([code, param]);
    expect(await emptied()).toEqual([]);
  });

  test("a limit acts while the body is still coming", async () => {
    let pulled = 0;
    const piece = new Uint8Array(256 * 1024);
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (pulled++ === 0) controller.enqueue(new TextEncoder().encode(large(0).slice(0, -2)));
        controller.enqueue(piece);
      },
    });
    expect(await failure({ body: endless, maxBodyMb: 1000, maxFileMegabytes: 2 })).toMatchObject({
      code: "file_too_large",
    });
    expect(pulled).toBeLessThan(100);
    expect(await emptied()).toEqual([]);
  });

  test("a body that breaks off in a file leaves nothing", async () => {
    const start = new TextEncoder().encode(large(200_000).slice(0, 150_000));
    let pulls = 0;
    const broken = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (pulls++ === 0) return controller.enqueue(start);
        for (let round = 0; round < 100 && left().length === 0; round++) await Bun.sleep(5);
        expect(left()).toHaveLength(1);
        controller.error(new Error("the connection is gone"));
      },
    });
    const { form, close } = read({ body: broken });
    expect(String(await rejection(form))).toContain("the connection is gone");
    close();
    expect(await emptied()).toEqual([]);
  });

  test("a disk without room is told by name", async () => {
    room = false;
    expect(await failure({ body: WHOLE })).toMatchObject({ code: "storage_full" });
    expect(await emptied()).toEqual([]);
  });
});

test("what a killed process has left is cleared", async () => {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "incoming-1"), "left");
  await incoming.clear();
  expect(left()).toEqual([]);
});

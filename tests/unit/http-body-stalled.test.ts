// A body that stops coming must not keep its request, and with it a place among the streams, for ever.
import { expect, test } from "bun:test";
import { configSchema } from "../../src/config/schema.ts";
import { GatewayError } from "../../src/core/errors.ts";
import { readForm } from "../../src/http/form.ts";
import { readJson } from "../../src/http/body.ts";
import { rejection } from "../support/events.ts";

const config = configSchema.parse({});
const MS = 50;

/** Begins and never goes on. */
const stalled = (headers: Record<string, string>) => {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode('{"model":')),
    cancel() {
      cancelled = true;
    },
  });
  const request = new Request("http://gateway/", { method: "POST", headers, body });
  return { request, wasCancelled: () => cancelled };
};

const told = async (work: Promise<unknown>): Promise<unknown> =>
  Promise.race([rejection(work), Bun.sleep(2_000).then(() => "still waiting")]);

test.each([
  ["of a declared size", { "content-type": "application/json", "content-length": "100" }],
  ["in pieces", { "content-type": "application/json" }],
])("a JSON body %s", async (_what, headers) => {
  const { request } = stalled(headers);
  const error = await told(readJson({ request, config, bodyMs: MS }));
  expect(error).toBeInstanceOf(GatewayError);
  expect(error).toMatchObject({ code: "client_closed" });
});

test("a form", async () => {
  const { request, wasCancelled } = stalled({ "content-type": "multipart/form-data; boundary=edge" });
  const incoming = { receive: () => Promise.reject(new Error("no file has come")) };
  const call = { request, config, deps: { incoming }, onClose: () => {}, bodyMs: MS };
  expect(await told(readForm(call, { maxFileMegabytes: 1 }))).toMatchObject({ code: "client_closed" });
  expect(wasCancelled()).toBe(true);
});

test("one that comes slowly but steadily is read to its end", async () => {
  const pieces = ['{"model"', ":", '"a"', "}"];
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await Bun.sleep(MS / 2);
      const piece = pieces.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(piece));
    },
  });
  const request = new Request("http://gateway/", { method: "POST", body });
  expect(await readJson({ request, config, bodyMs: MS })).toEqual({ model: "a" });
});

// Adult pictures: only from text, only by accounts that the operator has tagged, in turn and within a limit; and the two small
// routes beside the pictures, for uploads and for the method.
import { afterEach, describe, expect, test } from "bun:test";
import { createSimulator } from "../../src/simulator/server.ts";
import { jpegBytes, pngBytes } from "../support/pictures.ts";
import { PROGRAM_KEY, startProgram, type Program, type ProgramStart } from "../support/program.ts";

let program: Program;
const start = async (more: ProgramStart = {}) => {
  program = await startProgram({ simulation: { mediaDelayMs: 0 }, ...more });
  return program;
};
afterEach(() => program.stop());

const tagged = (token: string) => ({ token, tags: ["nsfw"] });
const SOCKET = "/ws/imagine/listen";
const NSFW = "/v1/images/generations/nsfw";
const asked = () => program.simulator.requests().filter((entry) => entry.path === SOCKET);
const allows = () => asked().map((entry) => /"enable_nsfw":(true|false)/.exec(JSON.stringify(entry.frames))?.[1]);
const codeOf = async (answer: Response) =>
  `${answer.status} ${((await answer.json()) as { error?: { code: string } }).error?.code ?? "ok"}`;

describe("adult pictures", () => {
  test("are drawn by tagged accounts alone, four at a time", async () => {
    const switched = { name: "sim-super-2", tier: "super", flags: { nsfw: true } } as const;
    await start({
      pools: { ssoSuper: ["sim-super-1", tagged("sim-super-2")] },
      simulation: { mediaDelayMs: 0, accounts: [switched] },
    });
    const answer = await program.post(NSFW, { prompt: "sim:nsfw a nude" });
    expect(answer.status).toBe(200);
    expect(((await answer.json()) as { data: unknown[] }).data).toHaveLength(4);
    expect(asked().map(({ account }) => account)).toEqual(["sim-super-2"]);
    expect(allows()).toEqual(["true"]);
  });

  test("are asked for by `nsfw` too", async () => {
    await start({ pools: { ssoSuper: ["sim-super-1", tagged("sim-super-2")] } });
    expect((await program.post("/v1/images/generations", { prompt: "a nude", nsfw: true })).status).toBe(200);
    const chat = { model: "grok-imagine-1.0", messages: [{ role: "user", content: "a nude" }] };
    expect((await program.post("/v1/chat/completions", { ...chat, image_config: { nsfw: true } })).status).toBe(200);
    expect(asked().map(({ account }) => account)).toEqual(["sim-super-2", "sim-super-2"]);
    expect(allows()).toEqual(["true", "true"]);
  });

  test("without a tagged account there are none, and the reason is told", async () => {
    await start();
    const answer = await program.post(NSFW, { prompt: "a nude" });
    expect(answer.status).toBe(503);
    const { error } = (await answer.json()) as { error: { code: string; message: string } };
    expect(error.code).toBe("no_available_account");
    expect(error.message).toContain("tag nsfw");
    expect(asked()).toHaveLength(0);
  });

  test("a verdict is final: one call, whatever other accounts there are", async () => {
    await start({ pools: { ssoSuper: [tagged("sim-super-1"), tagged("sim-super-2")] } });
    // The upstream's own switch of the account is off.
    expect(await codeOf(await program.post(NSFW, { prompt: "sim:nsfw a nude" }))).toBe("400 content_policy_violation");
    expect(asked()).toHaveLength(1);
  });

  test("accounts take turns and rest at the limit, also after a restart", async () => {
    const upstream = createSimulator({ mediaDelayMs: 0 });
    await start({
      upstream,
      pools: { ssoSuper: [tagged("sim-super-1"), tagged("sim-super-2")] },
      env: { GROK2API_IMAGE_SSO_DAILY_LIMIT: "2" },
    });
    for (let count = 0; count < 4; count++) {
      expect((await program.post(NSFW, { prompt: "a nude", n: 1 })).status).toBe(200);
    }
    const accounts = asked().map(({ account }) => account);
    expect(accounts.toSorted((a, b) => a.localeCompare(b))).toEqual([
      "sim-super-1",
      "sim-super-1",
      "sim-super-2",
      "sim-super-2",
    ]);
    expect(accounts[0]).not.toBe(accounts[1] as string);
    const full = await program.post(NSFW, { prompt: "a nude", n: 1 });
    expect(full.status).toBe(503);
    expect(Number(full.headers.get("retry-after"))).toBeGreaterThan(80_000);
    expect(asked()).toHaveLength(4);
    await upstream.stop(true);
  });

  test("ordinary requests allow nothing, unless the operator's default meets a tagged account", async () => {
    await start({ pools: { ssoSuper: [tagged("sim-super-1")] } });
    await program.post("/v1/images/generations", { prompt: "a cat" });
    expect(allows()).toEqual(["false"]);
    await program.stop();
    await start({ pools: { ssoSuper: [tagged("sim-super-1")] }, env: { GROK2API_IMAGE_NSFW: "true" } });
    await program.post("/v1/images/generations", { prompt: "a cat" });
    expect(allows()).toEqual(["true"]);
    await program.stop();
    await start({ env: { GROK2API_IMAGE_NSFW: "true" } });
    await program.post("/v1/images/generations", { prompt: "a cat" });
    expect(allows()).toEqual(["false"]);
  });

  test.each([
    [{ prompt: "a", n: 5 }, "400 invalid_n"],
    [{ n: 1 }, "400 missing_prompt"],
    [{ prompt: "a", image: `data:image/png;base64,${pngBytes().toBase64()}` }, "400 adult_with_picture"],
    [{ prompt: "a", image_url: { url: "https://example.com/a.png" } }, "400 adult_with_picture"],
    [{ prompt: "a", images: ["https://example.com/a.png"] }, "400 adult_with_picture"],
    [{ prompt: "a", n: 3, stream: true }, "400 invalid_stream_n"],
  ])("%j is %s", async (body, code) => {
    await start({ pools: { ssoSuper: [tagged("sim-super-1")] } });
    expect(await codeOf(await program.post(NSFW, body))).toBe(code);
    expect(asked()).toHaveLength(0);
  });

  test.each([
    [{ size: "1024x1024" }, "1:1"],
    [{ size: "1536x1024" }, "3:2"],
    [{ size: "1024x1536" }, "2:3"],
    [{ size: "whatever" }, "2:3"],
    [{}, "2:3"],
  ])("%j is drawn as %s", async (fields, ratio) => {
    await start({ pools: { ssoSuper: [tagged("sim-super-1")] } });
    await program.post(NSFW, { prompt: "a nude", n: 1, ...fields });
    expect(JSON.stringify(asked()[0]?.frames)).toContain(`"aspect_ratio":"${ratio}"`);
  });

  test("streams speak the standard events, and the older dialect when asked", async () => {
    await start({ pools: { ssoSuper: [tagged("sim-super-1")] } });
    const body = { prompt: "a nude", n: 2, stream: true, partial_images: 1 };
    const names = async (path: string) =>
      [...(await (await program.post(path, body)).text()).matchAll(/^event: (.*)$/gm)].map(([, name]) => name);
    expect(await names(NSFW)).toEqual([
      "image_generation.partial_image",
      "image_generation.completed",
      "image_generation.partial_image",
      "image_generation.completed",
    ]);
    expect(await names(`${NSFW}?format=legacy`)).toEqual(["progress", "progress", "progress", "progress", "complete"]);
  });

  test.each(["ENABLE_IMAGES_NSFW", "ENABLE_IMAGES"])("%s switches the endpoint off", async (name) => {
    await start({ env: { [`GROK2API_DOWNSTREAM_${name}`]: "false" } });
    expect(await codeOf(await program.post(NSFW, { prompt: "a nude" }))).toBe("404 endpoint_disabled");
  });
});

describe("uploads and the method", () => {
  const upload = (fields: Record<string, Blob | string>) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    const headers = { authorization: `Bearer ${PROGRAM_KEY}` };
    return fetch(`${program.url}/v1/uploads/image`, { method: "POST", headers, body });
  };

  test("an uploaded picture has an address that opens and that an edit takes", async () => {
    await start();
    const answer = await upload({ file: new Blob([pngBytes()]) });
    const { url, name, size_bytes: size } = (await answer.json()) as Record<string, unknown>;
    expect(url).toBe(`${program.url}/v1/files/image/${String(name)}`);
    expect(size).toBe(pngBytes().length);
    expect(new Uint8Array(await (await fetch(String(url))).arrayBuffer())).toEqual(pngBytes());
    const edit = await program.post("/v1/images/edits", { prompt: "add a hat", image: { url } });
    expect(edit.status).toBe(200);
  });

  test.each([
    ["a text", { file: new Blob(["hello"]) }, "400 invalid_image_type"],
    ["nothing", { other: "x" }, "400 missing_file"],
    ["an empty file", { file: new Blob([]) }, "400 empty_file"],
    ["26 MiB", { file: new Blob([jpegBytes(), new Uint8Array(26 * 1024 * 1024)]) }, "413 file_too_large"],
  ])("%s is refused", async (_, fields, code) => {
    await start();
    expect(await codeOf(await upload(fields))).toBe(code);
  });

  test("a body that is no form", async () => {
    await start();
    expect(await codeOf(await program.post("/v1/uploads/image", {}))).toBe("415 unsupported_media_type");
  });

  test.each([
    ["imagine_ws", "imagine_ws_experimental"],
    ["experimental", "imagine_ws_experimental"],
    ["legacy", "legacy"],
  ])("the method %s is told as %s", async (method, told) => {
    await start({ env: { GROK2API_IMAGE_METHOD: method } });
    const headers = { authorization: `Bearer ${PROGRAM_KEY}` };
    const answer = await fetch(`${program.url}/v1/images/method`, { headers });
    expect(await answer.json()).toEqual({ image_generation_method: told });
  });
});

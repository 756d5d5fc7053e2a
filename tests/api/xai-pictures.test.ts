// Pictures over keys of the official API, with no other account or beside some: what is asked upstream and how often, what the
// caller gets and pays, and that a verdict on the content is the end.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import OpenAI, { APIError, toFile } from "openai";
import { sniffMedia } from "../../src/media/sniff.ts";
import { rejection } from "../support/events.ts";
import { type Keys, startKeys } from "../support/official-keys.ts";
import { drawnPng } from "../support/pictures.ts";
import { PROGRAM_KEY } from "../support/program.ts";

const KEY = "xai-sim-ok-alpha-1";
const OTHER = "xai-sim-ok-beta-1";
const CENT = 100_000_000;

/** The client marks the field as deprecated; it works as before. */
const B64: object = { response_format: "b64_json" };

const clientOf = ({ url }: Keys) => new OpenAI({ apiKey: PROGRAM_KEY, baseURL: `${url}/v1`, maxRetries: 0 });
const bodies = ({ simulator }: Keys, path = "/xai/v1/images/") =>
  simulator
    .requests()
    .filter((entry) => entry.path.startsWith(path))
    .map(({ body }) => body as Record<string, unknown>);
const socketCalls = ({ simulator }: Keys) =>
  simulator.requests().filter(({ path }) => path === "/ws/imagine/listen").length;
const isJpeg = (base64: string | undefined) => sniffMedia(Uint8Array.fromBase64(base64 ?? "")) === "image/jpeg";
const told = async (response: Response) => {
  const body = (await response.json()) as { error?: { code: string; param: string | null } };
  return `${response.status} ${body.error?.code} ${body.error?.param ?? "-"}`;
};
const failed = async (work: Promise<unknown>): Promise<APIError> => {
  const error = await rejection(work);
  if (error instanceof APIError) return error;
  throw error;
};

describe("with keys alone", () => {
  let keys: Keys;
  let client: OpenAI;
  beforeAll(async () => {
    keys = await startKeys({ keys: [KEY, OTHER] });
    client = clientOf(keys);
  });
  afterAll(() => keys[Symbol.asyncDispose]());
  afterEach(() => keys.simulator.reset());
  const draw = (fields: object) => keys.post("/v1/images/generations", { prompt: "a red bicycle", ...fields });

  test("a link of ours that opens, at its price", async () => {
    const { data: answer, response } = await client.images.generate({ prompt: "a red bicycle" }).withResponse();
    const url = answer.data?.[0]?.url ?? "";
    expect(url).toStartWith(`${keys.url}/v1/files/image/`);
    expect(sniffMedia(await (await fetch(url)).bytes())).toBe("image/jpeg");
    expect(bodies(keys)).toEqual([
      {
        model: "grok-imagine-image",
        prompt: "a red bicycle",
        n: 1,
        response_format: "b64_json",
        aspect_ratio: "1:1",
      },
    ]);
    expect(response.headers.get("x-grok2api-cost-in-usd-ticks")).toBe(String(2 * CENT));
    expect(answer.usage).toMatchObject({ input_tokens: 4, cost_in_usd_ticks: 2 * CENT });
  });

  test("ten pictures are one call", async () => {
    const { data: answer, response } = await client.images.generate({ prompt: "a cat", n: 10 }).withResponse();
    expect(new Set(answer.data?.map(({ url }) => url)).size).toBe(10);
    expect(bodies(keys).map(({ n }) => n)).toEqual([10]);
    expect(response.headers.get("x-grok2api-cost-in-usd-ticks")).toBe(String(20 * CENT));
  });

  test("calls at the same time add up to one bill", async () => {
    const answer = await draw({ n: 4, concurrency: 2 });
    expect(bodies(keys).map(({ n }) => n)).toEqual([2, 2]);
    expect(answer.headers.get("x-grok2api-cost-in-usd-ticks")).toBe(String(8 * CENT));
  });

  test.each(["sim:b64-prefix", ""])("as bytes without a prefix %s", async (words) => {
    const answer = await client.images.generate({ prompt: `a cat ${words}`, ...B64 });
    expect(answer.data?.map(({ b64_json: base64 }) => isJpeg(base64))).toEqual([true]);
  });

  test("streamed, each picture with the bill", async () => {
    const events = [];
    for await (const event of await client.images.generate({ prompt: "a cat", stream: true, n: 2, partial_images: 2 }))
      events.push(event);
    expect(events.map(({ type }) => type)).toEqual(["image_generation.completed", "image_generation.completed"]);
    for (const event of events) {
      expect(isJpeg(event.b64_json)).toBe(true);
      expect(event).toMatchObject({ usage: { cost_in_usd_ticks: 4 * CENT } });
    }
  });

  test.each<[object, object]>([
    [{ size: "1536x1024" }, { aspect_ratio: "3:2" }],
    [{ aspect_ratio: "19.5:9" }, { aspect_ratio: "19.5:9" }],
    [{ size: "2048x1152" }, { aspect_ratio: "16:9", resolution: "2k" }],
    [
      { resolution: "2K", aspect_ratio: "21:9" },
      { aspect_ratio: "21:9", resolution: "2k" },
    ],
    [
      { model: "grok-imagine-image-2.0", resolution: "1.5k" },
      { model: "grok-imagine-image-2.0", resolution: "1.5k" },
    ],
    [
      { model: "grok-imagine-image-quality", quality: "low" },
      { model: "grok-imagine-image-2.0", quality: "low" },
    ],
    [
      { model: "xai/grok-imagine-image-2.0", quality: "hd" },
      { model: "grok-imagine-image-2.0", quality: "medium" },
    ],
  ])("%j is asked for as %j", async (fields, expected) => {
    expect((await draw(fields)).status).toBe(200);
    expect(bodies(keys)).toMatchObject([expected]);
  });

  test("a quality is not asked of a model that has none", async () => {
    expect((await draw({ quality: "high" })).status).toBe(200);
    expect(bodies(keys)[0]).not.toHaveProperty("quality");
  });

  test.each<[object, string]>([
    [{ resolution: "1.5k" }, "400 invalid_resolution resolution"],
    [{ resolution: "4k" }, "400 invalid_resolution resolution"],
    [{ size: "4096x4096" }, "400 invalid_size size"],
    [{ aspect_ratio: "7:5" }, "400 invalid_aspect_ratio aspect_ratio"],
    [{ n: 11 }, "400 invalid_n n"],
    [{ nsfw: true }, "400 model_not_supported model"],
    [{ model: "grok-imagine-image-3" }, "404 model_not_found model"],
  ])("%j is refused by name and nobody is asked", async (fields, expected) => {
    expect(await told(await draw(fields))).toBe(expected);
    expect(bodies(keys)).toEqual([]);
  });

  describe("changes", () => {
    const file = (name = "a.png") => toFile(drawnPng(name), name);

    test("one picture, as a form", async () => {
      const answer = await client.images.edit({ image: await file(), prompt: "a hat" });
      expect(answer.data).toHaveLength(1);
      const [body] = bodies(keys, "/xai/v1/images/edits");
      expect(body).toMatchObject({ model: "grok-imagine-image", prompt: "a hat", n: 1 });
      expect(body?.["image"]).toEqual({ url: `data:image/png;base64,${drawnPng("a.png").toBase64()}` });
      expect(body).not.toHaveProperty("aspect_ratio");
    });

    test("five pictures, three times, in one call at its price", async () => {
      const images = await Promise.all(["a", "b", "c", "d", "e"].map((name) => file(`${name}.png`)));
      const work = client.images.edit({ image: images, prompt: "join", n: 3, ...B64 });
      const { data: answer, response } = await work.withResponse();
      expect(answer.data?.map(({ b64_json: base64 }) => isJpeg(base64))).toEqual([true, true, true]);
      const [body, ...more] = bodies(keys, "/xai/v1/images/edits");
      expect(body).toMatchObject({ n: 3, images: Array.from({ length: 5 }, () => ({})) });
      expect(more).toEqual([]);
      expect(response.headers.get("x-grok2api-cost-in-usd-ticks")).toBe(String(3 * 2 * CENT + 5 * (CENT / 5)));
    });

    test("streamed; a mask is left out and said so", async () => {
      const work = client.images.edit({ image: await file(), mask: await file(), prompt: "a hat", stream: true });
      const { data: stream, response } = await work.withResponse();
      const types: string[] = [];
      for await (const { type } of stream) types.push(type);
      expect(types).toEqual(["image_edit.completed"]);
      expect(response.headers.get("x-grok-warning")).toBe("mask-ignored");
    });

    test("six pictures are refused by name and nobody is asked", async () => {
      const images = await Promise.all(Array.from({ length: 6 }, () => file()));
      const error = await failed(client.images.edit({ image: images, prompt: "join" }));
      expect([error.status, error.code, error.param]).toEqual([400, "invalid_image_count", "image[]"]);
      expect(bodies(keys)).toEqual([]);
    });

    test("what the upstream cannot look at is the caller's", async () => {
      const tiny = await toFile(drawnPng().slice(0, 0), "a.png");
      expect((await failed(client.images.edit({ image: tiny, prompt: "a hat" }))).code).toBe("empty_file");
      expect(bodies(keys)).toEqual([]);
    });
  });

  describe("what is withheld", () => {
    test("ends a call, is billed, and nobody else is asked", async () => {
      const answer = await draw({ prompt: "sim:image-moderated", n: 2 });
      expect(answer.headers.get("x-grok2api-cost-in-usd-ticks")).toBe(String(4 * CENT));
      expect(await told(answer)).toBe("400 content_policy_violation -");
      expect(keys.generations()).toEqual([KEY]);
    });

    test("is missing from the others, and not drawn again", async () => {
      const answer = await client.images.generate({ prompt: "sim:blocked-picture", n: 3 });
      expect(answer.data).toHaveLength(2);
      expect(keys.generations()).toEqual([KEY]);
    });

    test("is no error of the key", async () => {
      expect(await told(await draw({ prompt: "sim:moderation" }))).toBe("400 content_policy_violation -");
      expect(keys.generations()).toEqual([KEY]);
      expect(keys.account(KEY)).toMatchObject({ status: "active", last_fail_code: null });
    });
  });

  test.each([
    ["grok-imagine-image", []],
    ["grok-imagine-1.0", []],
  ])("a conversation with %s draws, and one with a picture changes it", async (model) => {
    const say = (content: unknown) =>
      keys.post("/v1/chat/completions", { model, messages: [{ role: "user", content }] });
    const drawn = await say("a red bicycle");
    expect(await drawn.text()).toContain("/v1/files/image/");
    expect(drawn.headers.get("x-grok2api-cost-in-usd-ticks")).toBe(String(2 * CENT));
    const url = `data:image/png;base64,${drawnPng().toBase64()}`;
    const changed = await say([
      { type: "text", text: "a hat" },
      { type: "image_url", image_url: { url } },
    ]);
    expect(changed.status).toBe(200);
    expect(keys.simulator.requests().map(({ path }) => path)).toContain("/xai/v1/images/edits");
  });

  test("the name for changes wants a picture", async () => {
    const body = { model: "grok-imagine-image-edit", messages: [{ role: "user", content: "a hat" }] };
    expect(await told(await keys.post("/v1/chat/completions", body))).toBe("400 missing_image messages");
  });

  test("Responses draw with the model, as a link or as the hosted tool's item", async () => {
    const linked = await client.responses.create({ model: "grok-imagine-image", input: "a red bicycle" });
    expect(linked.output_text).toContain(`${keys.url}/v1/files/image/`);
    const wish = { model: "grok-imagine-image", input: "a bicycle" } as const;
    const answer = await client.responses.create({ ...wish, tools: [{ type: "image_generation", size: "1536x1024" }] });
    const drawn = answer.output.find(({ type }) => type === "image_generation_call");
    expect(drawn && "result" in drawn ? isJpeg(drawn.result ?? "") : null).toBe(true);
    expect(bodies(keys)).toMatchObject([{ aspect_ratio: "1:1" }, { aspect_ratio: "3:2" }]);
  });
});

describe("a key that fails", () => {
  test.each([
    ["acl", { status: "active", last_fail_code: "account_model_denied" }, 404],
    ["no-credits", { status: "cooling", last_fail_code: "account_no_credits" }, 503],
    ["rate-limited", { status: "active", last_fail_code: "upstream_rate_limited" }, 429],
    ["no-model", { status: "active", last_fail_code: "account_model_denied" }, 404],
  ])("%s: another team's key draws; alone, the caller is told", async (kind, standing, status) => {
    const bad = `xai-sim-${kind}-gamma-1`;
    await using keys = await startKeys({ keys: [bad, OTHER] });
    const answer = await keys.post("/v1/images/generations", { prompt: "a cat" });
    expect([answer.status, answer.headers.get("x-grok2api-attempts")]).toEqual([200, "2"]);
    expect(keys.generations()).toEqual([bad, OTHER]);
    expect(keys.account(bad)).toMatchObject(standing);
    await using alone = await startKeys({ keys: [bad] });
    const refused = await alone.post("/v1/images/generations", { prompt: "a cat" });
    expect([refused.status, alone.generations()]).toEqual([status, [bad]]);
  });

  test("a key for text alone is never asked to draw, and talks on", async () => {
    const bad = "xai-sim-acl-text-gamma-1";
    await using keys = await startKeys({ keys: [bad, OTHER] });
    expect((await keys.post("/v1/images/generations", { prompt: "a cat" })).status).toBe(200);
    expect(keys.generations()).toEqual([OTHER]);
    const chat = { model: "grok-4.3", messages: [{ role: "user", content: "hello" }] };
    expect((await keys.post("/v1/chat/completions", chat)).status).toBe(200);
    expect(keys.generations()).toEqual([OTHER, bad]);
  });

  test("a safety block is the caller's, and final", async () => {
    const bad = "xai-sim-safety-gamma-1";
    await using keys = await startKeys({ keys: [bad, OTHER] });
    expect(await told(await keys.post("/v1/images/generations", { prompt: "a cat" }))).toBe(
      "400 content_policy_violation -",
    );
    expect(keys.generations()).toEqual([bad]);
  });

  test.each([
    ["sim:overload", 503],
    ["sim:capacity-200", 503],
    ["sim:502", 503],
  ])("%s is tried once more", async (words, status) => {
    await using keys = await startKeys({ keys: [KEY, OTHER] });
    const answer = await keys.post("/v1/images/generations", { prompt: words });
    expect([answer.status, keys.generations().length]).toEqual([status, 2]);
  });
});

describe("beside web accounts", () => {
  const mixed = (env: Record<string, string> = {}, session = "sim-super-1") =>
    startKeys({ keys: [KEY], sessions: [session], env });
  const draw = (keys: Keys, fields: object) =>
    keys.post("/v1/images/generations", { prompt: "a red bicycle", ...fields });

  test("the site draws for nothing, and a key what the site cannot", async () => {
    await using keys = await mixed();
    const plain = await draw(keys, {});
    expect([plain.status, plain.headers.get("x-grok2api-cost-in-usd-ticks")]).toEqual([200, null]);
    expect([socketCalls(keys), keys.generations().length]).toEqual([1, 0]);
    const large = await draw(keys, { size: "2048x2048" });
    expect([large.status, large.headers.get("x-grok2api-cost-in-usd-ticks")]).toEqual([200, String(2 * CENT)]);
    expect([socketCalls(keys), keys.generations().length]).toEqual([1, 1]);
    expect(await told(await draw(keys, { model: "web/grok-imagine-image", size: "2048x2048" }))).toBe(
      "400 invalid_size size",
    );
  });

  test("six pictures to change are the site's", async () => {
    await using keys = await mixed({ GROK2API_ROUTING_PREFER: "xai" });
    const image = await Promise.all(Array.from({ length: 6 }, (_, index) => toFile(drawnPng(), `${index}.png`)));
    expect((await clientOf(keys).images.edit({ image, prompt: "join" })).data).toHaveLength(1);
    expect(keys.generations()).toEqual([]);
    expect((await clientOf(keys).images.edit({ image: image.slice(0, 2), prompt: "join" })).data).toHaveLength(1);
    expect(keys.generations()).toEqual([KEY]);
  });

  test("where the site's accounts are dry a key draws, unless that is switched off", async () => {
    await using keys = await mixed({}, "sim-limited-1");
    expect((await draw(keys, {})).status).toBe(200);
    expect(keys.generations()).toEqual([KEY]);
    await using off = await mixed({ GROK2API_ROUTING_FAILOVER: "false" }, "sim-limited-1");
    expect((await draw(off, {})).status).toBe(429);
    expect(off.generations()).toEqual([]);
  });
});

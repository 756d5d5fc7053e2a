// The limits of client keys where pictures and clips are made: at the routes of their own, and by conversations in every
// protocol. Units are pictures and clips, never chats.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { adminCall, ADMIN_ENV, codeOf, makeKey, until, viewKey, WAYS } from "../support/keys.ts";
import { pngBytes } from "../support/pictures.ts";
import { type Program, startProgram } from "../support/program.ts";

let program: Program;
beforeAll(async () => {
  program = await startProgram({
    accounts: ["sim-super-1", "sim-super-2", "sim-heavy-1"],
    simulation: { mediaDelayMs: 0 },
    env: { ...ADMIN_ENV, GROK2API_TOKEN_MAX_INFLIGHT: "64" },
  });
});
afterAll(() => program.stop());
afterEach(async () => {
  // Clips go on in the background; the upstream must not be taken away from them.
  await idle();
  program.simulator.reset();
});

const PICTURE = `data:image/png;base64,${pngBytes().toBase64()}`;
const used = async (id: string) => (await viewKey(program, id)).usage_today;
const idle = () => until(() => program.composed.server.running === 0 && program.composed.records.keyUsage.open === 0);

interface MediaWay {
  readonly name: string;
  readonly path: string;
  readonly model: string;
  readonly other: string;
  readonly limit: "image_limit" | "video_limit";
  readonly unit: "image_used" | "video_used";
  body(prompt?: string): object;
}

const DRAWS = { limit: "image_limit", unit: "image_used", model: "grok-imagine-image", other: "grok-4" } as const;
const MEDIA: readonly MediaWay[] = [
  ...[false, true].flatMap((stream): MediaWay[] => [
    {
      ...DRAWS,
      name: `pictures, ${stream ? "streamed" : "whole"}`,
      path: "/v1/images/generations",
      body: (prompt = "a cat") => ({ prompt, n: 1, stream, model: "grok-imagine-image" }),
    },
    {
      ...{ ...DRAWS, model: "grok-imagine-image-edit" },
      name: `edited pictures, ${stream ? "streamed" : "whole"}`,
      path: "/v1/images/edits",
      body: (prompt = "a cat") => ({ prompt, n: 1, stream, model: "grok-imagine-image-edit", image: PICTURE }),
    },
  ]),
  {
    ...{ limit: "video_limit", unit: "video_used", model: "grok-imagine-video", other: "grok-4" },
    name: "clips",
    path: "/v1/videos",
    body: (prompt = "a river") => ({ prompt, model: "grok-imagine-video" }),
  },
];

const post = (key: string, way: Pick<MediaWay, "path" | "body">, prompt?: string) =>
  program.post(way.path, way.body(prompt), { authorization: `Bearer ${key}` });

describe.each(MEDIA.map((way) => [way.name, way] as const))("%s", (_, way) => {
  test("a disabled, an expired and an unknown key, and a model outside the list", async () => {
    const disabled = await makeKey(program, { enabled: false });
    const expired = await makeKey(program, { expires_at: "2020-01-01T00:00:00Z" });
    const narrow = await makeKey(program, { models: [way.other] });
    const answers = await Promise.all(
      [disabled.key, expired.key, "sk-unknown", narrow.key].map(async (key) => {
        const answer = await post(key, way);
        return [answer.status, await codeOf(answer)];
      }),
    );
    expect(answers).toEqual([
      [401, "key_disabled"],
      [401, "key_expired"],
      [401, "invalid_api_key"],
      [403, "model_not_allowed"],
    ]);
    expect(await used(narrow.id)).toMatchObject({ [way.unit]: 0 });
    const wide = await makeKey(program, { models: [way.model] });
    const served = await post(wide.key, way);
    expect(served.status).toBe(200);
    await served.text();
  });

  test("requests a minute", async () => {
    const { key } = await makeKey(program, { rpm: 1 });
    const first = await post(key, way);
    expect([first.status, first.headers.get("x-ratelimit-remaining-requests")]).toEqual([200, "0"]);
    await first.text();
    const second = await post(key, way);
    expect([second.status, await codeOf(second)]).toEqual([429, "rate_limit_exceeded"]);
    expect(Number(second.headers.get("retry-after"))).toBeWithin(50, 61);
  });

  test("units a day: none, and one; a chat is never taken", async () => {
    const none = await makeKey(program, { [way.limit]: 0 });
    const refused = await post(none.key, way);
    expect([refused.status, await codeOf(refused)]).toEqual([429, "daily_quota_exceeded"]);
    const { key, id } = await makeKey(program, { [way.limit]: 1, chat_limit: 0, heavy_limit: 0 });
    const first = await post(key, way);
    expect(first.status).toBe(200);
    await first.text();
    const second = await post(key, way);
    expect([second.status, second.headers.get("x-should-retry"), await codeOf(second)]).toEqual([
      ...[429, "false", "daily_quota_exceeded"],
    ]);
    expect(Number(second.headers.get("retry-after"))).toBeWithin(0, 86_401);
    await until(async () => (await used(id))[way.unit] === 1);
    expect(await used(id)).toMatchObject({ chat_used: 0, heavy_used: 0, [way.unit]: 1 });
  });

  test("200 requests of one moment never get more than is left", async () => {
    const { key, id } = await makeKey(program, { [way.limit]: 5 });
    const statuses = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const answer = await post(key, way);
        await answer.text();
        return answer.status;
      }),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(5);
    expect(statuses.filter((status) => status === 429)).toHaveLength(195);
    await idle();
    expect((await used(id))[way.unit]).toBe(5);
    expect(program.composed.records.limits.running).toBe(0);
  });

  test("what fails upstream is given back", async () => {
    const { key, id } = await makeKey(program, { [way.limit]: 3 });
    const failed = await post(key, way, "sim:500");
    await failed.text();
    await until(async () => (await used(id))[way.unit] === 0);
    await idle();
  });
});

describe.each(MEDIA.filter(({ unit }) => unit === "image_used").map((way) => [way.name, way] as const))(
  "%s",
  (_, way) => {
    test("requests at once, and the place is free again after an abort", async () => {
      const { key } = await makeKey(program, { concurrency: 1 });
      const leaving = new AbortController();
      const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
      const asked = program.simulator.requests().length;
      const first = fetch(`${program.url}${way.path}`, {
        ...{ method: "POST", headers, body: JSON.stringify(way.body("sim:hang")), signal: leaving.signal },
      }).then(
        (answer) => answer.text(),
        () => "",
      );
      await until(() => program.composed.records.limits.running === 1 && program.simulator.requests().length > asked);
      const second = await post(key, way);
      expect([second.status, second.headers.get("retry-after"), await codeOf(second)]).toEqual([
        ...[429, "1", "concurrency_limit_exceeded"],
      ]);
      leaving.abort();
      await first.catch(() => {});
      await idle();
      expect(program.composed.records.limits.running).toBe(0);
      const third = await post(key, way);
      expect(third.status).toBe(200);
      await third.text();
    });

    test.each([["daily_tokens"], ["monthly_tokens"]])("%s of none", async (limit) => {
      const { key } = await makeKey(program, { [limit]: 0 });
      const refused = await post(key, way);
      expect([refused.status, refused.headers.get("x-should-retry")]).toEqual([429, "false"]);
      expect(await codeOf(refused)).toBe("insufficient_quota");
    });
  },
);

/** The last user turn with a picture, as each protocol writes it. */
const withPicture: Readonly<Record<string, object>> = {
  "/v1/chat/completions": {
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "a cat" },
          { type: "image_url", image_url: { url: PICTURE } },
        ],
      },
    ],
  },
  "/v1/responses": {
    input: [
      {
        role: "user",
        content: [
          { type: "input_text", text: "a cat" },
          { type: "input_image", image_url: PICTURE },
        ],
      },
    ],
  },
  "/v1/messages": {
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "a cat" },
          {
            type: "image",
            source: { type: "base64", media_type: "image/png", data: pngBytes().toBase64() },
          },
        ],
      },
    ],
  },
};

describe.each(WAYS.map((way) => [way.name, way] as const))("a conversation over %s", (_, way) => {
  const quotaCode = way.path === "/v1/messages" ? "rate_limit_error" : "daily_quota_exceeded";
  const talk = (key: string, model: string, more: object = {}) =>
    program.post(way.path, { ...way.body({ model }), ...more }, { authorization: `Bearer ${key}` });

  test.each([
    ["that draws takes two pictures", "grok-imagine-1.0", "image", 2, {}],
    ["that changes a picture takes two", "grok-imagine-1.0-edit", "image", 2, withPicture[way.path] ?? {}],
    ["that films takes a clip", "grok-imagine-1.0-video", "video", 1, {}],
    ["with the id that films pictures takes a clip", "grok-imagine-0.9", "video", 1, withPicture[way.path] ?? {}],
    ["with the same id and no picture takes two pictures", "grok-imagine-0.9", "image", 2, {}],
  ] as const)("%s", async (...[, model, unit, units, more]) => {
    const limits = { chat_limit: 0, heavy_limit: 0, image_limit: 0, video_limit: 0, [`${unit}_limit`]: units };
    const { key, id } = await makeKey(program, limits);
    const first = await talk(key, model, more);
    expect(first.status).toBe(200);
    await first.text();
    await idle();
    expect(await used(id)).toMatchObject({ chat_used: 0, heavy_used: 0, [`${unit}_used`]: units });
    const second = await talk(key, model, more);
    expect([second.status, await codeOf(second)]).toEqual([429, quotaCode]);
    const rows = (await adminCall(program, `/api/v1/admin/requests?key=${id}`)).body.items;
    const delivered = rows.filter(({ status }: { status: number }) => status === 200);
    expect(delivered).toHaveLength(1);
    expect(delivered[0][`${unit}s`]).toBeGreaterThan(0);
    expect(delivered[0].stream).toBe(way.stream);
  });

  test("a key for pictures alone cannot film with the id that does both", async () => {
    const { key } = await makeKey(program, { models: ["grok-imagine-image"] });
    const refused = await talk(key, "grok-imagine-0.9", withPicture[way.path]);
    expect(refused.status).toBe(403);
    const drawn = await talk(key, "grok-imagine-0.9");
    expect(drawn.status).toBe(200);
    await drawn.text();
  });
});

test("a conversation that asks for many pictures takes as many", async () => {
  const { key, id } = await makeKey(program, { image_limit: 3 });
  const draw = (n: number) =>
    program.post(
      "/v1/chat/completions",
      { model: "grok-imagine-1.0", messages: [{ role: "user", content: "a cat" }], image_config: { n } },
      { authorization: `Bearer ${key}` },
    );
  const refused = await draw(4);
  expect([refused.status, await codeOf(refused)]).toEqual([429, "daily_quota_exceeded"]);
  const drawn = await draw(3);
  expect(drawn.status).toBe(200);
  await drawn.text();
  await until(async () => (await used(id)).image_used === 3);
});

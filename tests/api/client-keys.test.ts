import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { ADMIN_ENV, adminCall, ask, codeOf, makeKey, until, viewKey, WAYS } from "../support/keys.ts";
import { type Program, PROGRAM_KEY, startProgram } from "../support/program.ts";

let program: Program;
beforeAll(async () => {
  program = await startProgram({
    accounts: ["sim-super-1", "sim-super-2", "sim-heavy-1"],
    env: { ...ADMIN_ENV, GROK2API_TOKEN_MAX_INFLIGHT: "64" },
  });
});
afterAll(() => program.stop());
afterEach(() => program.simulator.reset());

const isAnthropic = (path: string) => path.startsWith("/v1/messages");

describe.each(WAYS.map((way) => [way.name, way] as const))("%s", (_, way) => {
  const expectRefusal = async (response: Response, wanted: { status: number; code: string; anthropic: string }) => {
    expect(response.status).toBe(wanted.status);
    expect(await codeOf(response)).toBe(isAnthropic(way.path) ? wanted.anthropic : wanted.code);
  };
  const LIMITED = { status: 429, anthropic: "rate_limit_error" };

  test("an unknown, a disabled and an expired key are refused, and the upstream is not asked", async () => {
    const disabled = await makeKey(program, { enabled: false });
    const expired = await makeKey(program, { expires_at: "2020-01-01T00:00:00Z" });
    const refused = { status: 401, anthropic: "authentication_error" };
    await expectRefusal(await ask(program, "sk-unknown", way), { ...refused, code: "invalid_api_key" });
    await expectRefusal(await ask(program, disabled.key, way), { ...refused, code: "key_disabled" });
    await expectRefusal(await ask(program, expired.key, way), { ...refused, code: "key_expired" });
    expect(program.asked()).toBe(0);
  });

  test("a model outside the list is refused, an alias inside it is served", async () => {
    const { key } = await makeKey(program, { models: ["grok-4.20"] });
    const refused = await ask(program, key, way, { model: "grok-4" });
    expect(refused.headers.get("x-should-retry")).toBe("false");
    await expectRefusal(refused, { status: 403, code: "model_not_allowed", anthropic: "permission_error" });
    expect((await ask(program, key, way, { model: "grok-4.20-beta" })).status).toBe(200);
  });

  test("requests a minute", async () => {
    const { key } = await makeKey(program, { rpm: 1 });
    const first = await ask(program, key, way);
    expect(first.status).toBe(200);
    expect(first.headers.get("x-ratelimit-limit-requests")).toBe("1");
    expect(first.headers.get("x-ratelimit-remaining-requests")).toBe("0");
    expect(first.headers.get("x-ratelimit-reset-requests")).toMatch(/^(59|60)s$/);
    await first.text();
    const second = await ask(program, key, way);
    expect(Number(second.headers.get("retry-after"))).toBeWithin(50, 61);
    expect(second.headers.get("x-should-retry")).toBeNull();
    await expectRefusal(second, { ...LIMITED, code: "rate_limit_exceeded" });
    expect(program.asked()).toBe(1);
  });

  test("requests at once, and the place is free again after an abort", async () => {
    const { key } = await makeKey(program, { concurrency: 1 });
    const leaving = new AbortController();
    const first = fetch(`${program.url}${way.path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(way.body({ words: "sim:slow" })),
      signal: leaving.signal,
    }).then(
      (response) => response.text(),
      () => "",
    );
    await until(() => program.asked() === 1);
    const second = await ask(program, key, way);
    expect(second.headers.get("retry-after")).toBe("1");
    expect(second.headers.get("x-ratelimit-limit-concurrency")).toBe("1");
    await expectRefusal(second, { ...LIMITED, code: "concurrency_limit_exceeded" });
    leaving.abort();
    await first.catch(() => {});
    await until(async () => (await ask(program, key, way)).status === 200);
  });

  test("chats a day: none, and one", async () => {
    const none = await makeKey(program, { chat_limit: 0 });
    await expectRefusal(await ask(program, none.key, way), { ...LIMITED, code: "daily_quota_exceeded" });
    const { key, id } = await makeKey(program, { limits: { chat_per_day: 1 } });
    const first = await ask(program, key, way);
    expect(first.status).toBe(200);
    expect(first.headers.get("x-ratelimit-remaining-chat")).toBe("0");
    await first.text();
    const second = await ask(program, key, way);
    expect(second.headers.get("x-should-retry")).toBe("false");
    expect(Number(second.headers.get("retry-after"))).toBeWithin(0, 86_401);
    await expectRefusal(second, { ...LIMITED, code: "daily_quota_exceeded" });
    expect((await viewKey(program, id)).usage_today.chat_used).toBe(1);
  });

  test("heavy answers a day take one of both", async () => {
    const { key, id } = await makeKey(program, { heavy_limit: 1, chat_limit: 5 });
    const first = await ask(program, key, way, { model: "grok-4-heavy" });
    expect(first.status).toBe(200);
    await first.text();
    await expectRefusal(await ask(program, key, way, { model: "grok-4-heavy" }), {
      ...LIMITED,
      code: "daily_quota_exceeded",
    });
    expect((await viewKey(program, id)).usage_today).toMatchObject({ heavy_used: 1, chat_used: 1 });
  });

  test.each([["daily_tokens"], ["monthly_tokens"]])("%s", async (limit) => {
    const { key, id } = await makeKey(program, { [limit]: 12 });
    const first = await ask(program, key, way);
    expect(first.status).toBe(200);
    expect(first.headers.get("x-ratelimit-limit-tokens")).toBe("12");
    await first.text();
    const used = async () => (await viewKey(program, id)).usage_month.tokens_used as number;
    await until(async () => (await used()) > 0);
    const second = await ask(program, key, way);
    expect(second.headers.get("x-should-retry")).toBe("false");
    expect(Number(second.headers.get("retry-after"))).toBeGreaterThan(0);
    if (isAnthropic(way.path)) await expectRefusal(second, { ...LIMITED, code: "" });
    else {
      expect(second.status).toBe(429);
      const { error } = (await second.json()) as { error: { type: string; code: string; message: string } };
      expect(error).toMatchObject({ type: "insufficient_quota", code: "insufficient_quota" });
      // Both numbers and the time, so that nobody has to guess.
      expect(error.message).toMatch(/\d+ of 12 used.*begins anew at \d{4}-/);
    }
  });

  test("what failed upstream before anything came is given back", async () => {
    const { key, id } = await makeKey(program, { chat_limit: 5, daily_tokens: 1_000_000 });
    const failed = await ask(program, key, way, { words: "sim:500" });
    expect(failed.status).toBeGreaterThanOrEqual(500);
    await failed.text();
    expect((await viewKey(program, id)).usage_today).toMatchObject({ chat_used: 0, tokens_used: 0 });
    expect(program.composed.records.keyUsage.open).toBe(0);
  });
});

describe("pictures and clips", () => {
  const post = (key: string, path: string, body: object) =>
    program.post(path, body, { authorization: `Bearer ${key}` });
  const used = async (id: string) => (await viewKey(program, id)).usage_today;

  test.each([[false], [true]])("as many pictures a day as allowed (stream: %p)", async (stream) => {
    const { key, id } = await makeKey(program, { image_limit: 3, chat_limit: 0 });
    const draw = (n: number, prompt = "a cat") => post(key, "/v1/images/generations", { prompt, n, stream });
    const first = await draw(2);
    expect(first.status).toBe(200);
    expect(first.headers.get("x-ratelimit-remaining-images")).toBe("1");
    await first.text();
    const refused = await draw(2);
    expect([refused.status, refused.headers.get("x-should-retry")]).toEqual([429, "false"]);
    expect(await codeOf(refused)).toBe("daily_quota_exceeded");
    await (await draw(1, "sim:500")).text();
    expect(await used(id)).toMatchObject({ image_used: 2, chat_used: 0 });
    const last = await draw(1);
    expect(last.status).toBe(200);
    await last.text();
    await until(async () => (await used(id)).image_used === 3);
  });

  test.each([[false], [true]])(
    "a picture model in a conversation takes two pictures and no chat (stream: %p)",
    async (stream) => {
      const { key, id } = await makeKey(program, { image_limit: 2, chat_limit: 0 });
      const draw = () =>
        post(key, "/v1/chat/completions", {
          ...{ model: "grok-imagine-1.0", stream, messages: [{ role: "user", content: "a cat" }] },
        });
      const first = await draw();
      expect(first.status).toBe(200);
      await first.text();
      expect(await codeOf(await draw())).toBe("daily_quota_exceeded");
      expect(await used(id)).toMatchObject({ image_used: 2, chat_used: 0 });
    },
  );

  test("clips a day, and one that fails is given back", async () => {
    const { key, id } = await makeKey(program, { video_limit: 1 });
    const film = (prompt: string) => post(key, "/v1/videos", { prompt });
    const ended = async (response: Response) => {
      const job = (await response.json()) as { id: string };
      const headers = { authorization: `Bearer ${key}` };
      const state = async () =>
        ((await (await fetch(`${program.url}/v1/videos/${job.id}`, { headers })).json()) as { status: string }).status;
      await until(async () => ["completed", "failed"].includes(await state()));
      return state();
    };
    expect(await ended(await film("sim:500"))).toBe("failed");
    await until(async () => (await used(id)).video_used === 0);
    expect(await ended(await film("a river"))).toBe("completed");
    expect(await codeOf(await film("a lake"))).toBe("daily_quota_exceeded");
    expect((await used(id)).video_used).toBe(1);
    const rows = (await adminCall(program, `/api/v1/admin/requests?key=${id}&route=video%20job`)).body.items;
    expect(rows.map(({ videos, outcome }: { videos: number; outcome: string }) => [videos, outcome])).toEqual([
      [1, "finished"],
      [0, expect.any(String)],
    ]);
  });
});

describe("many at once", () => {
  test.each(WAYS.map((way) => [way.name, way] as const))(
    "200 requests of one moment never get more than is left (%s)",
    async (_, way) => {
      const { key, id } = await makeKey(program, { chat_limit: 7, rpm: 50 });
      const answers = await Promise.all(
        Array.from({ length: 200 }, async () => {
          const response = await ask(program, key, way);
          await response.text();
          return response.status;
        }),
      );
      expect(answers.filter((status) => status === 200)).toHaveLength(7);
      expect(answers.filter((status) => status === 429)).toHaveLength(193);
      expect(program.asked()).toBe(7);
      expect((await viewKey(program, id)).usage_today.chat_used).toBe(7);
    },
  );

  test.each(
    WAYS.flatMap((way) => [
      ["requests a minute", { rpm: 9 }, 9, way] as const,
      ["heavy answers", { heavy_limit: 3 }, 3, way] as const,
    ]).map(([limit, fields, most, way]) => [`${limit}, ${way.name}`, { fields, most, way }] as const),
  )("200 requests of one moment: %s", async (_, { fields, most, way }) => {
    const { key } = await makeKey(program, fields);
    const statuses = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const response = await ask(program, key, way, { model: "heavy_limit" in fields ? "grok-4-heavy" : "grok-4" });
        await response.text();
        return response.status;
      }),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(most);
    expect(statuses.filter((status) => status === 429)).toHaveLength(200 - most);
    expect(program.asked()).toBe(most);
  });

  test.each(WAYS.map((way) => [way.name, way] as const))(
    "200 requests of one moment never run more at once than allowed (%s)",
    async (_, way) => {
      const { key } = await makeKey(program, { concurrency: 6 });
      const { limits, keyUsage } = program.composed.records;
      let most = 0;
      const watch = setInterval(() => {
        most = Math.max(most, limits.running);
      }, 1);
      const statuses = await Promise.all(
        Array.from({ length: 200 }, async () => {
          const response = await ask(program, key, way, { words: "sim:slow-5" });
          most = Math.max(most, limits.running);
          await response.text();
          return response.status;
        }),
      );
      clearInterval(watch);
      expect(most).toBeWithin(1, 7);
      expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(6);
      expect(statuses.filter((status) => status !== 200 && status !== 429)).toEqual([]);
      await until(() => limits.running === 0 && keyUsage.open === 0);
    },
  );

  test.each(WAYS.map((way) => [way.name, way] as const))(
    "tokens held by 200 requests of one moment are never more than are left (%s)",
    async (_, way) => {
      const { key, id } = await makeKey(program, { daily_tokens: 400 });
      const remaining: number[] = [];
      const statuses = await Promise.all(
        Array.from({ length: 200 }, async () => {
          const response = await ask(program, key, way);
          remaining.push(Number(response.headers.get("x-ratelimit-remaining-tokens")));
          await response.text();
          return response.status;
        }),
      );
      // One request of unknown length may hold everything that is left.
      expect(statuses.filter((status) => status === 200).length).toBeWithin(1, 40);
      expect(Math.min(...remaining)).toBeGreaterThanOrEqual(0);
      await until(() => program.composed.records.keyUsage.open === 0);
      expect((await viewKey(program, id)).usage_today.tokens_used).toBeLessThanOrEqual(400);
      const after = await ask(program, key, way);
      await after.text();
      // What was held is free again.
      expect(after.status).toBe(200);
    },
  );

  test.each(WAYS.map((way) => [way.name, way] as const))(
    "clients that leave free their places (%s)",
    async (_, way) => {
      const { key, id } = await makeKey(program, { concurrency: 40, daily_tokens: 1_000_000 });
      await Promise.all(
        Array.from({ length: 40 }, async (_, index) => {
          const leaving = AbortSignal.timeout(100 + index * 5);
          await fetch(`${program.url}${way.path}`, {
            method: "POST",
            headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
            body: JSON.stringify(way.body({ words: "sim:slow" })),
            signal: leaving,
          })
            .then((response) => response.text())
            .catch(() => {});
        }),
      );
      await until(() => program.composed.server.running === 0);
      expect(program.composed.records.keyUsage.open).toBe(0);
      expect(program.composed.records.limits.running).toBe(0);
      expect((await viewKey(program, id)).usage_today.chat_used).toBeGreaterThan(0);
      const next = await ask(program, key, way);
      expect(next.headers.get("x-ratelimit-remaining-concurrency")).toBe("39");
      await next.text();
    },
  );
});

describe("keys", () => {
  test("the operator's own key has no limits and no limit headers", async () => {
    const way = WAYS[0]!;
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(program, PROGRAM_KEY, way)));
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect([...answer.headers.keys()].filter((name) => name.startsWith("x-ratelimit"))).toEqual([]);
      await answer.text();
    }
  });

  test("a list of models hides the others, in both catalogues", async () => {
    const { key } = await makeKey(program, { models: ["grok-4", "grok-4.20"] });
    const headers = { authorization: `Bearer ${key}` };
    const ids = async (more: Record<string, string>) => {
      const response = await fetch(`${program.url}/v1/models`, { headers: { ...headers, ...more } });
      return ((await response.json()) as { data: { id: string }[] }).data.map(({ id }) => id);
    };
    expect((await ids({})).toSorted()).toEqual(["grok-4", "grok-4.20-beta"]);
    expect((await ids({ "anthropic-version": "2023-06-01" })).toSorted()).toEqual(["grok-4", "grok-4.20-beta"]);
    const hidden = await fetch(`${program.url}/v1/models/grok-3`, { headers });
    expect(hidden.status).toBe(404);
  });

  test("a secret is shown once and is nowhere in the store", async () => {
    const made = await makeKey(program, { name: "Ann", note: "the office" });
    expect(made.key).toMatch(/^sk-[0-9A-Za-z]{48}$/);
    const listed = await adminCall(program, "/api/v1/admin/keys?search=ann");
    expect(JSON.stringify(listed.body)).not.toContain(made.key);
    expect(listed.body.data).toHaveLength(1);
    expect(listed.body.data[0]).toMatchObject({ name: "Ann", note: "the office", chat_limit: -1, status: "active" });
    const audit = await adminCall(program, "/api/v1/admin/audit?action=keys.create");
    expect(audit.body.items[0].target).toContain("Ann");
    expect(JSON.stringify(audit.body)).not.toContain(made.key);
  });

  test("edit, rotate, disable and delete", async () => {
    const made = await makeKey(program, { name: "Ben" });
    const way = WAYS[0]!;
    const rotated = await adminCall(program, "/api/v1/admin/keys/rotate", { id: made.id });
    expect(rotated.headers.get("cache-control")).toBe("no-store");
    expect((await ask(program, made.key, way)).status).toBe(401);
    const secret = rotated.body.data.key as string;
    expect((await ask(program, secret, way)).status).toBe(200);
    // The whole secret names a key as well as its id, as scripts of earlier programs do it.
    const updated = await adminCall(program, "/v1/admin/keys/update", { key: secret, name: "Benjamin", rpm: 9 });
    expect(updated.body.data[0]).toMatchObject({ id: made.id, name: "Benjamin", rpm: 9 });
    await adminCall(program, "/api/v1/admin/keys/update", { keys: [made.id], is_active: false });
    expect(await codeOf(await ask(program, secret, way))).toBe("key_disabled");
    expect((await adminCall(program, "/api/v1/admin/keys/delete", { key: made.id })).body).toEqual({
      success: true,
      deleted: 1,
    });
    expect(await codeOf(await ask(program, secret, way))).toBe("invalid_api_key");
    const gone = await adminCall(program, "/api/v1/admin/keys/delete", { key: made.id });
    expect([gone.status, gone.body.error.message]).toEqual([404, "Key not found"]);
    const unnamed = await adminCall(program, "/api/v1/admin/keys/update", { name: "x" });
    expect([unnamed.status, unnamed.body.error.message]).toEqual([400, "Missing key"]);
  });

  test.each([
    [{ rpm: -2 }, "rpm"],
    [{ chat_limit: 1.5 }, "chat_limit"],
    [{ limits: { image_per_day: "many" } }, "limits.image_per_day"],
    [{ models: ["no-such-model"] }, "models"],
    [{ expires_at: "tomorrow" }, "expires_at"],
    [{ key: "short" }, "key"],
    [{ count: 101 }, "count"],
    [{ enabled: "maybe" }, "enabled"],
  ])("%p is refused by its name", async (body, param) => {
    const { status, body: answer } = await adminCall(program, "/api/v1/admin/keys", body);
    expect([status, answer.error.param]).toEqual([400, param]);
  });

  test("a chosen secret, and no second key with it", async () => {
    const chosen = "sk-chosen-by-the-operator";
    expect((await makeKey(program, { key: chosen })).key).toBe(chosen);
    const again = await adminCall(program, "/api/v1/admin/keys", { key: chosen });
    expect([again.status, again.body.error.message]).toEqual([400, "Key already exists"]);
    const global = await adminCall(program, "/api/v1/admin/keys", { key: PROGRAM_KEY });
    expect(global.status).toBe(400);
  });

  test("the list is sorted by name, by time and by use, either way", async () => {
    const names = ["sort-b", "sort-c", "sort-a"];
    const made = [];
    for (const name of names) {
      made.push(await makeKey(program, { name }));
      // Two of one millisecond would stand in the order of their ids.
      await Bun.sleep(2);
    }
    for (const way of WAYS.slice(0, 1)) await (await ask(program, made[1]?.key ?? "", way)).text();
    const listAt = (query: string) => adminCall(program, `/api/v1/admin/keys?search=sort-&${query}`);
    const listed = async (query: string) => {
      const { data } = (await listAt(query)).body as { data: { name: string }[] };
      return data.map(({ name }) => name.slice(-1)).join("");
    };
    expect(await listed("")).toBe("bca");
    expect(await listed("sort=name")).toBe("abc");
    expect(await listed("sort=name&order=desc")).toBe("cba");
    expect(await listed("sort=used_today&order=desc")).toStartWith("c");
    expect(await listed("sort=last_used&order=desc")).toStartWith("c");
    expect((await listAt("sort=secret")).status).toBe(400);
    expect((await listAt("sort=name&order=up")).status).toBe(400);
  });

  test("the oldest page's routes", async () => {
    const added = await adminCall(program, "/api/keys/add", { name: "old" });
    expect(added.body.data).toMatchObject({ name: "old", is_active: true });
    const many = await adminCall(program, "/api/keys/batch-add", { name_prefix: "room", count: 3 });
    expect(many.body.data.map((row: { name: string }) => row.name)).toEqual(["room-1", "room-2", "room-3"]);
    const keys = many.body.data.map((row: { key: string }) => row.key);
    expect((await adminCall(program, "/api/keys/batch-status", { keys, is_active: false })).body.success).toBe(true);
    await adminCall(program, "/api/keys/name", { key: added.body.data.key, name: "older" });
    const listed = await adminCall(program, "/api/keys");
    expect(listed.body.global_key_set).toBe(true);
    const rows = listed.body.data as { name: string; is_active: boolean }[];
    expect(rows.filter(({ name }) => name.startsWith("room-")).map(({ is_active }) => is_active)).toEqual([
      ...[false, false, false],
    ]);
    expect(rows.some(({ name }) => name === "older")).toBe(true);
    expect((await adminCall(program, "/api/keys/batch-delete", { keys })).body.deleted).toBe(3);
  });
});

import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../src/core/errors.ts";
import { listRoutes } from "../../src/http/route-table.ts";
import { ROUTES } from "../../src/http/routes.ts";
import { API_KEY, APP_KEY, chatBody, createHarness, fromBatches, json } from "./harness.ts";

const rows = listRoutes(ROUTES);
const concrete = (path: string): string => path.replace(/:[a-z]+(\{\.\+\})?/g, "abc");

interface Envelope {
  error: { message: string; type: string; param: string | null; code: string };
}

const envelope = async (response: Response): Promise<Envelope["error"]> => {
  expect(response.headers.get("content-type")).toMatch(/^application\/json/);
  const { error } = (await response.json()) as Envelope;
  expect(Object.keys(error).toSorted()).toEqual(["code", "message", "param", "type"]);
  return error;
};

describe("every route", () => {
  test("has one owner for each path and method", () => {
    const names = rows.map(({ method, path }) => `${method} ${path}`);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  test.each(rows.map((row) => [`${row.method} ${row.path}`, row] as const))(
    "%s keeps its class without a credential",
    async (_name, row) => {
      const harness = createHarness();
      const response = await harness.request(concrete(row.path), { method: row.method });
      if (row.auth === "api" || row.auth === "admin" || row.auth === "metrics") {
        expect(response.status).toBe(401);
        if (row.path.startsWith("/v1/messages")) {
          expect(await response.json()).toMatchObject({ type: "error", error: { type: "authentication_error" } });
        } else expect((await envelope(response)).code).toBe("missing_api_key");
        expect(response.headers.get("www-authenticate")).toBe("Bearer");
        expect(harness.asked).toEqual([]);
      } else if (row.auth === "visitor") {
        // The playground is off, and no key of the API opens it.
        expect(response.status).toBe(401);
        expect(await envelope(response)).toMatchObject({
          message: "Public access is disabled",
          type: "authentication_error",
        });
        expect(harness.asked).toEqual([]);
      } else if (!row.path.endsWith("/login")) {
        expect(response.status).not.toBe(401);
      }
      expect(response.headers.get("x-request-id")).not.toBeNull();
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    },
  );

  test.each(rows.filter((row) => row.auth === "admin").map((row) => [`${row.method} ${row.path}`, row] as const))(
    "%s is not opened by an API key, in any carrier",
    async (_name, row) => {
      const path = concrete(row.path);
      const own = ROUTES.find(
        (route) => route.method === row.method && [route.path, ...(route.aliases ?? [])].includes(row.path),
      );
      for (const [where, init] of [
        [path, { headers: { authorization: `Bearer ${API_KEY}` } }],
        [path, { headers: { "x-api-key": API_KEY } }],
        [`${path}?api_key=${API_KEY}`, {}],
        // EventSource cannot send headers, so its routes take the password itself from the query.
        ...(own?.queryCredential ? [] : [[`${path}?app_key=${encodeURIComponent(APP_KEY)}`, {}] as const]),
      ] as const) {
        const harness = createHarness();
        const pending = harness.request(where, { method: row.method, ...init });
        await harness.clock.advance(10_000);
        expect((await pending).status).toBe(401);
      }
    },
  );

  test("without any key set, only the API is open", async () => {
    const harness = createHarness({ settingsTree: { app: { app_key: APP_KEY } } });
    expect((await harness.request("/v1/models")).status).toBe(200);
    expect((await harness.request("/api/v1/admin/config")).status).toBe(401);
  });
});

describe("an API key", () => {
  test.each([
    ["Bearer", { authorization: `Bearer ${API_KEY}` }],
    ["bearer in small letters", { authorization: `bearer ${API_KEY}` }],
    ["X-API-Key", { "x-api-key": API_KEY }],
  ] as const)("is taken from %s", async (_name, headers) => {
    const harness = createHarness();
    expect((await harness.request("/v1/models", { headers })).status).toBe(200);
    expect(harness.records[0]?.key).toMatch(/^key_[0-9a-f]{12}$/);
  });

  test.each([
    ["another key", { authorization: "Bearer nonsense" }, "invalid_api_key"],
    ["the admin password", { authorization: `Bearer ${APP_KEY}` }, "invalid_api_key"],
    ["an empty bearer", { authorization: "Bearer " }, "missing_api_key"],
    ["basic", { authorization: "Basic a2V5OmtleQ==" }, "missing_api_key"],
  ] as const)("is not %s", async (_name, headers, code) => {
    const response = await createHarness().request("/v1/models", { headers });
    expect(response.status).toBe(401);
    expect(await envelope(response)).toMatchObject({ type: "authentication_error", code });
  });

  test("acts as soon as the settings change", async () => {
    const harness = createHarness();
    expect((await harness.api("/v1/models")).status).toBe(200);
    harness.config = { ...harness.config, app: { ...harness.config.app, api_key: ["another-key"] } };
    expect((await harness.api("/v1/models")).status).toBe(401);
  });
});

describe("a request id", () => {
  test.each([
    ["kept", "abc-1.2:3_x", "abc-1.2:3_x"],
    ["replaced when it is too long", "x".repeat(65), null],
    ["replaced when it has other characters", "a b", null],
  ])("is %s", async (_name, sent, kept) => {
    const response = await createHarness().api("/v1/models", { headers: { "x-request-id": sent } });
    const id = response.headers.get("x-request-id");
    if (kept === null) expect(id).toMatch(/^req_[0-9a-f]{32}$/);
    else expect(id).toBe(kept);
  });
});

describe("the order of checks", () => {
  test("a size that is too large is told before who asks", async () => {
    const response = await createHarness().request("/v1/chat/completions", {
      ...json({}),
      headers: { "content-length": String(33 * 1024 * 1024), "content-type": "application/json" },
    });
    expect(response.status).toBe(413);
    expect((await envelope(response)).code).toBe("request_too_large");
    expect(response.headers.get("connection")).toBe("close");
  });

  test("a body without a declared size is counted", async () => {
    const harness = createHarness({ settingsTree: { server: { max_body_mb: 0.01 } } });
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new Uint8Array(4096).fill(32));
      },
    });
    const response = await harness.request("/v1/chat/completions", { method: "POST", body });
    expect(response.status).toBe(413);
  });

  test("who asks is told before a switched-off endpoint", async () => {
    const tree = { app: { api_key: [API_KEY] }, downstream: { enable_chat_completions: false, enable_files: false } };
    const harness = createHarness({ settingsTree: tree });
    expect((await harness.request("/v1/chat/completions", json(chatBody()))).status).toBe(401);
    const response = await harness.api("/v1/chat/completions", json(chatBody()));
    expect(response.status).toBe(404);
    expect(await envelope(response)).toEqual({
      message: "Endpoint disabled",
      type: "not_found_error",
      param: null,
      code: "endpoint_disabled",
    });
    expect((await (await harness.request("/v1/files/image/a.png")).json()) as Envelope).toMatchObject({
      error: { code: "endpoint_disabled" },
    });
    expect((await harness.api("/v1/models")).status).toBe(200);
  });

  test("a switched-off endpoint is told before a broken body", async () => {
    const tree = { downstream: { enable_chat_completions: false } };
    const harness = createHarness({ settingsTree: tree });
    const response = await harness.request("/v1/chat/completions", { method: "POST", body: "{" });
    expect(response.status).toBe(404);
  });
});

describe("a body", () => {
  test.each([
    ["broken JSON", { body: "{", type: "application/json" }, 400, "invalid_json", null],
    ["an empty one", { body: "", type: "application/json" }, 400, "invalid_json", null],
    ["an array", { body: "[]", type: "application/json" }, 400, "invalid_json", null],
    ["a form", { body: "a=b", type: "application/x-www-form-urlencoded" }, 415, "unsupported_media_type", null],
    ["plain text", { body: "{}", type: "text/plain" }, 415, "unsupported_media_type", null],
    ["no model", { body: '{"messages":[]}', type: "application/json" }, 400, "missing_required_parameter", "model"],
    ["a wrong value", { body: JSON.stringify(chatBody({ n: 5 })), type: "application/json" }, 400, "invalid_n", "n"],
  ] as const)("%s is refused in the envelope", async (_name, { body, type }, ...[status, code, param]) => {
    const harness = createHarness();
    const response = await harness.api("/v1/chat/completions", {
      method: "POST",
      body,
      headers: { "content-type": type },
    });
    expect(response.status).toBe(status);
    expect(await envelope(response)).toMatchObject({ code, param });
    expect(harness.asked).toEqual([]);
  });

  test.each(["application/json; charset=utf-8", "application/vnd.thing+json", "Application/JSON"])(
    "%s is JSON",
    async (type) => {
      const response = await createHarness().api("/v1/chat/completions", {
        method: "POST",
        body: JSON.stringify(chatBody()),
        headers: { "content-type": type },
      });
      expect(response.status).toBe(200);
    },
  );
});

describe("an unknown path", () => {
  test("below /v1 names near routes", async () => {
    const response = await createHarness().request("/v1/chat/completion", { method: "POST" });
    expect(response.status).toBe(404);
    const error = await envelope(response);
    expect(error.code).toBe("route_not_found");
    expect(error.message).toContain("POST /v1/chat/completions");
  });

  test("elsewhere names nothing", async () => {
    const error = await envelope(await createHarness().request("/nothing"));
    expect(error.message).toBe("No route GET /nothing.");
  });

  test("below /v1/messages speaks the other dialect", async () => {
    const response = await createHarness().request("/v1/messages/none", { method: "POST" });
    expect(await response.json()).toMatchObject({ type: "error", error: { type: "not_found_error" } });
  });

  test("is logged as it was asked", async () => {
    const harness = createHarness();
    await harness.request("/v1/v1/none?secret=1");
    expect(harness.records).toMatchObject([{ path: "/v1/v1/none", status: 404, outcome: "failed" }]);
    expect(JSON.stringify(harness.lines)).not.toContain("secret=1");
  });

  test("with a doubled prefix or a slash at the end is the plain one", async () => {
    const harness = createHarness();
    for (const path of ["/v1/v1/models", "/v1/models/", "/v1/v1/chat/completions/"]) {
      const init = path.includes("chat") ? json(chatBody()) : {};
      expect((await harness.api(path, init)).status).toBe(200);
    }
  });

  test("and a known path with another method are told apart", async () => {
    const response = await createHarness().request("/v1/chat/completions");
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("POST, OPTIONS");
    expect((await envelope(response)).code).toBe("method_not_allowed");
    const other = await createHarness().request("/v1/models/grok-4", { method: "DELETE" });
    expect(other.headers.get("allow")).toBe("GET, HEAD, OPTIONS");
  });
});

describe("CORS", () => {
  const ask = (path: string, origin = "https://chat.example.com") => ({
    path,
    init: {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-stainless-arch,x-stainless-retry-count",
      },
    },
  });

  test("answers a browser SDK's preflight without a credential", async () => {
    const { path, init } = ask("/v1/chat/completions");
    const response = await createHarness().request(path, init);
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.get("access-control-allow-headers")).toBe(init.headers["access-control-request-headers"]);
    expect(response.headers.get("access-control-allow-methods")).toContain("POST");
    expect(response.headers.get("access-control-max-age")).toBe("86400");
    expect(response.headers.get("access-control-allow-credentials")).toBeNull();
  });

  test("exposes what SDKs read, also on an error", async () => {
    const response = await createHarness().request("/v1/models");
    expect(response.status).toBe(401);
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.get("access-control-expose-headers")).toContain("x-request-id");
  });

  test.each(["/api/v1/admin/config", "/v1/admin/config", "/admin/api/verify", "/api/v1/admin/unknown"])(
    "never lets a foreign page at %s",
    async (path) => {
      const { init } = ask(path);
      expect((await createHarness().request(path, init)).headers.get("access-control-allow-origin")).toBeNull();
      expect((await createHarness().admin(path)).headers.get("access-control-allow-origin")).toBeNull();
    },
  );

  test("keeps to the list of origins", async () => {
    const tree = { server: { cors_origins: ["https://chat.example.com"] } };
    const good = ask("/v1/models");
    const bad = ask("/v1/models", "https://evil.example.com");
    const harness = createHarness({ settingsTree: tree });
    const allowed = await harness.request(good.path, good.init);
    expect(allowed.headers.get("access-control-allow-origin")).toBe("https://chat.example.com");
    expect(allowed.headers.get("vary")).toContain("origin");
    expect((await harness.request(bad.path, bad.init)).headers.get("access-control-allow-origin")).toBeNull();
  });
});

describe("chat without a stream", () => {
  test("is one JSON body", async () => {
    const harness = createHarness();
    const response = await harness.api("/v1/chat/completions", json(chatBody()));
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    expect(response.headers.get("openai-processing-ms")).toMatch(/^\d+$/);
    expect(await response.json()).toMatchObject({
      object: "chat.completion",
      model: "grok-4",
      choices: [{ message: { content: "Hello there" }, finish_reason: "stop" }],
    });
    expect(harness.records).toMatchObject([{ status: 200, outcome: "finished", model: "grok-4", stream: false }]);
    expect(harness.asked[0]?.context.baseUrl).toBe("http://localhost");
  });

  test.each([
    ["upstream_rate_limited", 429, "3"],
    ["no_available_account", 503, "3"],
    ["upstream_timeout", 504, "3"],
  ] as const)("passes %s on as its status", async (code, status, retryAfter) => {
    const harness = createHarness();
    harness.answer = () => {
      throw new GatewayError(code, "Wait.", { retryAfterMs: 2_100 });
    };
    const response = await harness.api("/v1/chat/completions", json(chatBody({ stream: true })));
    expect(response.status).toBe(status);
    expect(response.headers.get("retry-after")).toBe(retryAfter);
    expect(response.headers.get("retry-after-ms")).toBe("2100");
    expect((await envelope(response)).code).toBe(code);
    expect(harness.server.running).toBe(0);
  });

  test("never tells a caller what broke inside", async () => {
    const harness = createHarness();
    harness.answer = () => {
      throw new Error("a path /home/operator and a token");
    };
    const response = await harness.api("/v1/chat/completions", json(chatBody()));
    expect(response.status).toBe(500);
    expect((await envelope(response)).message).toBe("The gateway hit an internal error.");
    expect(harness.lines.at(-1)).toMatchObject({ level: "error", code: "internal_error" });
    expect(JSON.stringify(harness.lines.at(-1))).toContain("/home/operator");
  });

  test("ends its call when the client leaves", async () => {
    const harness = createHarness();
    const gone = new AbortController();
    harness.answer = ({ context }) =>
      new Promise((_, reject) => {
        context.signal.addEventListener("abort", () => reject(new Error("cut")));
      });
    const pending = harness.api("/v1/chat/completions", { ...json(chatBody()), signal: gone.signal });
    await harness.clock.advance(5);
    gone.abort();
    expect((await pending).status).toBe(499);
    expect(harness.records).toMatchObject([{ status: 499, outcome: "client-closed" }]);
    expect(harness.lines.at(-1)).toMatchObject({ level: "debug", code: "client_closed" });
  });
});

describe("admission", () => {
  test("refuses what is above the limit, and lets in again", async () => {
    const harness = createHarness({ settingsTree: { server: { max_streams: 1 } } });
    const first = await harness.request("/v1/chat/completions", json(chatBody({ stream: true })));
    expect(harness.server.running).toBe(1);
    const second = await harness.request("/v1/chat/completions", json(chatBody()));
    expect(second.status).toBe(503);
    expect(second.headers.get("retry-after")).toBe("1");
    expect((await envelope(second)).code).toBe("server_overloaded");
    expect((await harness.request("/v1/models")).status).toBe(200);
    await first.text();
    await harness.clock.advance(1);
    expect((await harness.request("/v1/chat/completions", json(chatBody()))).status).toBe(200);
  });

  test("ends a whole answer that outlasts the grace time with an honest status", async () => {
    const harness = createHarness();
    harness.answer = async ({ context }) => {
      await new Promise<void>((resolve) => {
        context.signal.addEventListener("abort", () => resolve());
      });
      return fromBatches([[{ type: "failure", error: new GatewayError("client_closed", "cut") }]]);
    };
    const pending = harness.api("/v1/chat/completions", json(chatBody()));
    await harness.clock.advance(1);
    const drained = harness.server.drain(1_000);
    await harness.clock.advance(1_100);
    const response = await pending;
    expect(response.status).toBe(503);
    expect((await envelope(response)).code).toBe("shutting_down");
    await drained;
    const late = await harness.api("/v1/models");
    expect(late.status).toBe(503);
    expect(late.headers.get("connection")).toBe("close");
  });
});

describe("health", () => {
  test("is quiet and has no secret", async () => {
    const harness = createHarness();
    await harness.clock.advance(3_000);
    for (const path of ["/health", "/healthz"]) {
      const response = await harness.request(path);
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({
        status: "ok",
        service: "grok2api",
        version: "9.9.9",
        commit: "abcdef",
        runtime: "bun",
        uptime_s: 3,
      });
    }
    expect(harness.lines.map(({ level }) => level)).toEqual(["debug", "debug"]);
  });

  test("tells what is not ready", async () => {
    const harness = createHarness();
    expect(await (await harness.request("/readyz")).json()).toEqual({
      ready: true,
      components: { storage: "ok", accounts: "ok" },
    });
    harness.components = { storage: "ok", accounts: "no account can serve" };
    const response = await harness.request("/readyz");
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ ready: false, components: { accounts: "no account can serve" } });
  });
});

describe("models", () => {
  test("are listed and retrieved by an encoded id", async () => {
    const harness = createHarness();
    const list = (await (await harness.api("/v1/models")).json()) as { data: { id: string }[] };
    expect(list.data.map(({ id }) => id)).toContain("grok-4");
    expect(await (await harness.api("/v1/models/grok%2D4")).json()).toMatchObject({ id: "grok-4", object: "model" });
    const missing = await harness.api("/v1/models/grok%2F4%20x");
    expect(missing.status).toBe(404);
    const error = await envelope(missing);
    expect(error).toMatchObject({ code: "model_not_found", param: "model" });
    expect(error.message).toContain("grok/4 x");
  });
});

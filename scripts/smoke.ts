// Owns the trial of a deployment from outside: the standard endpoints as a client would call them, one line each.
// Must not know the program; it runs under Bun and under Node from 22.18 on and needs no installed package.
// Invariant: exit code 0 only when nothing failed; what was left out is said.
import { parseArgs } from "node:util";

const usage = `usage: bun scripts/smoke.ts --base-url URL [--api-key KEY] [--model ID] [--image-model ID] [--skip NAME]…
  --base-url     address of the gateway, for instance https://grok.example.com or http://127.0.0.1:8000
  --api-key      the key that callers present; also taken from GROK2API_SMOKE_KEY
  --skip         leave a check out, for instance --skip images, which costs quota of an account
  --timeout      seconds for one check (120)`;

interface Target {
  readonly base: string;
  readonly key: string;
  readonly model: string;
  readonly imageModel: string;
  readonly signal: () => AbortSignal;
}

/** Says what it saw, or throws what is wrong. */
type Check = (target: Target) => Promise<string>;

class Wrong extends Error {}

function demand(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Wrong(otherwise);
}

/** A value out of an answer by its path, without believing its shape. */
function pick(value: unknown, ...path: readonly (string | number)[]): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== "object" || current === null) return undefined;
    current = Object.entries(current).find(([name]) => name === String(step))?.[1];
  }
  return current;
}

interface Ask {
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

async function ask(target: Target, { path, body, headers = {} }: Ask): Promise<Response> {
  const own: Record<string, string> = target.key === "" ? {} : { authorization: `Bearer ${target.key}` };
  const form = body instanceof FormData;
  return fetch(`${target.base}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers:
      body === undefined || form ? { ...own, ...headers } : { ...own, "content-type": "application/json", ...headers },
    body: body === undefined ? null : form ? body : JSON.stringify(body),
    signal: target.signal(),
  });
}

async function askJson(target: Target, request: Ask): Promise<unknown> {
  const answer = await ask(target, request);
  const text = await answer.text();
  demand(answer.status === 200, `status ${answer.status}: ${text.slice(0, 300)}`);
  demand(
    (answer.headers.get("content-type") ?? "").includes("json"),
    `no JSON but ${answer.headers.get("content-type")}`,
  );
  return JSON.parse(text);
}

const messages = [{ role: "user", content: "Answer with the one word: ready" }];

const checks: Readonly<Record<string, Check>> = {
  async health(target) {
    const body = await askJson(target, { path: "/health" });
    demand(pick(body, "status") === "ok", `the status is ${String(pick(body, "status"))}`);
    return `version ${String(pick(body, "version"))}`;
  },

  async readiness(target) {
    const answer = await ask(target, { path: "/readyz" });
    demand(answer.status === 200, `status ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
    return "can serve";
  },

  async "wrong key"(target) {
    demand(target.key !== "", "no key was given; is the API meant to be open to everybody?");
    const answer = await ask({ ...target, key: `${target.key}x` }, { path: "/v1/models" });
    demand(answer.status === 401, `a wrong key gets status ${answer.status} instead of 401`);
    return "is refused";
  },

  async models(target) {
    const body = await askJson(target, { path: "/v1/models" });
    const list = pick(body, "data");
    demand(Array.isArray(list) && list.length > 0, "the list is empty");
    const ids = list.map((model) => String(pick(model, "id")));
    demand(ids.includes(target.model), `${target.model} is not among ${ids.join(", ")}; choose one with --model`);
    return `${ids.length} models`;
  },

  async "unknown model"(target) {
    const answer = await ask(target, { path: "/v1/chat/completions", body: { model: "no-such-model", messages } });
    const body: unknown = await answer.json();
    demand(answer.status === 404, `status ${answer.status} instead of 404`);
    demand(typeof pick(body, "error", "message") === "string", "the error has no message");
    return `is refused: ${String(pick(body, "error", "code"))}`;
  },

  async chat(target) {
    const body = await askJson(target, { path: "/v1/chat/completions", body: { model: target.model, messages } });
    const content = pick(body, "choices", 0, "message", "content");
    demand(typeof content === "string" && content !== "", "the answer has no text");
    demand(pick(body, "object") === "chat.completion", `the object is ${String(pick(body, "object"))}`);
    return quoted(content);
  },

  async "chat stream"(target) {
    const startedMs = performance.now();
    const body = { model: target.model, messages, stream: true };
    const answer = await ask(target, { path: "/v1/chat/completions", body });
    if (answer.status !== 200) throw new Wrong(`status ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
    const kind = answer.headers.get("content-type") ?? "";
    demand(kind.startsWith("text/event-stream"), `the content type is ${kind}`);
    const { text, arrivals } = await readStream(answer);
    const events = text.split("\n").filter((line) => line.startsWith("data: "));
    demand(events.at(-1) === "data: [DONE]", "the stream did not end with [DONE]");
    const chunks = events.slice(0, -1).map((line): unknown => JSON.parse(line.slice(6)));
    const broken = chunks.find((chunk) => pick(chunk, "error") !== undefined);
    demand(broken === undefined, `an error came inside the stream: ${JSON.stringify(broken)}`);
    const pieces = chunks.map((chunk) => pick(chunk, "choices", 0, "delta", "content"));
    const some = pieces.some((piece) => typeof piece === "string" && piece !== "");
    demand(some, "the stream has no text");
    const [first = 0] = arrivals;
    const last = arrivals.at(-1) ?? first;
    const totalMs = last - startedMs;
    // A short answer may well fit into one packet; a slow one that arrives at once was held back on the way.
    const heldBack = totalMs > 3000 && last - first < totalMs / 50;
    demand(!heldBack, "everything arrived at once: something on the way buffers (for nginx: proxy_buffering off)");
    return `first text after ${Math.round(first - startedMs)} ms, all after ${Math.round(totalMs)} ms`;
  },

  async responses(target) {
    const body = await askJson(target, { path: "/v1/responses", body: { model: target.model, input: "Say: ready" } });
    demand(pick(body, "status") === "completed", `the status is ${String(pick(body, "status"))}`);
    return `${String(pick(body, "object"))} ${String(pick(body, "status"))}`;
  },

  async messages(target) {
    const body = await askJson(target, {
      path: "/v1/messages",
      body: { model: target.model, max_tokens: 256, messages },
      headers: { "x-api-key": target.key, "anthropic-version": "2023-06-01" },
    });
    demand(pick(body, "type") === "message", `the type is ${String(pick(body, "type"))}`);
    return `stopped because of ${String(pick(body, "stop_reason"))}`;
  },

  async files(target) {
    const form = new FormData();
    form.set("file", new File([Buffer.from(smallestPng, "base64")], "smoke.png", { type: "image/png" }));
    const body = await askJson(target, { path: "/v1/uploads/image", body: form });
    return followLink(target, String(pick(body, "url")));
  },

  async images(target) {
    const wish = { model: target.imageModel, prompt: "A lighthouse at dusk", n: 1, response_format: "url" };
    const body = await askJson(target, { path: "/v1/images/generations", body: wish });
    return followLink(target, String(pick(body, "data", 0, "url")));
  },
};

const smallestPng = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** A link is good when it opens from here and leads to the address that was tried. */
async function followLink(target: Target, link: string): Promise<string> {
  demand(URL.canParse(link), `the link is ${link}`);
  demand(
    link.startsWith(`${target.base}/`),
    `the link ${link} does not begin with ${target.base}: set app.app_url, or let the proxy send X-Forwarded-Host and -Proto`,
  );
  const answer = await fetch(link, { signal: target.signal() });
  demand(answer.status === 200, `${link} answers with status ${answer.status}`);
  const kind = answer.headers.get("content-type") ?? "";
  demand(kind.startsWith("image/"), `${link} is ${kind}`);
  return `${kind}, ${(await answer.arrayBuffer()).byteLength} bytes`;
}

async function readStream(answer: Response): Promise<{ text: string; arrivals: number[] }> {
  const decoder = new TextDecoder();
  const arrivals: number[] = [];
  let text = "";
  const reader = (answer.body ?? new Blob().stream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += decoder.decode(part.value, { stream: true });
    if (text.includes("data: ")) arrivals.push(performance.now());
  }
  return { text, arrivals };
}

const quoted = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      "base-url": { type: "string" },
      "api-key": { type: "string", default: process.env.GROK2API_SMOKE_KEY ?? "" },
      model: { type: "string", default: "grok-chat-fast" },
      "image-model": { type: "string", default: "grok-imagine-image" },
      skip: { type: "string", multiple: true, default: [] },
      timeout: { type: "string", default: "120" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const given = values["base-url"];
  const unknown = values.skip.filter((name) => !Object.hasOwn(checks, name));
  if (values.help || given === undefined || !URL.canParse(given) || unknown.length > 0) {
    console.log(`${usage}\nchecks: ${Object.keys(checks).join(", ")}`);
    return values.help ? 0 : 2;
  }
  const target: Target = {
    base: given.replace(/\/+$/, "").replace(/\/v1$/, ""),
    key: values["api-key"],
    model: values.model,
    imageModel: values["image-model"],
    signal: () => AbortSignal.timeout(Number(values.timeout) * 1000),
  };
  const counts = { passed: 0, failed: 0, left: 0 };
  for (const [name, check] of Object.entries(checks)) {
    if (values.skip.includes(name)) {
      counts.left++;
      console.log(`left out  ${name}`);
      continue;
    }
    const startedMs = performance.now();
    try {
      const seen = await check(target);
      counts.passed++;
      console.log(`pass      ${name}: ${seen} (${Math.round(performance.now() - startedMs)} ms)`);
    } catch (thrown) {
      counts.failed++;
      console.log(`FAIL      ${name}: ${reasonOf(thrown, target)}`);
    }
  }
  console.log(`${counts.passed} passed, ${counts.failed} failed${counts.left > 0 ? `, ${counts.left} left out` : ""}`);
  return counts.failed === 0 ? 0 : 1;
}

function reasonOf(thrown: unknown, { base, key }: Target): string {
  if (thrown instanceof Wrong) return key === "" ? thrown.message : thrown.message.replaceAll(key, "***");
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return `no usable answer from ${base}: ${message}`;
}

process.exitCode = await main();

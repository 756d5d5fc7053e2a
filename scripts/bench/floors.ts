// The reference gateways that the real one is divided by, each in its own process:
//   bun floors.ts <static|writes|pass-fetch|pass-wreq|pass-xai|naive-fetch|naive-wreq> <upstream base URL>
// A pass-* variant hands the upstream's body through untouched (nothing can cost less); a naive-* one is what Hono's streamSSE
// and a JSON.stringify a token give; pass-xai asks the official API over fetch. None of them cancels, retries or knows accounts. Invariant: they never import the product.
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { parseJson } from "./json.ts";
import { tokenText } from "./wire.mjs";
import { XAI_BASE } from "./wire-xai.ts";

interface ChatRequest {
  messages?: { content?: string }[];
}
interface UpstreamLine {
  result?: { response?: { token?: string } };
}
type Upstream = (body: string) => Promise<{ status: number; body: ReadableStream<Uint8Array> | null }>;

const CHAT_PATH = "/rest/app-chat/conversations/new";
// One wreq transport is one HTTP/2 connection of at most 100 streams.
const TRANSPORTS = 8;

const [variant = "", base = ""] = process.argv.slice(2);
const server = Bun.serve({ hostname: "127.0.0.1", port: 0, idleTimeout: 255, fetch: await handlerFor(variant) });
console.log(`READY ${JSON.stringify({ port: server.port, control: server.port, clock: "own" })}`);

async function handlerFor(name: string): Promise<(request: Request) => Response | Promise<Response>> {
  if (name === "static") return staticHandler();
  if (name === "writes") return writesHandler();
  if (name === "pass-xai") return passHandler(fetchUpstream(`${XAI_BASE}/responses`), "text/event-stream");
  const upstream = name.endsWith("wreq") ? await wreqUpstream() : fetchUpstream(CHAT_PATH);
  if (name.startsWith("pass-")) return passHandler(upstream, "application/json");
  if (name.startsWith("naive-")) return naiveHandler(upstream);
  throw new Error(`unknown floor ${name}`);
}

function fetchUpstream(path: string): Upstream {
  const url = base + path;
  const headers = { "content-type": "application/json" };
  // Bun's fetch takes `protocol` and `tls` beside the standard options.
  const extra = base.startsWith("https:") ? { protocol: "http2", tls: { rejectUnauthorized: false } } : {};
  return (body) => fetch(url, { method: "POST", headers, body, ...extra });
}

async function wreqUpstream(): Promise<Upstream> {
  const wreq = await import("wreq-js");
  const transports = await Promise.all(
    Array.from({ length: TRANSPORTS }, () =>
      wreq.createTransport({ browser: "chrome_136", insecure: true, trustStore: "mozilla" }),
    ),
  );
  const url = base + CHAT_PATH;
  const headers = { "content-type": "application/json" };
  let next = 0;
  return async (body) => {
    const transport = transports[next++ % TRANSPORTS];
    const answer = await wreq.fetch(url, {
      method: "POST",
      headers,
      body,
      timeout: 0,
      ...(transport ? { transport } : {}),
    });
    // The library types its body as node's web stream, which is the same class at run time.
    return { status: answer.status, body: answer.body as unknown as ReadableStream<Uint8Array> | null };
  };
}

function passHandler(upstream: Upstream, contentType: string) {
  return async (request: Request) => {
    const answer = await upstream(await request.text());
    return new Response(answer.body, { status: answer.status, headers: { "content-type": contentType } });
  };
}

function sseFrame(text: string): string {
  return `data: ${JSON.stringify(chunkObject(text))}\n\n`;
}

function chunkObject(text: string) {
  return {
    id: "chatcmpl-5a0c1e9e7d3b4c7e9b1f2f6a8d4e0b11",
    object: "chat.completion.chunk",
    created: 1772956652,
    model: "grok-4",
    system_fingerprint: null,
    choices: [{ index: 0, delta: { content: text }, logprobs: null, finish_reason: null }],
  };
}

function staticHandler() {
  let page = "";
  for (let index = 0; index < 200; index++) page += sseFrame(tokenText(index));
  const bytes = new TextEncoder().encode(`${page}data: [DONE]\n\n`);
  return async (request: Request) => {
    await request.text();
    return new Response(bytes, { headers: { "content-type": "text/event-stream" } });
  };
}

function writesHandler() {
  const encoder = new TextEncoder();
  return async (request: Request) => {
    await request.text();
    let index = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (index < 200) controller.enqueue(encoder.encode(sseFrame(tokenText(index++))));
        else {
          controller.enqueue(encoder.encode("data: [DONE]\n\n"));
          controller.close();
        }
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
}

function naiveHandler(upstream: Upstream) {
  const app = new Hono();
  app.post("/v1/chat/completions", async (context) => {
    const request = parseJson<ChatRequest>(await context.req.text());
    const answer = await upstream(
      JSON.stringify({ message: request.messages?.at(-1)?.content, modelName: "grok-4", temporary: true }),
    );
    return streamSSE(context, async (sse) => {
      const decoder = new TextDecoder();
      let rest = "";
      for await (const bytes of answer.body ?? []) {
        rest += decoder.decode(bytes, { stream: true });
        const lines = rest.split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          const token = line ? parseJson<UpstreamLine>(line).result?.response?.token : "";
          if (token) await sse.writeSSE({ data: JSON.stringify(chunkObject(token)) });
        }
      }
      await sse.writeSSE({ data: "[DONE]" });
    });
  });
  return (request: Request) => app.fetch(request);
}

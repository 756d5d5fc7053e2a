// The shape of one call of the simulated xAI API, and what every handler does with it.
// Knows no route. Invariant: whoever answers says so through these functions, so that headers are the same everywhere.
import type { JournalEntry, OpenCall } from "../journal.ts";
import { pause, randomHex, randomUuid } from "../chance.ts";
import type { Words } from "../scenarios.ts";
import type { World } from "../world.ts";
import type { XaiKey } from "./keys.ts";
import { refusalByXaiWord, refusalOfGeneration } from "./refusals.ts";
import type { XaiRefusal } from "./refusals.ts";

export interface XaiCall {
  world: World;
  request: Request;
  url: URL;
  params: Record<string, string>;
  key: XaiKey;
  /** Parsed JSON body; undefined when there is none. */
  body: unknown;
  entry: JournalEntry;
}

export type XaiHandler = (call: XaiCall) => Response | XaiRefusal | Promise<Response | XaiRefusal>;

export function isRefusal(value: object): value is XaiRefusal {
  return !(value instanceof Response) && "status" in value && "body" in value;
}

export function answered(value: unknown, init: { status?: number; headers?: Record<string, string> } = {}): Response {
  return new Response(JSON.stringify(value), {
    status: init.status ?? 200,
    headers: { "content-type": "application/json", server: "cloudflare", ...init.headers },
  });
}

/** What a generation's answer says about limits, times and retention. */
export function generationHeaders(key: XaiKey): Record<string, string> {
  const zdr: Record<string, string> =
    key.kind === "zdr" ? { "x-data-retention": "zdr", "x-zero-data-retention": "true" } : {};
  return {
    "x-request-id": randomUuid(),
    traceparent: `00-${randomHex(32)}-${randomHex(16)}-01`,
    "x-ratelimit-limit-requests": "9000",
    "x-ratelimit-remaining-requests": "8999",
    "x-ratelimit-limit-tokens": "50000000",
    "x-ratelimit-remaining-tokens": "49990000",
    "x-metrics-ttft-ms": "120",
    "cf-ray": `${randomHex(16)}-SIM`,
    ...zdr,
  };
}

/** The key's temper, then the words: what refuses a well-formed generation. */
export function refusedGeneration({ key }: XaiCall, words: Words, model: string): XaiRefusal | undefined {
  return refusalOfGeneration(key, model) ?? refusalByXaiWord(words, key, model);
}

/** For words that hold back even the headers; resolves when the client has left. */
export async function hangHeaders({ request }: XaiCall, open: OpenCall): Promise<Response> {
  await pause(Number.POSITIVE_INFINITY, request.signal);
  open.close("aborted");
  return new Response(null, { status: 499 });
}

// Tries one account with a body like those of real calls, by capability: a conversation, a stream, a picture, an attachment.
// Touches this account alone. Invariant: what comes back is what the upstream said, and the account's state learns from it
// as from any call, except that a green test brings an expired account back.
import type { Account } from "../accounts/account.ts";
import { isApiKey } from "../accounts/api-keys.ts";
import type { Pool } from "../accounts/pool.ts";
import type { QuotaKind } from "../core/quota.ts";
import { asGatewayError, GatewayError } from "../core/errors.ts";
import type { GenerationEvent, GenerationStream } from "../core/events.ts";
import { findModel, modeFor, tierServes, type Model, type WebModel, type XaiModel } from "../core/models.ts";
import type { GenerationRequest, UploadFile } from "../core/request.ts";
import { unixSeconds, type Clock } from "../lib/clock.ts";
import { hexId } from "../lib/ids.ts";
import type { Log } from "../lib/log.ts";
import type { MediaProvider, Provider } from "../providers/port.ts";
import { invalid } from "./account-checks.ts";
import { createAccountRefs } from "./account-refs.ts";

export const CAPABILITIES = ["chat", "stream", "image", "upload"] as const;
export type Capability = (typeof CAPABILITIES)[number];

export interface AccountTestRequest {
  /** Id or token. */
  readonly ref: string;
  readonly capability: Capability;
  /** One that has the capability; otherwise the cheapest. */
  readonly model?: string;
  readonly signal: AbortSignal;
}

export interface AccountTestReport {
  readonly ok: boolean;
  readonly id: string;
  readonly capability: Capability;
  readonly model: string;
  readonly mode: string;
  readonly latency_ms: number;
  /** Until the first visible event; null when there was none. */
  readonly first_byte_ms: number | null;
  /** The beginning of the answer. */
  readonly text: string | null;
  readonly images: number;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly upstream_status: number | null;
    readonly upstream_code: string | null;
    readonly upstream_text: string | null;
  } | null;
  /** What real calls said last, before this one. */
  readonly last_failure: { readonly at: number; readonly code: string | null; readonly reason: string | null } | null;
  readonly status_before: Account["status"];
  readonly status: Account["status"];
}

export interface AccountTest {
  run(request: AccountTestRequest): Promise<AccountTestReport>;
}

export interface AccountTestDeps {
  readonly pool: Pool;
  readonly provider: Pick<Provider, "generate"> & Pick<MediaProvider, "images">;
  /** What a key of the official API may use. */
  readonly keyModels: (accountId: string) => readonly XaiModel[];
  readonly clock: Clock;
  readonly log: Log;
  readonly timeoutMs: () => number;
}

const MODEL_FOR: Record<Capability, string> = {
  chat: "grok-4-fast",
  stream: "grok-4-fast",
  upload: "grok-4-fast",
  image: "grok-imagine-image",
};
const TEXT_SHOWN = 200;

/** A grey square of 16 × 16. */
const PICTURE = "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAAAAAA6mKC9AAAADklEQVR4nGNoQAMMQ0oAAPAuIAHXT8rGAAAAAElFTkSuQmCC";

const text = (words: string) => [{ type: "text" as const, text: words }];

/** Long enough and with enough turns that a fault of real conversations shows. */
const conversation = (model: string, capability: Capability): GenerationRequest => ({
  model,
  stream: capability === "stream",
  messages: [
    { role: "system", content: text("You are a terse assistant. Answer in plain text, without Markdown.") },
    { role: "user", content: text("List the planets of the solar system in order, one a line.") },
    { role: "assistant", content: text("Mercury\nVenus\nEarth\nMars\nJupiter\nSaturn\nUranus\nNeptune") },
    { role: "user", content: text("Which of them have rings? Explain in two sentences at most.") },
    { role: "assistant", content: text("Jupiter, Saturn, Uranus and Neptune. Those of Saturn are the brightest.") },
    {
      role: "user",
      content: text(
        capability === "upload"
          ? "What colour is the attached picture? Answer with one word."
          : "Name the planet with the brightest rings. Answer with one word.",
      ),
    },
  ],
});

/** Unknown prices last. */
const byPrice = (one: XaiModel, other: XaiModel): number => {
  const price = ({ xai }: XaiModel) => xai.prices?.output ?? xai.imagePrice ?? Number.POSITIVE_INFINITY;
  return price(one) === price(other) ? 0 : price(one) - price(other);
};

interface Seen {
  firstMs: number | null;
  text: string;
  images: number;
  failure: GatewayError | null;
  finished: boolean;
}

export const createAccountTest = (deps: AccountTestDeps): AccountTest => {
  const { pool, provider, clock, log } = deps;
  const refs = createAccountRefs(pool);

  /** The one that is named, or the one whose answers cost least. */
  const keyModelFor = ({ capability, model: wanted }: AccountTestRequest, account: Account): XaiModel => {
    const kind = capability === "image" ? "image" : "chat";
    const able = deps.keyModels(account.id).filter((model) => model.kind === kind);
    const found = wanted === undefined ? able.toSorted(byPrice)[0] : able.find(({ id }) => id === wanted);
    if (found) return found;
    throw new GatewayError("model_not_found", "The key lists no such model; refresh it to ask again.", {
      param: "model",
    });
  };

  const webModelFor = ({ capability, model: wanted }: AccountTestRequest, account: Account): WebModel => {
    const found = findModel(wanted ?? MODEL_FOR[capability]);
    if (!found) throw new GatewayError("model_not_found", `There is no model '${wanted}'.`, { param: "model" });
    if ((found.kind === "image") !== (capability === "image") || (found.kind !== "chat" && found.kind !== "image")) {
      throw invalid("model", `The model '${found.id}' does not have the capability '${capability}'.`);
    }
    if (!tierServes(account.tier, found.tier)) {
      throw invalid("model", `The model '${found.id}' needs an account of the tier ${found.tier} or higher.`);
    }
    return found;
  };

  /** The account's place for a call, so that the test is counted; without one when the account rests or is off. */
  const placeOf = (account: Account, model: Model) => {
    const lease = pool.acquire({ model, exclude: new Set(), only: account.id });
    if (lease) return lease;
    const credential = pool.credential(account.id);
    if (!credential) throw new GatewayError("not_found", "There is no such account.", { param: "token" });
    const mode = model.upstream === "web" ? modeFor(model, account.tier) : ("api" as const);
    const window: QuotaKind | null = mode === "api" ? null : mode;
    return {
      credential,
      mode,
      learn: ({ userId }: { userId?: string }) => {
        if (userId !== undefined) pool.signal(account.id, { type: "learned", userId });
      },
      // What a resting account answers counts like any other answer.
      report: (outcome: { kind: "served" } | { kind: "failed"; error: GatewayError } | { kind: "client-closed" }) => {
        if (outcome.kind !== "failed") return;
        pool.signal(account.id, { type: "failed", error: outcome.error, mode: window, model: model.id });
      },
    };
  };

  const watch = async (stream: GenerationStream, startedMs: number): Promise<Seen> => {
    const seen: Seen = { firstMs: null, text: "", images: 0, failure: null, finished: false };
    for await (const batch of stream) for (const event of batch) note(seen, event, clock.monotonic() - startedMs);
    return seen;
  };

  const call = (
    place: ReturnType<typeof placeOf>,
    about: { request: AccountTestRequest; model: Model; signal: AbortSignal },
  ) => {
    const { model, signal, request } = about;
    const shared = {
      ...{ credential: place.credential, signal, log, learn: place.learn, model },
      ...{ id: hexId("test-"), created: unixSeconds(clock) },
    };
    if (request.capability === "image") {
      const task = { prompt: "A plain grey circle on white", count: 1, ratio: null, previews: 0, adult: false };
      return provider.images(task, { ...shared, files: [] });
    }
    const files: UploadFile[] =
      request.capability === "upload"
        ? [{ name: "square.png", mime: "image/png", content: new Blob([Buffer.from(PICTURE, "base64")]) }]
        : [];
    return provider.generate(conversation(model.id, request.capability), { ...shared, files });
  };

  return {
    async run(request) {
      const account = refs.account(request.ref);
      const model = isApiKey(account) ? keyModelFor(request, account) : webModelFor(request, account);
      const place = placeOf(account, model);
      const limit = new AbortController();
      const seconds = Math.round(deps.timeoutMs() / 1000);
      const timer = setTimeout(
        () => limit.abort(new GatewayError("upstream_timeout", `The test took longer than ${seconds} s.`)),
        deps.timeoutMs(),
      );
      const signal = AbortSignal.any([request.signal, limit.signal]);
      const startedMs = clock.monotonic();
      const seen = await watch(call(place, { request, model, signal }), startedMs).catch((thrown: unknown): Seen => ({
        ...{ firstMs: null, text: "", images: 0 },
        failure: asGatewayError(thrown),
        finished: false,
      }));
      clearTimeout(timer);
      const error = seen.failure ?? missing(seen, request.capability);
      if (error?.code === "client_closed") place.report({ kind: "client-closed" });
      else place.report(error ? { kind: "failed", error } : { kind: "served" });
      if (!error && account.status === "expired") await pool.enable([account.id]);
      const { status = account.status } = pool.get(account.id) ?? {};
      log.info("an account was tested by an administrator", {
        account: account.id,
        capability: request.capability,
        code: error?.code ?? "ok",
      });
      return {
        ...{ ok: error === null, id: account.id, capability: request.capability, model: model.id, mode: place.mode },
        ...{ latency_ms: Math.round(clock.monotonic() - startedMs), first_byte_ms: seen.firstMs },
        ...{ text: seen.text === "" ? null : seen.text.slice(0, TEXT_SHOWN), images: seen.images },
        error: error && shownError(error),
        last_failure: lastFailure(account),
        status_before: account.status,
        status,
      };
    },
  };
};

const note = (seen: Seen, event: GenerationEvent, elapsedMs: number): void => {
  if (event.type === "text-delta") seen.text += event.text;
  else if (event.type === "image" && !event.partial) seen.images++;
  else if (event.type === "failure") seen.failure = event.error;
  else if (event.type === "finish") seen.finished = true;
  else return;
  if (event.type === "text-delta" || event.type === "image") seen.firstMs ??= Math.round(elapsedMs);
};

/** An answer that ended well but without what was asked for. */
const missing = (seen: Seen, capability: Capability): GatewayError | null => {
  if (!seen.finished) return new GatewayError("upstream_cut", "The upstream's answer ended early.");
  if (capability === "image" ? seen.images > 0 : seen.text !== "") return null;
  return new GatewayError("upstream_empty", "The upstream ended its answer without any content.");
};

const shownError = ({ code, message, detail: { upstream } }: GatewayError): AccountTestReport["error"] => ({
  code,
  message,
  upstream_status: upstream?.status ?? null,
  upstream_code: upstream?.code ?? null,
  upstream_text: upstream?.text ?? null,
});

const lastFailure = (account: Account): AccountTestReport["last_failure"] =>
  account.last_fail_at === null
    ? null
    : { at: account.last_fail_at, code: account.last_fail_code, reason: account.last_fail_reason };

// Calls to the official API with one key: addresses, headers, the way out, limits and the reading of errors.
// Knows no chat and no picture; those files say what to ask. Invariant: the key goes to the API itself and to no other host, nor
// along with a download.
import type { Config } from "../../config/schema.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { parseObject, type JsonObject } from "../../lib/json.ts";
import type { Limit } from "../body-guard.ts";
import type { FetchedMedia, ProviderCall } from "../port.ts";
import {
  LiveRefused,
  type Egress,
  type Header,
  type LiveSocket,
  type UpstreamHttp,
  type UpstreamResponse,
} from "../upstream-port.ts";
import { classifyAnswer, isErrorBody } from "./failures.ts";

/** Error bodies are short. */
const ERROR_BODY_LIMIT = 64 * 1024;
/** Pictures may come inline, ten to an answer. */
const ANSWER_LIMIT = 256 * 1024 * 1024;

export interface XaiRequest {
  readonly method?: "GET" | "POST" | "DELETE";
  /** Below the API's base address: `/responses`. */
  readonly path: string;
  readonly body?: object;
  /** A form instead of a body in JSON. */
  readonly form?: FormData;
  /** Sent as x-grok-conv-id: keeps a conversation near its prompt cache. */
  readonly conversation?: string | undefined;
}

/** A 2xx answer; `body` is null where it has none, as while a clip is in the making (202). */
export interface XaiReply {
  readonly status: number;
  readonly body: JsonObject | null;
}

export interface XaiClient {
  /** The answer in one piece. Throws GatewayError. */
  ask(call: ProviderCall, request: XaiRequest): Promise<XaiReply>;
  /** The same where only a JSON object will do. */
  json(call: ProviderCall, request: XaiRequest): Promise<JsonObject>;
  /** An open stream of events. Throws GatewayError, also for a 200 that holds an error instead of a stream. */
  stream(call: ProviderCall, request: XaiRequest): Promise<UpstreamResponse>;
  /** An answer that is no JSON, such as sound, unread. Throws GatewayError. */
  open(call: ProviderCall, request: XaiRequest): Promise<UpstreamResponse>;
  /** An open socket. Throws GatewayError. */
  connect(call: ProviderCall, path: string): Promise<LiveSocket>;
  /** A finished picture or clip, unread. Throws GatewayError. */
  openFile(call: ProviderCall, url: string): Promise<UpstreamResponse>;
  download(call: ProviderCall, about: { url: string; maxBytes: number }): Promise<FetchedMedia>;
  /** New connections from now on. */
  reset(): void;
}

export const createXaiClient = (deps: { http: UpstreamHttp; config: () => Config; clock: Clock }): XaiClient => {
  const { http, config, clock } = deps;

  const egress = (): Egress => ({
    client: "fetch",
    proxy: config().xai.proxy_url || null,
    browser: "",
    insecure: false,
  });
  const base = () => config().xai.base_url.replace(/\/+$/, "");
  const limit = (name: "first_byte_timeout" | "stream_timeout" | "timeout"): Limit => ({
    ms: config().xai[name] * 1000,
    setting: `xai.${name}`,
  });

  /** Says in the log what only we can have done wrong; callers and accounts have no part in it. */
  const told = (error: GatewayError, call: ProviderCall, path: string): GatewayError => {
    if (error.code === "internal_error") {
      call.log.error("the official API cannot take our request", { path, ...error.detail.upstream });
    }
    return error;
  };
  const refusal = (response: UpstreamResponse, body: string): GatewayError =>
    classifyAnswer({ status: response.status, body, retryAfter: response.header("retry-after"), now: clock.now() });

  const send = async (
    call: ProviderCall,
    request: XaiRequest,
    limits: { firstByte: Limit; idle: Limit },
  ): Promise<UpstreamResponse> => {
    const body = request.form ?? (request.body ? JSON.stringify(request.body) : undefined);
    const headers: Header[] = [["authorization", `Bearer ${call.credential.token}`]];
    // A form names its own boundary.
    if (request.body && !request.form) headers.push(["content-type", "application/json"]);
    if (request.conversation) headers.push(["x-grok-conv-id", request.conversation]);
    const response = await http.request({
      method: request.method ?? "POST",
      url: `${base()}${request.path}`,
      headers,
      ...(body === undefined ? {} : { body }),
      egress: egress(),
      signal: call.signal,
      ...limits,
    });
    if (response.status >= 200 && response.status <= 299) return response;
    const words = await response.text(ERROR_BODY_LIMIT).catch(() => "");
    throw told(refusal(response, words), call, request.path);
  };

  const ask: XaiClient["ask"] = async (call, request) => {
    const response = await send(call, request, { firstByte: limit("timeout"), idle: limit("timeout") });
    const text = await response.text(ANSWER_LIMIT);
    if (text.trim() === "") return { status: response.status, body: null };
    const body = parseObject(text);
    if (!body) throw new GatewayError("upstream_malformed", "The upstream's answer is not a JSON object.");
    if (isErrorBody(body)) throw told(refusal(response, text), call, request.path);
    return { status: response.status, body };
  };

  const json: XaiClient["json"] = async (call, request) => {
    const { body } = await ask(call, request);
    if (!body) throw new GatewayError("upstream_malformed", "The upstream's answer is empty.");
    return body;
  };

  const stream: XaiClient["stream"] = async (call, request) => {
    const limits = { firstByte: limit("first_byte_timeout"), idle: limit("stream_timeout") };
    const response = await send(call, request, limits);
    const type = response.header("content-type") ?? "";
    if (!/json|html/i.test(type)) return response;
    const body = await response.text(ERROR_BODY_LIMIT);
    const parsed = parseObject(body);
    if (parsed && isErrorBody(parsed)) throw told(refusal(response, body), call, request.path);
    throw new GatewayError("upstream_malformed", "The upstream answered something else than a stream of events.", {
      upstream: { status: response.status },
    });
  };

  const openSocket: XaiClient["connect"] = async (call, path) => {
    try {
      return await http.live({
        url: `${base().replace(/^http/, "ws")}${path}`,
        headers: [["authorization", `Bearer ${call.credential.token}`]],
        egress: egress(),
        signal: call.signal,
        handshake: limit("timeout"),
      });
    } catch (thrown) {
      if (!(thrown instanceof LiveRefused)) throw thrown;
      const { status, body, retryAfter } = thrown;
      throw told(classifyAnswer({ status, body, retryAfter, now: clock.now() }), call, path);
    }
  };

  /** Finished files lie open for a while, so their hosts get no key; and only hosts that are known are asked. */
  const isTrusted = (target: URL): boolean => {
    const own = new URL(base());
    const isPlain = target.protocol === "http:" && own.protocol === "http:";
    const isKnown = target.host === own.host || config().xai.media_hosts.includes(target.host);
    return isKnown && (target.protocol === "https:" || isPlain);
  };

  const openFile: XaiClient["openFile"] = async (call, url) => {
    const { asset } = config();
    const target = URL.parse(url);
    if (!target || !isTrusted(target)) {
      throw new GatewayError(
        "upstream_malformed",
        "The upstream linked a file at an address that is neither its own host's nor one of xai.media_hosts.",
      );
    }
    const wait: Limit = { ms: asset.download_timeout * 1000, setting: "asset.download_timeout" };
    const response = await http.request({
      method: "GET",
      url,
      headers: [],
      egress: egress(),
      signal: call.signal,
      firstByte: wait,
      idle: wait,
    });
    if (response.status === 200) return response;
    const { status } = response;
    response.body.cancel();
    // Such a link is good for a while and for anybody: a refusal says nothing about the key.
    throw new GatewayError("upstream_error", `The upstream's file could not be fetched (${status}).`, {
      upstream: { status },
    });
  };

  return {
    ask,
    json,
    stream,
    open: (call, request) => send(call, request, { firstByte: limit("timeout"), idle: limit("timeout") }),
    connect: openSocket,
    openFile,
    async download(call, { url, maxBytes }) {
      const response = await openFile(call, url);
      const bytes = await response.bytes(maxBytes + 1);
      if (bytes.byteLength > maxBytes) {
        throw new GatewayError(
          "upstream_malformed",
          "The upstream's file is larger than asset.max_download_mb allows.",
        );
      }
      return { bytes, mime: response.header("content-type") ?? "application/octet-stream" };
    },
    reset: () => http.reset(egress()),
  };
};

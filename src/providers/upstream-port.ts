// What providers ask of the network: requests, sockets, the way out and the limits. Types and one error; no client.
import type { Frame, SocketEnd } from "../core/speech.ts";
import type { ByteReader, Limit } from "./body-guard.ts";

export type Header = readonly [name: string, value: string];

/** The way out: which proxy, which browser to look like. */
export interface Egress {
  readonly client: "wreq" | "fetch";
  readonly proxy: string | null;
  readonly browser: string;
  /** Accept any upstream certificate. */
  readonly insecure: boolean;
}

export interface UpstreamRequest {
  readonly method: "GET" | "POST" | "DELETE" | "PUT";
  readonly url: string;
  readonly headers: readonly Header[];
  readonly body?: string | FormData | Uint8Array<ArrayBuffer>;
  readonly egress: Egress;
  readonly signal: AbortSignal;
  /** Until the response headers. */
  readonly firstByte: Limit;
  /** Between two chunks of the body. */
  readonly idle: Limit;
}

export interface UpstreamResponse {
  readonly status: number;
  header(name: string): string | null;
  readonly setCookies: readonly string[];
  /** The body in chunks; must be read to the end or cancelled. */
  readonly body: ByteReader;
  /** The whole body, at most `maxBytes`; the rest is cut off and cancelled. */
  bytes(maxBytes: number): Promise<Uint8Array<ArrayBuffer>>;
  text(maxBytes: number): Promise<string>;
}

export interface SocketRequest {
  readonly url: string;
  readonly headers: readonly Header[];
  readonly egress: Egress;
  readonly signal: AbortSignal;
  readonly handshake: Limit;
  readonly idle: Limit;
}

export interface UpstreamSocket {
  send(text: string): void;
  /** The next text frame, or null once the peer has closed. Rejects on abort and on silence. */
  read(): Promise<string | null>;
  /** Frames that have arrived already, without waiting. */
  drain(): string[];
  close(): void;
}

export type LiveRequest = Omit<SocketRequest, "idle">;

/** A socket whose frames are passed on in both directions, at the pace of whoever reads. */
export interface LiveSocket {
  /** The next frame, or null once the connection is gone. While nobody reads, the peer is slowed down. */
  read(): Promise<Frame | null>;
  /** False when the peer is so slow that the frame was not taken. */
  send(frame: Frame): boolean;
  close(end: SocketEnd): void;
  readonly ended: Promise<SocketEnd>;
}

/** An upgrade that was answered with something else. */
export class LiveRefused extends Error {
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | null;
  constructor(answer: { status: number; body: string; retryAfter: string | null }) {
    super(`the WebSocket upgrade was answered with status ${answer.status}`);
    this.status = answer.status;
    this.body = answer.body;
    this.retryAfter = answer.retryAfter;
  }
}

/** A refused upgrade: the client tells the status but not the body. */
export class UpgradeRefused extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`the WebSocket upgrade was answered with status ${status}`);
    this.status = status;
  }
}

export interface UpstreamHttp {
  request(request: UpstreamRequest): Promise<UpstreamResponse>;
  connect(request: SocketRequest): Promise<UpstreamSocket>;
  /** By Bun's own client, for hosts that do not look at browsers. Rejects with LiveRefused or GatewayError. */
  live(request: LiveRequest): Promise<LiveSocket>;
  /** Loads the browser-like client ahead of the first request; rejects when `browser` is no known profile. */
  warmUp(egress: Egress): Promise<void>;
  /** Drops the connections of an egress, so that the next request opens new ones. */
  reset(egress: Egress): void;
  readonly open: number;
  close(): Promise<void>;
}

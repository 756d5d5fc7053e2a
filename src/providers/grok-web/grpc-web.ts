// The framing of gRPC-web as the site uses it: one message in a frame, the verdict in trailers or in headers. Pure.
// Knows no call. Invariant: no verdict at all beside HTTP 200 means success, as the site's own client takes it (2026-08).
import type { Header } from "../upstream-port.ts";

export const GRPC_CONTENT_TYPE = "application/grpc-web+proto";
export const GRPC_HEADERS: readonly Header[] = [
  ["x-grpc-web", "1"],
  ["x-user-agent", "connect-es/2.1.1"],
];

const HEAD = 5;
const TRAILERS = 0x80;

/** One flag byte, four bytes of length, the message. */
export const frameOf = (message: readonly number[]): Uint8Array<ArrayBuffer> => {
  const frame = new Uint8Array(HEAD + message.length);
  new DataView(frame.buffer).setUint32(1, message.length);
  frame.set(message, HEAD);
  return frame;
};

export interface GrpcVerdict {
  readonly status: number;
  readonly message: string;
}

export interface GrpcAnswer {
  readonly contentType: string | null;
  header(name: string): string | null;
  readonly body: Uint8Array<ArrayBuffer>;
}

export const readVerdict = (answer: GrpcAnswer): GrpcVerdict => {
  const inHeaders = answer.header("grpc-status");
  if (inHeaders !== null) return verdict(inHeaders, answer.header("grpc-message"));
  const trailers = trailersOf(bytesOf(answer));
  const status = trailers.get("grpc-status");
  return status === undefined ? { status: 0, message: "" } : verdict(status, trailers.get("grpc-message"));
};

const UNKNOWN_STATUS = 2;

const verdict = (status: string, message: string | null | undefined): GrpcVerdict => {
  const code = /^\d{1,3}$/.test(status.trim()) ? Number(status) : UNKNOWN_STATUS;
  return { status: code, message: plain(message?.trim() ?? "") };
};

/** The message is percent-encoded; one that is not well-formed is shown as it came. */
const plain = (message: string): string => {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
};

/** The text variant is the same in base64. */
const bytesOf = ({ contentType, body }: GrpcAnswer): Uint8Array<ArrayBuffer> =>
  contentType?.startsWith("application/grpc-web-text")
    ? new Uint8Array(Buffer.from(new TextDecoder().decode(body), "base64"))
    : body;

const trailersOf = (bytes: Uint8Array<ArrayBuffer>): Map<string, string> => {
  const found = new Map<string, string>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + HEAD <= bytes.length;) {
    const flag = view.getUint8(at);
    const end = at + HEAD + view.getUint32(at + 1);
    if (flag >= TRAILERS) {
      for (const line of new TextDecoder().decode(bytes.subarray(at + HEAD, end)).split("\r\n")) {
        const colon = line.indexOf(":");
        if (colon > 0) found.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
      }
    }
    at = end;
  }
  return found;
};

/** gRPC's codes as the HTTP statuses that mean the same. */
const HTTP_STATUS: Readonly<Record<number, number>> = { 0: 200, 4: 504, 7: 403, 8: 429, 14: 503, 16: 401 };

export const httpStatusOf = ({ status }: GrpcVerdict): number => HTTP_STATUS[status] ?? 502;

// The few words of a conversation in speech that are ours: what a client is told before it is shown out, and the short-lived
// secrets with which a browser connects. Everything else passes as it comes. Knows no socket.
import type { GatewayError } from "../../core/errors.ts";
import { hexId } from "../../lib/ids.ts";
import type { JsonObject } from "../../lib/json.ts";
import { toOpenAiError } from "../errors.ts";
import { given, objectValue, refuse } from "./field.ts";
import { wholeNumber } from "./media-fields.ts";

/** An error as an event of the conversation. */
export const realtimeError = (error: GatewayError): object => {
  const { message, type, param, code } = toOpenAiError(error).body.error;
  return { type: "error", event_id: hexId("event_"), error: { type, code, message, param, event_id: null } };
};

export interface SecretRequest {
  readonly seconds: number;
  /** Null leaves the choice to whoever connects. */
  readonly model: string | null;
}

const LIFE = { min: 10, max: 7200, fallback: 600 } as const;

/** POST /v1/realtime/client_secrets, as OpenAI's and xAI's clients write it. */
export const parseSecretRequest = (body: JsonObject): SecretRequest => {
  const objectAt = (key: string): JsonObject => {
    const value = given(body, key);
    return value === undefined ? {} : objectValue(value, { code: "invalid_value", param: key });
  };
  const place = { code: "invalid_value", param: "expires_after.seconds" } as const;
  const seconds = wholeNumber(given(objectAt("expires_after"), "seconds"), { ...place, ...LIFE });
  const session = objectAt("session");
  const other = Object.keys(session).find((key) => key !== "model" && key !== "type");
  if (other !== undefined) {
    const param = `session.${other}`;
    refuse({ code: "unsupported_parameter", param }, `Send '${other}' in a session.update once the socket is open.`);
  }
  const model = given(session, "model");
  if (model !== undefined && typeof model !== "string") {
    return refuse({ code: "invalid_value", param: "session.model" }, "'session.model' must be a string.");
  }
  return { seconds, model: model ?? null };
};

export const secretBody = (about: { value: string; expiresMs: number; model: string | null }): object => ({
  value: about.value,
  expires_at: Math.floor(about.expiresMs / 1000),
  session: { type: "realtime", ...(about.model === null ? {} : { model: about.model }) },
});

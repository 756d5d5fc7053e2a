// What an operator may set about an account on the site: the terms, the birth date, the adult-content switch.
// Says exactly what it is told; makes nothing up and calls nothing by itself. Facts of 2026-08.
import type { Config } from "../../config/schema.ts";
import { GatewayError } from "../../core/errors.ts";
import type { AccountSettings, BirthDateOutcome, ProviderCall } from "../port.ts";
import type { GrokClient } from "./client.ts";
import { classifyAnswer } from "./failures.ts";
import { frameOf, httpStatusOf, readVerdict, type GrpcVerdict } from "./grpc-web.ts";

const ANSWER_LIMIT = 64 * 1024;

/** Version of the terms that the site's own client names. */
const TERMS_VERSION = 5;
/** Field 2, the number 1. */
const ACCEPT_TERMS = frameOf([0x10, 0x01]);
const ADULT_CONTENT = "always_show_nsfw_content";

/** Field 1 holds the value in its field 2, field 2 holds the feature's name in its field 1. */
const adultContentFrame = (on: boolean): Uint8Array<ArrayBuffer> => {
  const name = [...new TextEncoder().encode(ADULT_CONTENT)];
  return frameOf([0x0a, 0x02, 0x10, on ? 1 : 0, 0x12, name.length + 2, 0x0a, name.length, ...name]);
};

/** The site has no such call: it belongs to a newer or older one. */
const isMissing = (thrown: unknown): boolean =>
  thrown instanceof GatewayError && [404, 405, 410, 501].includes(thrown.detail.upstream?.status ?? 0);

const isLocked = (thrown: unknown): boolean =>
  thrown instanceof GatewayError &&
  thrown.detail.upstream?.code === "8" &&
  /birth-date-change-limit-reached|locked once set/i.test(thrown.detail.upstream.text ?? "");

const refused = ({ status, message }: GrpcVerdict, now: number): GatewayError => {
  const httpStatus = httpStatusOf({ status, message });
  if (httpStatus === 502) {
    return new GatewayError("upstream_error", `The upstream refused the change${message ? `: ${message}` : "."}`, {
      upstream: { status: 200, code: String(status), text: message },
    });
  }
  return classifyAnswer({
    status: httpStatus,
    body: JSON.stringify({ error: { code: status, message } }),
    contentType: "application/json",
    server: null,
    retryAfter: null,
    now,
  });
};

export const createAccountSettings = (deps: {
  client: GrokClient;
  config: () => Config;
  clock: { now(): number };
}): AccountSettings => {
  const { client, config, clock } = deps;
  const limits = () => {
    const limit = { ms: config().nsfw.timeout * 1000, setting: "nsfw.timeout" };
    return { firstByte: limit, idle: limit, browser: config().nsfw.browser };
  };

  const rest = async (call: ProviderCall, request: { path: string; body: object; referer: string }): Promise<void> => {
    const response = await client.open(call, { ...request, ...limits() });
    await response.bytes(ANSWER_LIMIT);
  };
  const grpc = async (
    call: ProviderCall,
    request: { path: string; frame: Uint8Array<ArrayBuffer>; referer: string; origin?: string },
  ): Promise<void> => {
    const response = await client.open(call, { ...request, signed: false, ...limits() });
    const body = await response.bytes(ANSWER_LIMIT);
    const contentType = response.header("content-type");
    const verdict = readVerdict({ contentType, header: (name) => response.header(name), body });
    if (verdict.status !== 0) throw refused(verdict, clock.now());
  };

  return {
    async acceptTerms(call) {
      await grpc(call, {
        origin: config().grok.accounts_url.replace(/\/$/, ""),
        path: "/auth_mgmt.AuthManagement/SetTosAcceptedVersion",
        referer: "/accept-tos",
        frame: ACCEPT_TERMS,
      });
      try {
        await rest(call, {
          path: "/rest/auth/set-tos-accepted",
          body: { tosVersion: TERMS_VERSION },
          referer: "/",
        });
      } catch (thrown) {
        if (!isMissing(thrown)) throw thrown;
      }
    },
    async setBirthDate(date, call): Promise<BirthDateOutcome> {
      try {
        // Noon, so that no time zone makes it the day before or after.
        await rest(call, {
          path: "/rest/auth/set-birth-date",
          body: { birthDate: `${date}T12:00:00.000Z` },
          referer: "/?_s=data",
        });
        return "set";
      } catch (thrown) {
        if (isLocked(thrown)) return "locked";
        throw thrown;
      }
    },
    setAdultContent: (on, call) =>
      grpc(call, {
        path: "/auth_mgmt.AuthManagement/UpdateUserFeatureControls",
        referer: "/?_s=data",
        frame: adultContentFrame(on),
      }),
  };
};

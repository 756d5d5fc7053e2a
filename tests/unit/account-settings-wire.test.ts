// The calls that set up an account on the site: their framing, their bytes, and how a verdict is read.
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { configSchema } from "../../src/config/schema.ts";
import type { GatewayError } from "../../src/core/errors.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { frameOf, httpStatusOf, readVerdict } from "../../src/providers/grok-web/grpc-web.ts";
import { createGrokWeb } from "../../src/providers/grok-web/index.ts";
import type { ProviderCall } from "../../src/providers/port.ts";
import { createUpstreamHttp } from "../../src/providers/upstream-http.ts";
import { createSimulator } from "../../src/simulator/server.ts";
import { rejection } from "../support/events.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytes = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, "latin1"));
const frame = (flag: number, text: string): string => String.fromCharCode(flag, 0, 0, 0, text.length) + text;

describe("framing", () => {
  test("a message gets its flag and its length", () => {
    expect(hex(frameOf([0x10, 0x01]))).toBe("00000000021001");
    expect(hex(frameOf([]))).toBe("0000000000");
  });

  const proto = "application/grpc-web+proto";
  const trailers = frame(0x80, "grpc-status: 16\r\ngrpc-message: No%20credentials\r\n");
  const cases: [string, { contentType?: string; headers?: Record<string, string>; body: string }, number, string][] = [
    ["trailers after a message", { body: frame(0, "abc") + trailers }, 16, "No credentials"],
    ["trailers alone", { body: trailers }, 16, "No credentials"],
    ["success in trailers", { body: frame(0x80, "grpc-status:0\r\n") }, 0, ""],
    ["headers before trailers", { headers: { "grpc-status": "7", "grpc-message": "no%2C" }, body: trailers }, 7, "no,"],
    ["no verdict at all", { body: frame(0, "abc") }, 0, ""],
    ["nothing", { body: "" }, 0, ""],
    ["a cut frame", { body: trailers.slice(0, 3) }, 0, ""],
    [
      "base64",
      { contentType: "application/grpc-web-text", body: btoa(frame(0, "x") + trailers) },
      16,
      "No credentials",
    ],
    ["a message that is not encoded", { headers: { "grpc-status": "3", "grpc-message": "100%" }, body: "" }, 3, "100%"],
    ["a status that is none", { headers: { "grpc-status": "bad" }, body: "" }, 2, ""],
  ];
  test.each(cases)("%s", (_name, answer, status, message) => {
    const header = (name: string) => answer.headers?.[name] ?? null;
    const found = readVerdict({ contentType: answer.contentType ?? proto, header, body: bytes(answer.body) });
    expect(found).toEqual({ status, message });
  });

  test.each([
    [0, 200],
    [4, 504],
    [7, 403],
    [8, 429],
    [14, 503],
    [16, 401],
    [9, 502],
  ])("%i means %i", (status, http) => {
    expect(httpStatusOf({ status, message: "" })).toBe(http);
  });
});

describe("against the simulated site", () => {
  const simulator = createSimulator({ tokenDelayMs: 0 });
  const http = createUpstreamHttp({ clock: systemClock, longestIdleMs: () => 5000 });
  afterAll(async () => {
    await http.close();
    await simulator.stop(true);
  });
  beforeEach(() => simulator.reset());
  const config = configSchema.parse({
    grok: { base_url: simulator.url, assets_url: simulator.url, accounts_url: simulator.url },
    proxy: { cf_clearance: "edge-cookie-of-the-site" },
  });
  const { accountSettings } = createGrokWeb({ http, config: () => config, clock: systemClock });
  const as = (token: string): ProviderCall => ({
    credential: { accountId: "acc_test", token, tier: "basic" },
    signal: new AbortController().signal,
    log: silentLog,
    learn: () => {},
  });
  const flags = (name: string) => simulator.accounts().find((account) => account.name === name)?.flags;
  const code = async (work: Promise<unknown>) => ((await rejection(work)) as GatewayError).code;

  test("terms, birth date and switch arrive as the site expects them", async () => {
    const call = as("sim-ok-settings");
    await accountSettings.acceptTerms(call);
    expect(await accountSettings.setBirthDate("1990-03-04", call)).toBe("set");
    await accountSettings.setAdultContent(true, call);
    expect(flags("sim-ok-settings")).toMatchObject({ tos: true, birthDate: "1990-03-04T12:00:00.000Z", nsfw: true });
    const sent = simulator.requests().filter(({ account }) => account === "sim-ok-settings");
    const grpc = sent.filter(({ path }) => path.includes("AuthManagement"));
    expect(grpc.map(({ body }) => body)).toEqual([
      { hex: "1001" },
      { hex: "0a021001121a0a18616c776179735f73686f775f6e7366775f636f6e74656e74" },
    ]);
    expect(grpc.map(({ headers }) => headers["content-type"])).toEqual(Array(2).fill("application/grpc-web+proto"));
    expect(grpc.map(({ headers }) => headers["referer"])).toEqual([
      `${simulator.url}/accept-tos`,
      `${simulator.url}/?_s=data`,
    ]);
    expect(grpc[0]?.cookies.toSorted()).toEqual(["sso", "sso-rw"]);
    expect(grpc[1]?.cookies).toContain("cf_clearance");
    await accountSettings.setAdultContent(false, call);
    expect(flags("sim-ok-settings")?.nsfw).toBe(false);
  });

  test("a birth date that is there already is told as locked", async () => {
    const call = as("sim-ok-locked");
    await accountSettings.setBirthDate("1990-03-04", call);
    expect(await accountSettings.setBirthDate("1991-03-04", call)).toBe("locked");
    expect(flags("sim-ok-locked")?.birthDate).toStartWith("1990-03-04");
  });

  test("the switch without a birth date is refused with the site's words", async () => {
    const error = (await rejection(accountSettings.setAdultContent(true, as("sim-ok-young")))) as GatewayError;
    expect(error).toMatchObject({ code: "upstream_error", detail: { upstream: { code: "9" } } });
    expect(error.message).toContain("Birth date and terms first");
  });

  test("refusals of the account and of the edge are told apart", async () => {
    expect(await code(accountSettings.acceptTerms(as("sim-dead-1")))).toBe("account_auth");
    expect(await code(accountSettings.setBirthDate("1990-03-04", as("sim-blocked-1")))).toBe("account_blocked");
    expect(await code(accountSettings.setAdultContent(true, as("sim-challenge-1")))).toBe("egress_blocked");
  });
});

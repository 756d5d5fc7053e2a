// The files of an account against the simulated site: every page is read, removal is counted as the site sees it.
import { afterAll, beforeEach, expect, test } from "bun:test";
import { configSchema } from "../../src/config/schema.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { createGrokWeb } from "../../src/providers/grok-web/index.ts";
import type { ProviderCall } from "../../src/providers/port.ts";
import { createUpstreamHttp } from "../../src/providers/upstream-http.ts";
import { createSimulator } from "../../src/simulator/server.ts";
import { rejection } from "../support/events.ts";
import { uploadToSite } from "../support/site-files.ts";

const simulator = createSimulator({ tokenDelayMs: 0 });
const http = createUpstreamHttp({ clock: systemClock, longestIdleMs: () => 5000 });
afterAll(async () => {
  await http.close();
  await simulator.stop(true);
});
beforeEach(() => simulator.reset());

const config = configSchema.parse({
  grok: { base_url: simulator.url, assets_url: simulator.url, accounts_url: simulator.url },
});
const { assets } = createGrokWeb({ http, config: () => config, clock: systemClock });

const callAs = (token: string): ProviderCall => ({
  credential: { accountId: "acc_test", token, tier: "basic" },
  signal: new AbortController().signal,
  log: silentLog,
  learn: () => {},
});

test("an account without files has none", async () => {
  expect(await assets.list(callAs("sim-ok-empty"))).toEqual([]);
});

test("all pages are read, and each file once", async () => {
  await uploadToSite({ url: simulator.url, token: "sim-ok-many" }, 120);
  const files = await assets.list(callAs("sim-ok-many"));
  expect(files.length).toBe(120);
  expect(new Set(files.map(({ id }) => id)).size).toBe(120);
  expect(files.find(({ name }) => name === "file-7.txt")).toMatchObject({
    mime: "text/plain",
    bytes: 9,
    key: expect.stringMatching(/^users\//) as string,
    createdAt: expect.stringMatching(/^20\d\d-/) as string,
  });
});

test("a file that is removed is gone, and removing it again says so", async () => {
  await uploadToSite({ url: simulator.url, token: "sim-ok-few" }, 2);
  const call = callAs("sim-ok-few");
  const [first, second] = await assets.list(call);
  expect(await assets.remove(first?.id ?? "", call)).toBe(true);
  expect(await assets.remove(first?.id ?? "", call)).toBe(false);
  expect((await assets.list(call)).map(({ id }) => id)).toEqual([second?.id ?? ""]);
});

test("a session that the site refuses is the account's failure", async () => {
  expect(await rejection(assets.list(callAs("sim-expired-1")))).toMatchObject({ code: "account_auth" });
});

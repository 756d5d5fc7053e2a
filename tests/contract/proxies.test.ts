// The way out through proxies of every accepted kind, over both transports; never directly when a proxy is set.
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { configSchema } from "../../src/config/schema.ts";
import { findModel } from "../../src/core/models.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { createGrokWeb } from "../../src/providers/grok-web/index.ts";
import { createUpstreamHttp } from "../../src/providers/upstream-http.ts";
import { createSimulator } from "../../src/simulator/server.ts";
import { gather, tell } from "../support/events.ts";
import { startHttpProxy, startSocksProxy } from "../support/proxies.ts";

const simulator = createSimulator({ tokenDelayMs: 0 });
const http = createUpstreamHttp({ clock: systemClock, longestIdleMs: () => 5000 });
const httpProxy = await startHttpProxy();
const keyedProxy = await startHttpProxy("user:pass-word");
const socksProxy = await startSocksProxy();
const proxies = [httpProxy, keyedProxy, socksProxy];

afterAll(async () => {
  await http.close();
  await simulator.stop(true);
  for (const proxy of proxies) proxy.close();
});
beforeEach(() => {
  for (const proxy of proxies) proxy.asked.length = 0;
});

const chat = async (transport: string, proxyUrl: string, base = simulator.url) => {
  const config = configSchema.parse({
    grok: { base_url: base, assets_url: base },
    chat: { transport, timeout: 5, stream_timeout: 5 },
    proxy: { base_proxy_url: proxyUrl },
  });
  const model = findModel("grok-4");
  if (!model) throw new Error("no model");
  const provider = createGrokWeb({ http, config: () => config, clock: systemClock });
  return tell(
    await gather(
      provider.generate(
        { model: "grok-4", stream: true, messages: [{ role: "user", content: [{ type: "text", text: "hello" }] }] },
        {
          credential: { accountId: "acc_test", token: "sim-super-1", tier: "super" },
          signal: new AbortController().signal,
          log: silentLog,
          learn: () => {},
          model,
          id: "chatcmpl-1",
          created: 1,
          files: [],
        },
      ),
    ),
  );
};

describe.each(["rest", "socket"])("over %s", (transport) => {
  test.each([
    ["http", httpProxy],
    ["http with a password", keyedProxy],
    ["socks5", socksProxy],
    ["socks5h", socksProxy],
  ] as const)("through %s", async (kind, proxy) => {
    const scheme = kind.split(" ")[0] ?? kind;
    const told = await chat(transport, proxy.url(scheme));
    expect(told.failure?.message ?? null).toBeNull();
    expect(told.finish).toBe("stop");
    expect(proxy.asked.length).toBeGreaterThan(0);
  });

  test("a proxy that is down is the egress's fault, its password stays out of the message", async () => {
    simulator.reset();
    const told = await chat(transport, "http://user:s3cret-pass@127.0.0.1:9");
    expect(told.failure?.row.blame).toBe("egress");
    expect(`${told.failure?.message} ${JSON.stringify(told.failure?.detail.upstream ?? null)}`).not.toContain("s3cret");
    expect(simulator.stats().requests).toBe(0);
  });
});

test("socks5h leaves the name to the proxy", async () => {
  const { port } = new URL(simulator.url);
  const told = await chat("rest", socksProxy.url("socks5h"), `http://no-such-name.invalid:${port}`);
  expect(told.finish).toBe("stop");
  expect(socksProxy.asked).toContain("no-such-name.invalid");
});

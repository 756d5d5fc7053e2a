import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createMetrics } from "../../src/lib/metrics.ts";
import { ADMIN_ENV, ADMIN_PASSWORD, ask, makeKey, until, WAYS } from "../support/keys.ts";
import { type Program, PROGRAM_KEY, startProgram } from "../support/program.ts";

const TOKEN = "metrics-token-of-the-test";
let program: Program;
beforeAll(async () => {
  program = await startProgram({ env: { ...ADMIN_ENV, GROK2API_METRICS_TOKEN: TOKEN } });
});
afterAll(() => program.stop());

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-z_][a-z0-9_]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (-?[\d.]+(?:e[+-]?\d+)?|NaN)$/;

/** A strict reader of the exposition format: every sample belongs to a family that was announced just before. */
const parse = (text: string): Sample[] => {
  expect(text.endsWith("\n")).toBe(true);
  const types = new Map<string, string>();
  let family = "";
  const samples: Sample[] = [];
  for (const line of text.trimEnd().split("\n")) {
    const [, kind, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind !== undefined) {
      if (kind === "TYPE") {
        expect(types.has(name)).toBe(false);
        types.set(name, rest);
        family = name;
      }
      continue;
    }
    const match = LINE.exec(line);
    if (!match) throw new Error(`no sample: ${line}`);
    const [, sample = "", labels = "", value = ""] = match;
    const base = types.get(family) === "histogram" ? sample.replace(/_(bucket|sum|count)$/, "") : sample;
    expect(base).toBe(family);
    samples.push({
      name: sample,
      labels: Object.fromEntries([...labels.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, label, text]) => [label, text])),
      value: Number(value),
    });
  }
  return samples;
};

const read = (headers: Record<string, string> = {}) => fetch(`${program.url}/metrics`, { headers });
const scrape = async () => parse(await (await read({ authorization: `Bearer ${TOKEN}` })).text());
const valueOf = (samples: readonly Sample[], name: string, labels: Record<string, string> = {}): number =>
  samples
    .filter((one) => one.name === name && Object.entries(labels).every(([label, text]) => one.labels[label] === text))
    .reduce((sum, { value }) => sum + value, 0);

describe("GET /metrics", () => {
  test("is for the operator and holders of its token, never for an API key", async () => {
    expect((await read()).status).toBe(401);
    expect((await read({ authorization: `Bearer ${PROGRAM_KEY}` })).status).toBe(401);
    expect((await read({ authorization: `Bearer ${(await makeKey(program)).key}` })).status).toBe(401);
    expect((await read({ authorization: `Bearer ${ADMIN_PASSWORD}` })).status).toBe(200);
    const answer = await read({ authorization: `Bearer ${TOKEN}` });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    // The token opens nothing else.
    const admin = await fetch(`${program.url}/api/v1/admin/keys`, { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(admin.status).toBe(401);
  });

  test("is open to listed addresses, and can be switched off", async () => {
    const open = await startProgram({ env: { ...ADMIN_ENV, GROK2API_METRICS_ALLOW: "127.0.0.0/8" } });
    expect((await fetch(`${open.url}/metrics`)).status).toBe(200);
    await open.stop();
    const off = await startProgram({
      env: { ...ADMIN_ENV, GROK2API_METRICS_ENABLED: "false", GROK2API_METRICS_ALLOW: "127.0.0.0/8" },
    });
    expect((await fetch(`${off.url}/metrics`)).status).toBe(404);
    await off.stop();
  });

  test("counts requests, tokens, attempts and times", async () => {
    const before = await scrape();
    for (const way of WAYS) await (await ask(program, PROGRAM_KEY, way)).text();
    await (await ask(program, PROGRAM_KEY, WAYS[0]!, { words: "sim:403" })).text();
    await (await ask(program, PROGRAM_KEY, WAYS[0]!, { model: "grok-4-invented" })).text();
    let after = await scrape();
    const grown = (name: string, labels?: Record<string, string>) =>
      valueOf(after, name, labels) - valueOf(before, name, labels);
    await until(async () => {
      after = await scrape();
      return grown("grok2api_requests_total", { model: "grok-4", status: "200" }) === WAYS.length;
    });
    expect(grown("grok2api_requests_total", { model: "none", status: "404", route: "/v1/chat/completions" })).toBe(1);
    expect(grown("grok2api_request_duration_seconds_count", { route: "/v1/messages" })).toBe(2);
    expect(grown("grok2api_first_token_seconds_count", { model: "grok-4" })).toBe(WAYS.length);
    expect(grown("grok2api_upstream_attempts_total", { code: "served" })).toBe(WAYS.length);
    expect(grown("grok2api_upstream_attempts_total", { code: "account_refused" })).toBe(1);
    expect(grown("grok2api_request_outcomes_total", { outcome: "failed" })).toBe(1);
    expect(grown("grok2api_tokens_total", { direction: "out", model: "grok-4" })).toBeGreaterThan(0);
    expect(grown("grok2api_overhead_seconds_count")).toBe(WAYS.length + 1);
    expect(valueOf(after, "grok2api_accounts", { status: "active" })).toBe(1);
    expect(valueOf(after, "grok2api_memory_bytes", { area: "rss" })).toBeGreaterThan(10_000_000);
    expect(valueOf(after, "grok2api_build_info", { version: "0.0.0" })).toBe(1);
    expect(valueOf(after, "grok2api_event_loop_lag_seconds_count")).toBeGreaterThan(0);
  });

  test("buckets grow to the count", async () => {
    const samples = (await scrape()).filter(({ name }) => name === "grok2api_request_duration_seconds_bucket");
    const own = samples.filter(({ labels }) => labels["route"] === "/v1/messages").map(({ value }) => value);
    expect(own).toEqual(own.toSorted((one, other) => one - other));
    expect(own.at(-1)).toBe(
      valueOf(await scrape(), "grok2api_request_duration_seconds_count", { route: "/v1/messages" }),
    );
  });

  test("labels do not grow with what strangers send", async () => {
    for (let index = 0; index < 40; index++) {
      await (await fetch(`${program.url}/v1/nothing-${index}`)).text();
      await (await ask(program, PROGRAM_KEY, WAYS[0]!, { model: `invented-${index}` })).text();
    }
    const text = await (await read({ authorization: `Bearer ${TOKEN}` })).text();
    expect(text).not.toMatch(/nothing-|invented-|sk-|key_|acc_/);
    expect(valueOf(parse(text), "grok2api_requests_total", { route: "unknown" })).toBe(40);
  });

  test("every number of the dashboard is there", async () => {
    const dashboard = readFileSync(join(import.meta.dir, "../../docs/grafana-dashboard.json"), "utf8");
    const announced = await (await read({ authorization: `Bearer ${TOKEN}` })).text();
    const wanted = new Set(dashboard.match(/grok2api_[a-z_]+/g));
    expect(wanted.size).toBeGreaterThan(15);
    for (const name of wanted) expect(announced).toContain(`# TYPE ${name.replace(/_bucket$/, "")} `);
  });
});

describe("metrics", () => {
  test("escape labels, and gather what is too many", async () => {
    const metrics = createMetrics();
    const counter = metrics.counter({ name: "a_total", help: "A.", labels: ["x"] });
    counter.add(['q"\\\n']);
    for (let index = 0; index < 3_000; index++) counter.add([`n${index}`]);
    const text = await metrics.text();
    expect(text).toContain('a_total{x="q\\"\\\\\\n"} 1\n');
    expect(text).toContain('a_total{x="other"} 1001\n');
    expect(text.split("\n").length).toBe(2 + 2_001 + 1);
  });

  test("put a value that equals a bound into that bucket", async () => {
    const metrics = createMetrics();
    const histogram = metrics.histogram({ name: "h", help: "H.", bounds: [1, 2] });
    for (const value of [1, 1.5, 2, 3]) histogram.observe([], value);
    expect((await metrics.text()).split("\n").slice(2, -1)).toEqual([
      'h_bucket{le="1"} 1',
      'h_bucket{le="2"} 3',
      'h_bucket{le="+Inf"} 4',
      "h_sum 7.5",
      "h_count 4",
    ]);
  });
});

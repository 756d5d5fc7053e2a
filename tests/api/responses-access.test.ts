// Who may see a stored response, what the switch does, and what is kept of an answer whose reader has left.
import { expect, test } from "bun:test";
import { API_KEY, createHarness, fromBatches, json, START, textBatches } from "./harness.ts";

const OTHER_KEY = "key-for-the-tests-0002";
const ask = (more: object = {}) => json({ model: "grok-4", input: "hi", ...more });

const withKeys = () => createHarness({ settingsTree: { app: { api_key: [API_KEY, OTHER_KEY] } } });
const as = (key: string, init: RequestInit = {}): RequestInit => ({
  ...init,
  headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
});

test("another key's response does not exist", async () => {
  const harness = withKeys();
  const made = await harness.request("/v1/responses", as(API_KEY, ask()));
  const { id } = (await made.json()) as { id: string };
  const paths: [path: string, init: RequestInit][] = [
    [`/v1/responses/${id}`, {}],
    [`/v1/responses/${id}?stream=true`, {}],
    [`/v1/responses/${id}/input_items`, {}],
    [`/v1/responses/${id}`, { method: "DELETE" }],
    [`/v1/responses/${id}/cancel`, { method: "POST" }],
    ["/v1/responses", ask({ previous_response_id: id })],
  ];
  for (const [path, init] of paths) {
    const answer = await harness.request(path, as(OTHER_KEY, init));
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ error: { type: "not_found_error", code: "response_not_found" } });
  }
  expect((await harness.request(`/v1/responses/${id}`, as(API_KEY))).status).toBe(200);
});

test("without a key 401, switched off 404, in that order", async () => {
  const harness = createHarness({
    settingsTree: { app: { api_key: [API_KEY] }, downstream: { enable_responses: false } },
  });
  for (const [path, init] of [
    ["/v1/responses", ask()],
    ["/v1/responses/input_tokens", ask()],
    ["/v1/responses/compact", ask()],
    ["/v1/responses/resp_1", {}],
  ] as const) {
    expect((await harness.request(path, init)).status).toBe(401);
    const off = await harness.api(path, init);
    expect(off.status).toBe(404);
    expect(await off.json()).toMatchObject({ error: { code: "endpoint_disabled" } });
  }
});

test("a stream that ends without an end is a failed response", async () => {
  const harness = createHarness();
  harness.answer = () => fromBatches(textBatches("Half").slice(0, 2));
  const text = await (await harness.api("/v1/responses", ask({ stream: true }))).text();
  expect(text).toContain("event: response.failed");
  expect(text).not.toContain("event: response.completed");
});

test("nothing is kept of an answer whose reader has left", async () => {
  const harness = createHarness();
  harness.answer = async function* () {
    yield [START, { type: "text-start", block: 0 }, { type: "text-delta", block: 0, text: "one" }];
    await new Promise(() => {});
  };
  const answer = await harness.api("/v1/responses", ask({ stream: true }));
  const reader = answer.body?.getReader();
  const first = new TextDecoder().decode((await reader?.read())?.value);
  const id = /"id":"(resp_\w+)"/.exec(first)?.[1] ?? "";
  await reader?.cancel();
  expect((await harness.api(`/v1/responses/${id}`)).status).toBe(404);
});

test("what the model is told is scoped by the caller's own words for the conversation", async () => {
  const harness = createHarness();
  await harness.api("/v1/responses", ask({ prompt_cache_key: "thread-7" }));
  expect(harness.asked[0]?.request.sessionKey).toBe("thread-7");
});

// Conversations stay with their account through the whole program, move when it fails, and callers are told.
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { startProgram, type Program } from "../support/program.ts";

let program: Program;
beforeAll(async () => {
  program = await startProgram({ accounts: Array.from({ length: 8 }, (_, at) => `sim-super-${at + 1}`) });
});
afterAll(() => program.stop());
afterEach(() => program.simulator.reset());

const say = (...texts: string[]) => ({
  model: "grok-4",
  messages: texts.map((content, at) => ({ role: at % 2 === 0 ? "user" : "assistant", content })),
});
const send = async (body: object, headers?: Record<string, string>) => {
  const answer = await program.post("/v1/chat/completions", body, headers);
  await answer.text();
  const account = program.simulator.requests().findLast(({ path }) => path.endsWith("/new"))?.account;
  return { session: answer.headers.get("x-grok2api-session"), account };
};

test("the turns of one conversation are served by one account of many", async () => {
  const first = await send(say("Hello from the first test"));
  expect(first.session).toBe("new");
  for (let turn = 0; turn < 6; turn++) {
    const later = await send(say("Hello from the first test", "Hi!", `Turn ${turn}`));
    expect(later).toEqual({ session: "kept", account: first.account });
  }
});

test("without a common beginning or an id they spread", async () => {
  const accounts = new Set<string | undefined>();
  for (let turn = 0; turn < 12; turn++) accounts.add((await send(say(`Hello ${turn}`, "Hi!", "And?"))).account);
  expect(accounts.size).toBeGreaterThan(1);
});

test.each([
  ["prompt_cache_key", {}],
  ["x-session-id", { "x-session-id": "chat-h" }],
] as const)("an id keeps different texts together: %s", async (name, headers) => {
  const id = name === "prompt_cache_key" ? { prompt_cache_key: "chat-b" } : {};
  const first = await send({ ...say("One"), ...id }, headers);
  expect(first.session).toBe("new");
  for (const text of ["Two", "Three", "Four"]) {
    expect(await send({ ...say(text), ...id }, headers)).toEqual({ session: "kept", account: first.account });
  }
});

test("streams say it too, and a conversation whose account fails moves on and stays there", async () => {
  const first = await send({ ...say("Hello from the moving test"), stream: true });
  expect(first.session).toBe("new");
  await fetch(`${program.simulator.url}/__sim/accounts/${first.account}`, {
    method: "POST",
    body: JSON.stringify({ kind: "limited" }),
  });
  const turn = { ...say("Hello from the moving test", "Hi!", "And?"), stream: true };
  const second = await send(turn);
  expect(second.session).toBe("moved");
  expect(second.account).not.toBe(first.account as string);
  expect(await send(turn)).toEqual({ session: "kept", account: second.account });
});

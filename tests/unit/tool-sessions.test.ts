// Which account a conversation goes back to: keys, what is kept apart, time to live and bound.
import { expect, test } from "bun:test";
import type { GenerationRequest, Message } from "../../src/core/request.ts";
import { createSessions } from "../../src/gateway/session.ts";
import { createBoundedMap } from "../../src/lib/bounded-map.ts";

const say = (role: Message["role"], text: string): Message => ({ role, content: [{ type: "text", text }] });
const request = (messages: readonly Message[], sessionKey?: string): GenerationRequest => ({
  model: "grok-4",
  stream: false,
  messages,
  ...(sessionKey === undefined ? {} : { sessionKey }),
});
const hello = [say("system", "Be kind."), say("user", "Hello")];
const later = [...hello, say("assistant", "Hi!"), say("user", "And?")];

const make = (lifeMs = 1000) => {
  const clock = { now: 0 };
  return { clock, sessions: createSessions({ lifeMs: () => lifeMs, nowMs: () => clock.now }) };
};

test("the second turn goes to the account of the first, and says so", () => {
  const { sessions } = make();
  expect(sessions.open(request(hello), "key").bind("acc_1")).toBe("new");
  const second = sessions.open(request(later), "key");
  expect(second.account).toBe("acc_1");
  expect(second.bind("acc_1")).toBe("kept");
  const third = sessions.open(request([...later, say("assistant", "So."), say("user", "Ok")]), "key");
  expect(third.bind("acc_2")).toBe("moved");
  expect(sessions.open(request(later), "key").account).toBe("acc_2");
});

test("a conversation that only begins is not drawn to the account of another that began alike", () => {
  const { sessions } = make();
  sessions.open(request(hello), "key").bind("acc_1");
  expect(sessions.open(request(hello), "key").account).toBeUndefined();
});

test("an id of the caller's holds from the first turn on, whatever is said", () => {
  const { sessions } = make();
  sessions.open(request(hello, "chat-1"), "key").bind("acc_1");
  expect(sessions.open(request([say("user", "Something else")], "chat-1"), "key").account).toBe("acc_1");
  expect(sessions.open(request(hello, "chat-2"), "key").account).toBeUndefined();
});

test("other keys, other systems and other beginnings are other conversations", () => {
  const { sessions } = make();
  sessions.open(request(hello), "key").bind("acc_1");
  expect(sessions.open(request(later), "other").account).toBeUndefined();
  expect(sessions.open(request(later), null).account).toBeUndefined();
  expect(sessions.open(request(later.slice(1)), "key").account).toBeUndefined();
  const begun = [say("system", "Be kind."), say("user", "Hello?"), ...later.slice(2)];
  expect(sessions.open(request(begun), "key").account).toBeUndefined();
});

test("a caller's id can never be mistaken for a derived key", () => {
  const { sessions } = make();
  sessions.open(request(hello), "key").bind("acc_1");
  const derived = JSON.stringify([
    ["system", ["Be kind."]],
    ["user", ["Hello"]],
  ]);
  expect(sessions.open(request(later, derived), "key").account).toBeUndefined();
});

test("time and a failure end it", () => {
  const { clock, sessions } = make(1000);
  sessions.open(request(hello), "key").bind("acc_1");
  clock.now = 999;
  const session = sessions.open(request(later), "key");
  expect(session.account).toBe("acc_1");
  session.forget();
  expect(sessions.open(request(later), "key").account).toBeUndefined();
  sessions.open(request(hello), "key").bind("acc_1");
  clock.now = 1999;
  expect(sessions.open(request(later), "key").account).toBeUndefined();
});

test("a life of 0 keeps nothing", () => {
  const { sessions } = make(0);
  sessions.open(request(hello), "key").bind("acc_1");
  expect(sessions.open(request(later), "key").account).toBeUndefined();
});

test("the map holds no more than its capacity; what was touched longest ago goes first", () => {
  const map = createBoundedMap<number>({ capacity: 2, lifeMs: () => 10, nowMs: () => 0 });
  map.set("a", 1);
  map.set("b", 2);
  map.set("a", 3);
  map.set("c", 4);
  expect([map.get("a"), map.get("b"), map.get("c"), map.size]).toEqual([3, undefined, 4, 2]);
});

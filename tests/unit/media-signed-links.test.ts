// Links that end: what proves them, what does not, and that the secret stays the same over restarts.
import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../src/core/errors.ts";
import { createSignedLinks } from "../../src/media/signed-links.ts";
import { createMemoryDocuments } from "../../src/storage/memory.ts";

const NAME = "users-1-generated-2-image.jpg";
const documents = createMemoryDocuments();
let nowMs = 1_760_000_000_000;
let life = 60;
const open = () => createSignedLinks({ documents, clock: { now: () => nowMs }, lifeSeconds: () => life });
const links = await open();
const left = (query: string, name = NAME) => links.secondsLeft(name, new URLSearchParams(query));
const refused = (query: string, name = NAME): string => {
  try {
    left(query, name);
  } catch (thrown) {
    if (thrown instanceof GatewayError) return `${thrown.code}: ${thrown.message}`;
    throw thrown;
  }
  return "accepted";
};

describe("a signed link", () => {
  const query = links.query(NAME);

  test("carries its end, and is good until then", () => {
    expect(query).toMatch(/^\?expires=1760000060&signature=[\w-]{43}$/);
    expect(left(query)).toBe(60);
    nowMs += 59_000;
    expect(left(query)).toBe(1);
    nowMs += 1_000;
    expect(refused(query)).toBe("invalid_link: The link has expired.");
    nowMs -= 60_000;
  });

  test.each([
    ["nothing", ""],
    ["no signature", "?expires=1760000060"],
    ["another end", query.replace("1760000060", "1760009999")],
    ["an end that is no number", query.replace("1760000060", "1760000060.0")],
    ["a shorter signature", query.slice(0, -1)],
    ["another signature", query.replace(/.$/, (last) => (last === "A" ? "E" : "A"))],
  ])("with %s is refused", (_, changed) => {
    expect(refused(changed)).toBe("invalid_link: The link is not signed, or was changed.");
  });

  test("is good for its own file alone", () => {
    expect(refused(query, "another.jpg")).toStartWith("invalid_link");
  });

  test("outlives a restart, because the secret is kept", async () => {
    const again = await open();
    expect(again.secondsLeft(NAME, new URLSearchParams(query))).toBe(60);
    expect(await documents.list("secrets")).toHaveLength(1);
  });

  test("of two processes that start at once is good for both", async () => {
    const fresh = createMemoryDocuments();
    const make = () => createSignedLinks({ documents: fresh, clock: { now: () => nowMs }, lifeSeconds: () => 60 });
    const [one, other] = await Promise.all([make(), make()]);
    expect(other.query(NAME)).toBe(one.query(NAME));
  });
});

test("switched off, a link has no query and needs none", () => {
  life = 0;
  expect(links.query(NAME)).toBe("");
  expect(left("")).toBeNull();
  life = 60;
});

import { afterEach, describe, expect, test } from "bun:test";
import { connect as connectTcp } from "node:net";
import {
  NEW,
  chat,
  cookies,
  digest,
  eventually,
  get,
  inside,
  post,
  read,
  simulator,
  stopSimulators,
  tokenOf,
} from "./simulator-client.ts";
import type { Json } from "./simulator-client.ts";

afterEach(stopSimulators);

const parsed = (card: Json): Json => JSON.parse(String(card["jsonData"])) as Json;

const keysOf = (frames: Json[]): string[] =>
  frames.map(
    (frame) => Object.keys(frame).find((key) => !["isThinking", "isSoftStop", "responseId"].includes(key)) ?? "",
  );

describe("a plain answer", () => {
  test("has the frames of a first turn, in order", async () => {
    const sim = simulator();
    const answer = await read(await chat(sim, "Good morning, 早上好!"));
    const kinds = keysOf(answer.frames).filter((key, index, all) => key !== all[index - 1]);
    expect(kinds).toEqual([
      "conversation",
      "userResponse",
      "uiLayout",
      "llmInfo",
      "uiLayout",
      "token",
      "finalMetadata",
      "modelResponse",
      "title",
    ]);
    expect(answer.text).toContain("“Good morning, 早上好!”");
    expect(answer.text).toContain("I received 0 attachments.");
    expect(answer.final?.["message"]).toBe(answer.text);
    const soft = answer.frames.filter((frame) => frame["isSoftStop"] === true);
    expect(soft).toHaveLength(1);
    expect(answer.frames.filter((frame) => frame["messageTag"] === "final").length).toBeGreaterThan(10);
    expect(sim.stats().open.total).toBe(0);
  });

  test("a follow-up is flat, knows its parent, and counts turns", async () => {
    const sim = simulator();
    const first = await read(await chat(sim, "One"));
    const conversation = inside(inside(first.objects[0], "result"), "conversation");
    const path = `/rest/app-chat/conversations/${String(conversation["conversationId"])}/responses`;
    const parentResponseId = first.final?.["responseId"];
    const second = await read(
      await post(sim, path, { modeId: "fast", message: "Two", parentResponseId, disableTextFollowUps: true }),
    );
    expect(second.objects.every((object) => (object["result"] as Json)["response"] === undefined)).toBe(true);
    expect(keysOf(second.frames)).not.toContain("conversation");
    expect(keysOf(second.frames)).not.toContain("finalMetadata");
    expect(second.text).toContain("This is turn 2");
    const stored = (await (await get(sim, path)).json()) as { responses: Json[] };
    expect(stored.responses.map((response) => response["sender"])).toEqual([
      "human",
      "assistant",
      "human",
      "assistant",
    ]);
    expect((await post(sim, path, { message: "x", parentResponseId: crypto.randomUUID() })).status).toBe(404);
    expect((await post(sim, path.replace(/[0-9a-f]{4}-/, "ffff-"), { message: "x" })).status).toBe(404);
    expect((await post(sim, path, { message: "x" }, { token: "sim-super-2" })).status).toBe(404);
  });

  test("modelMode of the first era, unknown selectors, missing message", async () => {
    const sim = simulator();
    const old = await read(await post(sim, NEW, { modelName: "grok-4", modelMode: "MODEL_MODE_FAST", message: "Hi" }));
    expect(inside(old.final, "requestMetadata")["mode"]).toBe("MODEL_MODE_FAST");
    expect((await post(sim, NEW, { modeId: "warp", message: "Hi" })).status).toBe(400);
    expect((await post(sim, NEW, { modeId: "fast" })).status).toBe(400);
    const socketOnly = simulator({ eras: ["socket"] });
    const refused = await chat(socketOnly, "Hi");
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain("out of date");
  });

  test("a mode above the tier and a foreign attachment are stream faults", async () => {
    const sim = simulator();
    const heavy = await read(await post(sim, NEW, { modeId: "heavy", message: "Hi" }, { token: "sim-basic-1" }));
    expect(JSON.stringify(heavy.objects)).toContain("modelNotAvailable");
    const foreign = await read(await post(sim, NEW, { modeId: "fast", message: "Hi", fileAttachments: ["nobody"] }));
    expect(JSON.stringify(foreign.objects)).toContain("attachmentLoadFailed");
  });
});

describe("framing", () => {
  const shape = (objects: Json[]): string =>
    JSON.stringify(digest(objects).frames.map((frame) => [frame["token"], frame["messageTag"]]));

  test("all variants carry the same objects", async () => {
    const sim = simulator();
    const plain = shape((await read(await chat(sim, "sim:markdown 你好 🎉"))).objects);
    const bodies: Record<string, (text: string) => string> = {
      concat: (text) => `[${text.replaceAll("}{", "},{")}]`,
      pretty: (text) => `[${text.trim().replaceAll("\n}\n{", "\n},\n{")}]`,
      sse: (text) =>
        `[${text
          .split("\n")
          .filter((line) => line.startsWith("data: {"))
          .map((line) => line.slice(6))
          .join(",")}]`,
      "blank-lines": (text) =>
        `[${text
          .split(/\s*\n\s*/)
          .filter((line) => line !== "")
          .join(",")}]`,
      "no-final-newline": (text) => `[${text.split("\n").join(",")}]`,
      escaped: (text) => `[${text.trim().split("\n").join(",")}]`,
      bytes: (text) => `[${text.trim().split("\n").join(",")}]`,
    };
    for (const [word, join] of Object.entries(bodies)) {
      const text = await (await chat(sim, `sim:markdown 你好 🎉 sim:${word}`)).text();
      expect(shape(JSON.parse(join(text)) as Json[])).toBe(plain);
      if (word === "pretty") expect(text).toContain('\n  "result": {');
      if (word === "no-final-newline") expect(text.endsWith("}")).toBe(true);
      if (word === "sse") expect(text).toEndWith("data: [DONE]\n\n");
      if (word === "escaped") expect(text).not.toMatch(/[<>&]/);
    }
  });

  test("bytes arrive in many chunks", async () => {
    const response = await chat(simulator(), "sim:bytes 你好");
    let chunks = 0;
    for await (const _chunk of response.body ?? []) chunks++;
    expect(chunks).toBeGreaterThan(20);
  });
});

describe("scenarios", () => {
  test("echo, prompt, json, long, empty, only-final, longer-final", async () => {
    const sim = simulator();
    const say = async (message: string) => read(await chat(sim, message));
    expect((await say("[system]\nBe terse.\n\n[user]\nsim:echo <b>&\n\n日本")).text).toBe("sim:echo <b>&\n\n日本");
    expect((await say("[system]\nBe terse.\n\n[user]\nsim:prompt")).text).toBe(
      "[system]\nBe terse.\n\n[user]\nsim:prompt",
    );
    expect((await say("sim:json")).text).toContain("```json");
    expect((await say("sim:long-250")).frames.filter((frame) => frame["messageTag"] === "final")).toHaveLength(250);
    expect((await say("sim:empty")).final?.["message"]).toBe("");
    const late = await say("sim:only-final");
    expect(late.text).toBe("");
    expect(late.final?.["message"]).toContain("Hello from");
    const longer = await say("sim:longer-final");
    expect(String(longer.final?.["message"]).startsWith(longer.text)).toBe(true);
    expect(String(longer.final?.["message"]).length).toBeGreaterThan(longer.text.length);
    const spaced = await say("sim:spacers-7");
    expect(spaced.frames.filter((frame) => frame["token"] === "" && frame["isSoftStop"] === false)).toHaveLength(7);
  });

  test("reasoning: thinking, agents, tool cards in one piece and in three", async () => {
    const sim = simulator();
    const thinking = await read(await chat(sim, "sim:thinking"));
    expect(thinking.thinking).toContain("思考中");
    const agents = (await read(await chat(sim, "sim:agents"))).frames;
    expect(agents.filter((frame) => frame["messageTag"] === "header").map((frame) => frame["rolloutId"])).toEqual([
      "Grok",
      "Agent 1",
    ]);
    expect(agents.some((frame) => frame["messageTag"] === "summary")).toBe(true);
    for (const [word, count] of [
      ["toolcard", 1],
      ["toolcard-split", 3],
    ] as const) {
      const frames = (await read(await chat(sim, `sim:${word}`))).frames;
      const pieces = frames.filter((frame) => frame["messageTag"] === "tool_usage_card");
      expect(pieces).toHaveLength(count);
      const xml = pieces.map((frame) => frame["token"]).join("");
      expect(xml).toMatch(/^<xai:tool_usage_card>[^]*<!\[CDATA\[\{"query":[^]*<\/xai:tool_usage_card>$/);
      expect(pieces.filter((frame) => frame["toolUsageCard"] !== undefined)).toHaveLength(1);
    }
  });

  test("citations: before, split, late, unknown", async () => {
    const sim = simulator();
    const order = async (word: string): Promise<string[]> => {
      const { frames } = await read(await chat(sim, `sim:${word}`));
      return frames.flatMap((frame) => {
        if (frame["cardAttachment"] !== undefined) return ["card"];
        return tokenOf(frame).includes("<grok:render") ? ["tag"] : [];
      });
    };
    expect(await order("citation")).toEqual(["card", "tag", "card", "tag"]);
    expect(await order("citation-late")).toEqual(["tag", "card", "tag", "card"]);
    expect(await order("citation-unknown")).toEqual(["tag", "card", "tag"]);
    const split = await read(await chat(sim, "sim:citation-split"));
    expect(
      split.frames.some(
        (frame) => tokenOf(frame).includes("</grok:render>") && tokenOf(frame).includes("<grok:render"),
      ),
    ).toBe(false);
    expect(split.text).toMatch(
      /<grok:render card_id="[0-9a-f]{6}" card_type="citation_card" type="render_inline_citation">\n<argument name="citation_id">0<\/argument>\n<\/grok:render>/,
    );
    const odd = await read(await chat(sim, "sim:tags-odd"));
    expect(odd.frames.some((frame) => /^ \(see<grok:render[^]*<\/grok:render>\) indeed$/.test(tokenOf(frame)))).toBe(
      true,
    );
    expect(odd.frames.some((frame) => frame["xSearchResults"] !== undefined)).toBe(true);
  });

  test("pictures in a chat can be downloaded by their owner only", async () => {
    const sim = simulator();
    const { frames, text } = await read(await chat(sim, "Drawing: a red car"));
    const chunks = frames.flatMap((frame) => {
      const card = frame["cardAttachment"] as Json | undefined;
      return card === undefined ? [] : [inside(parsed(card), "image_chunk")];
    });
    expect(chunks.map((chunk) => chunk?.["progress"])).toEqual([undefined, 50, 100, undefined, 50, 100]);
    expect(text).toContain('card_type="generated_image_card"');
    const path = String(chunks[2]?.["imageUrl"]);
    const picture = await get(sim, `/${path}`);
    expect(picture.headers.get("content-type")).toBe("image/jpeg");
    const bytes = new Uint8Array(await picture.arrayBuffer());
    expect(await new Bun.Image(bytes).metadata()).toMatchObject({ width: 768, height: 1152, format: "jpeg" });
    expect((await fetch(`${sim.url}/${path}`)).status).toBe(403);
    expect((await get(sim, `/${path}`, { token: "sim-super-2" })).status).toBe(403);
    const legacy = await read(
      await post(sim, NEW, { modeId: "fast", message: "cat", toolOverrides: { imageGen: true } }),
    );
    expect(legacy.final?.["generatedImageUrls"]).toHaveLength(2);
    const moderated = await read(await chat(sim, "sim:image-moderated"));
    expect(JSON.stringify(moderated.objects)).toContain('\\"moderated\\":true');
  });

  test("tools: the first declared one is called, and its result ends the matter", async () => {
    const sim = simulator();
    const catalogue = "[system]\n## get_time\nGives the time.\n\n[user]\nsim:tool-text what time is it?";
    const call = (await read(await chat(sim, catalogue))).text;
    expect(call).toBe(
      'Let me look that up.\n\n<tool_calls><tool_call><tool_name>get_time</tool_name><parameters>{"city":"Paris"}</parameters></tool_call></tool_calls>',
    );
    expect(
      (await read(await chat(sim, `${catalogue}\n\n[assistant]\n${call}\n\n[tool result for call_1]\nnoon`))).text,
    ).toBe("The tool answered: noon");
  });

  test("side by side: two candidates", async () => {
    const { frames, text } = await read(await chat(simulator(), "sim:sidebyside sim:json-bare"));
    const other = frames
      .filter((frame) => frame["sideBySideIndex"] === 1)
      .map((frame) => frame["token"])
      .join("");
    expect(other).toBe(text.toUpperCase());
  });

  const inBand: [string, RegExp][] = [
    ["error-first", /"code":13/],
    ["heavy-usage", /"code":8,"message":"Grok is under heavy usage/],
    ["usage-limit-inband", /usage limit/],
    ["antibot-inband", /anti-bot/],
    ["context-too-long", /"severity":"STREAM_ERROR_SEVERITY_FATAL","beyondContextLength":\{\}/],
    ["moderation-inband", /"contentModerated":\{\}/],
    ["stream-error", /"streamErrors":\[\{"message"/],
    ["model-error", /"error":"The model could not answer."/],
    ["error-mid", /"messageTag":"final"[^]*"code":13/],
  ];
  test.each(inBand)("in-band: %s", async (word, pattern) => {
    const response = await chat(simulator(), `sim:${word}`);
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).toMatch(pattern);
    if (word === "error-first") expect(text.trim().split("\n")).toHaveLength(1);
  });

  const refusals: [string, number, RegExp][] = [
    ["moderation", 403, /content-moderated/],
    ["rate-limit", 429, /"code":8,"message":"Too many requests"/],
    ["usage-limit", 429, /usage limit/],
    ["overload", 429, /heavy usage/],
    ["challenge", 403, /Just a moment/],
    ["403", 403, /policy/],
    ["500", 500, /"code":13/],
    ["502", 502, /<html>/],
  ];
  test.each(refusals)("refusal: %s", async (word, status, pattern) => {
    const response = await chat(simulator(), `sim:${word}`);
    expect(response.status).toBe(status);
    expect(await response.text()).toMatch(pattern);
  });

  test("a cut is a broken body, a missing end is a clean one", async () => {
    const sim = simulator();
    const cut = await read(await chat(sim, "sim:cut"));
    // How much of the beginning arrives is up to the kernel: a reset may overtake what was sent before it.
    expect(cut.cut).toBe(true);
    expect(cut.final).toBeUndefined();
    const short = await read(await chat(sim, "sim:no-model-response"));
    expect([short.cut, short.final]).toEqual([false, undefined]);
    expect(sim.stats()).toMatchObject({ cut: 1, completed: 1, open: { total: 0 } });
  });

  test("the edge renews its cookies", async () => {
    const renewed = (await chat(simulator(), "sim:set-cookie")).headers.getSetCookie();
    expect(renewed.map((cookie) => cookie.split("=")[0])).toEqual(["cf_clearance", "__cf_bm"]);
  });

  test("pauses come where they are asked for", async () => {
    const sim = simulator();
    const marks: [string, number][] = [];
    const started = Date.now();
    const response = await chat(sim, "sim:softstop-pause-0.3 sim:silence-0.2");
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? [])
      marks.push([decoder.decode(bytes, { stream: true }), Date.now() - started]);
    const whenSoft = marks.find(([text]) => text.includes('"isSoftStop":true'))?.[1] ?? -1;
    const whenFinal = marks.find(([text]) => text.includes('"modelResponse"'))?.[1] ?? -1;
    expect(whenSoft).toBeGreaterThanOrEqual(190);
    expect(whenFinal - whenSoft).toBeGreaterThanOrEqual(280);
  });
});

describe("leaving", () => {
  for (const word of ["silence-60", "hang", "slow-50", "hang-mid", "softstop-pause-60"]) {
    test(`an abort during ${word} is noticed within 100 ms`, async () => {
      const sim = simulator();
      const leave = new AbortController();
      const response = await chat(sim, `sim:${word}`, { signal: leave.signal });
      const reading = response.text().catch(() => "left");
      await Bun.sleep(60);
      expect(sim.stats().open).toEqual({ total: 1, rest: 1, sockets: 0 });
      leave.abort();
      expect(await eventually(() => sim.stats().open.total === 0, 100)).toBe(true);
      expect(sim.stats()).toMatchObject({ aborted: 1, completed: 0 });
      await reading;
    });
  }

  test("headers that never come", async () => {
    const sim = simulator();
    const leave = new AbortController();
    const asking = chat(sim, "sim:hang-headers", { signal: leave.signal }).catch((error: Error) => error.name);
    expect(await eventually(() => sim.stats().open.total === 1)).toBe(true);
    leave.abort();
    expect(await asking).toBe("AbortError");
    expect(await eventually(() => sim.stats().open.total === 0, 100)).toBe(true);
    expect(sim.stats().aborted).toBe(1);
  });

  test("a reader that does not read stops the writer", async () => {
    const sim = simulator({ unlimited: true });
    const body = JSON.stringify({ modeId: "fast", message: "sim:long-1000000" });
    const socket = connectTcp(sim.port, "127.0.0.1", () => {
      const head = `POST ${NEW} HTTP/1.1\r\nHost: x\r\nCookie: ${cookies("sim-super-1").cookie}\r\n`;
      socket.write(`${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
    socket.pause();
    await eventually(() => sim.stats().tokens > 0);
    await Bun.sleep(300);
    const written = sim.stats().tokens;
    await Bun.sleep(200);
    expect(sim.stats().tokens).toBe(written);
    expect(written).toBeLessThan(200_000);
    socket.destroy();
    expect(await eventually(() => sim.stats().open.total === 0, 200)).toBe(true);
    expect(sim.stats().aborted).toBe(1);
  });
});

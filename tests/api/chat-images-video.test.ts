// Conversations with models that draw or film, through the whole program with OpenAI's own client: always a chat completion, with
// links in its content and progress nowhere but in the reasoning.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import OpenAI, { APIError } from "openai";
import type { ChatCompletionContentPart } from "openai/resources/chat/completions";
import { sniffMedia } from "../../src/media/sniff.ts";
import { rejection } from "../support/events.ts";
import { pngBytes } from "../support/pictures.ts";
import { PROGRAM_KEY, startProgram, type Program } from "../support/program.ts";

let program: Program;
let client: OpenAI;
beforeAll(async () => {
  program = await startProgram({
    pools: { ssoSuper: ["sim-super-1"], ssoBasic: [{ token: "sim-basic-1", tags: ["nsfw"] }] },
    simulation: { mediaDelayMs: 0 },
  });
  client = new OpenAI({ apiKey: PROGRAM_KEY, baseURL: `${program.url}/v1`, maxRetries: 0 });
});
afterAll(() => program.stop());
afterEach(() => program.simulator.reset());

const asked = (path: string) => program.simulator.requests().filter((entry) => entry.path.startsWith(path));
const SOCKET = "/ws/imagine/listen";
const NEW = "/rest/app-chat/conversations/new";
const picture: ChatCompletionContentPart = {
  type: "image_url",
  image_url: { url: `data:image/png;base64,${pngBytes().toBase64()}` },
};
const ask = (model: string, text: string, more: object = {}, parts: ChatCompletionContentPart[] = []) => ({
  model,
  messages: [{ role: "user" as const, content: parts.length > 0 ? [{ type: "text" as const, text }, ...parts] : text }],
  ...more,
});
const say = async (model: string, text: string, more: object = {}, parts: ChatCompletionContentPart[] = []) => {
  const { choices, usage } = await client.chat.completions.create({ ...ask(model, text, more, parts), stream: false });
  const message = choices[0]?.message;
  return {
    content: message?.content ?? "",
    reasoning: String(Reflect.get(message ?? {}, "reasoning_content") ?? ""),
    finish: choices[0]?.finish_reason,
    usage,
  };
};
const streamed = async (model: string, text: string, more: object = {}, parts: ChatCompletionContentPart[] = []) => {
  const contents: string[] = [];
  let reasoning = "";
  for await (const chunk of await client.chat.completions.create({ ...ask(model, text, more, parts), stream: true })) {
    const delta = chunk.choices[0]?.delta;
    if (delta?.content) contents.push(delta.content);
    reasoning += String(Reflect.get(delta ?? {}, "reasoning_content") ?? "");
  }
  return { contents, reasoning };
};
const failed = async (work: Promise<unknown>): Promise<APIError> => {
  const error = await rejection(work);
  if (error instanceof APIError) return error;
  throw error;
};
const links = (content: string) => [...content.matchAll(/!\[image\]\(([^)]+)\)/g)].map(([, url = ""]) => url);

describe("picture models", () => {
  test("a completion with links that open", async () => {
    const { content, finish, usage } = await say("grok-imagine-1.0", "a red bicycle", { image_config: { n: 2 } });
    expect(finish).toBe("stop");
    expect(usage).toMatchObject({ prompt_tokens: 4, completion_tokens: 0, total_tokens: 4 });
    const urls = links(content);
    expect(urls).toHaveLength(2);
    expect(content).toBe(urls.map((url) => `![image](${url})`).join("\n"));
    for (const url of urls) {
      expect(sniffMedia(new Uint8Array(await (await fetch(url)).arrayBuffer()))).toBe("image/jpeg");
    }
  });

  test("streamed: one piece a picture, progress apart", async () => {
    const { contents, reasoning } = await streamed("grok-imagine-1.0", "a cat", { image_config: { n: 2 } });
    expect(contents.map((piece) => links(piece).length)).toEqual([1, 1]);
    expect(reasoning).toBe("Image 50%\n");
  });

  test("without reasoning there is no progress at all", async () => {
    const { contents, reasoning } = await streamed("grok-imagine-1.0", "a cat", { reasoning_effort: "none" });
    expect(contents.join("")).toMatch(/^!\[image\]\(http/);
    expect(reasoning).toBe("");
  });

  test("as data URIs", async () => {
    const { content } = await say("grok-imagine-1.0", "a cat", { image_config: { response_format: "base64" } });
    expect(content).toStartWith("![image](data:image/jpeg;base64,/9j/");
  });

  test("size and ratio reach the upstream", async () => {
    await say("grok-imagine-1.0", "a cat", { image_config: { size: "1792x1024" } });
    expect(JSON.stringify(asked(SOCKET)[0]?.frames)).toContain('"aspect_ratio":"3:2"');
  });

  test("an edit uses all pictures of the last user turn", async () => {
    const { content } = await say("grok-imagine-1.0-edit", "join them", {}, [picture, picture]);
    expect(links(content)).toHaveLength(1);
    expect(asked("/http/upload-file-v2/direct")).toHaveLength(2);
  });

  test.each([
    ["grok-imagine-1.0-edit", "change it", {}, [], "missing_image", "messages"],
    ["grok-imagine-1.0", "like this", {}, [picture], "unsupported_value", "messages.0.content.1.image_url"],
    ["grok-imagine-1.0", "a cat", { image_config: { n: 11 } }, [], "invalid_n", "image_config.n"],
    ["grok-imagine-1.0", "a cat", { image_config: { size: "1x1" } }, [], "invalid_size", "image_config.size"],
    [
      "grok-imagine-1.0",
      "a cat",
      { image_config: { aspect_ratio: "1:7" } },
      [],
      "invalid_aspect_ratio",
      "image_config.aspect_ratio",
    ],
    [
      "grok-imagine-1.0",
      "a cat",
      { image_config: { response_format: "png" } },
      [],
      "invalid_response_format",
      "image_config.response_format",
    ],
    ["grok-imagine-1.0", "a cat", { image_config: 5 }, [], "invalid_value", "image_config"],
    ["grok-imagine-1.0-edit", "a cat", { image_config: { nsfw: true } }, [picture], "adult_with_picture", undefined],
  ] as const)("%s %j %j is refused", async (...row) => {
    const [model, text, more, parts, code, param] = row;
    const error = await failed(say(model, text, more, [...parts]));
    expect(error.status).toBe(400);
    expect(error.code).toBe(code);
    if (param) expect(error.param).toBe(param);
    expect(asked(SOCKET)).toHaveLength(0);
    expect(asked(NEW)).toHaveLength(0);
  });

  test("three at once cannot be streamed", async () => {
    expect((await failed(streamed("grok-imagine-1.0", "a cat", { image_config: { n: 3 } }))).code).toBe(
      "invalid_stream_n",
    );
  });

  test("a verdict on the content is the end: 400, one call", async () => {
    const error = await failed(say("grok-imagine-1.0", "sim:blocked-pictures", { image_config: { n: 2 } }));
    expect([error.status, error.code]).toEqual([400, "content_policy_violation"]);
    expect(asked(SOCKET)).toHaveLength(1);
  });
});

describe("clip models", () => {
  test("a link that plays, with ranges, and progress as reasoning", async () => {
    const { content, reasoning, finish } = await say("grok-imagine-1.0-video", "an asteroid");
    expect(finish).toBe("stop");
    expect(content).toStartWith(`${program.url}/v1/files/video/`);
    expect(reasoning).toBe("Video 1%\nVideo 5%\nVideo 16%\nVideo 33%\nVideo 50%\nVideo 66%\nVideo 94%\nVideo 95%\n");
    const part = await fetch(content, { headers: { range: "bytes=0-15" } });
    expect(part.status).toBe(206);
    expect(part.headers.get("content-type")).toBe("video/mp4");
  });

  test("streamed: the link is the only content", async () => {
    const { contents, reasoning } = await streamed("grok-imagine-1.0-video", "an asteroid");
    expect(contents).toHaveLength(1);
    expect(contents[0]).toMatch(/^http\S+\.mp4$/);
    expect(reasoning).toContain("Video 50%\n");
    const silent = await streamed("grok-imagine-1.0-video", "an asteroid", { thinking: "disabled" });
    expect(silent.reasoning).toBe("");
  });

  test("every wish reaches the upstream in its words", async () => {
    const video_config = { aspect_ratio: "1792x1024", video_length: 8, resolution: "HD", preset: "fun" };
    await say("grok-imagine-1.0-video", "an asteroid", { video_config });
    expect(asked(NEW)[0]?.body).toMatchObject({
      message: "an asteroid --mode=extremely-crazy",
      mediaGenInput: {
        textToVideo: { prompt: "an asteroid", aspectRatio: "3:2", duration: 10, resolutionName: "720p" },
      },
    });
    expect(asked(NEW)[0]?.account).toBe("sim-super-1");
  });

  test("a picture is filmed, also by the old name", async () => {
    for (const model of ["grok-imagine-1.0-video", "grok-imagine-0.9"]) {
      const { content } = await say(model, "it moves", {}, [picture]);
      expect(content).toEndWith(".mp4");
    }
    for (const { body } of asked(NEW)) expect(JSON.stringify(body)).toContain("imageToVideo");
  });

  test.each([
    ["markdown", /^\[video\]\(http\S+\.mp4\)$/],
    [
      "html",
      /^<video id="video" controls="" preload="none" poster="http\S+\.jpg">\n {2}<source id="mp4" src="http\S+\.mp4" type="video\/mp4">\n<\/video>$/,
    ],
  ])("as %s", async (format, pattern) => {
    const other = await startProgram({ env: { GROK2API_APP_VIDEO_FORMAT: format }, upstream: program.simulator });
    const answer = await other.post("/v1/chat/completions", ask("grok-imagine-1.0-video", "an asteroid"));
    const body = (await answer.json()) as { choices: { message: { content: string } }[] };
    expect(body.choices[0]?.message.content).toMatch(pattern);
    await other.stop();
  });

  test.each([
    ["sim:video-moderated", 400, "content_policy_violation"],
    ["sim:moderation", 400, "content_policy_violation"],
    ["sim:video-missing", 502, "video_generation_failed"],
  ])("%s: %i %s, one call, no file", async (text, status, code) => {
    const error = await failed(say("grok-imagine-1.0-video", text));
    expect([error.status, error.code]).toEqual([status, code]);
    expect(asked(NEW)).toHaveLength(1);
    expect(asked("/users/")).toHaveLength(0);
  });

  test.each([
    [{ aspect_ratio: "4:3" }, "invalid_aspect_ratio", "video_config.aspect_ratio"],
    [{ video_length: 16 }, "invalid_video_length", "video_config.video_length"],
    [{ video_length: "long" }, "invalid_video_length", "video_config.video_length"],
    [{ resolution_name: "1080p" }, "invalid_resolution", "video_config.resolution_name"],
    [{ preset: "wild" }, "invalid_preset", "video_config.preset"],
  ])("%j is refused", async (video_config, code, param) => {
    const error = await failed(say("grok-imagine-1.0-video", "an asteroid", { video_config }));
    expect({ status: error.status, code: error.code, param: error.param }).toEqual({ status: 400, code, param });
  });

  test("spicy goes to accounts that are switched on for it, and never with a picture", async () => {
    const video_config = { preset: "spicy" };
    await say("grok-imagine-1.0-video", "a dance", { video_config });
    expect(asked(NEW)[0]?.account).toBe("sim-basic-1");
    const error = await failed(say("grok-imagine-1.0-video", "a dance", { video_config }, [picture]));
    expect([error.status, error.code]).toEqual([400, "adult_with_picture"]);
    expect(asked(NEW)).toHaveLength(1);
  });

  test("on a basic account 720p is filmed small and enlarged", async () => {
    const basic = await startProgram({ pools: { ssoBasic: ["sim-basic-1"] }, upstream: program.simulator });
    const body = ask("grok-imagine-1.0-video", "a river", { video_config: { resolution_name: "720p" } });
    expect((await basic.post("/v1/chat/completions", body)).status).toBe(200);
    expect(JSON.stringify(asked(NEW)[0]?.body)).toContain('"resolutionName":"480p"');
    expect(asked("/rest/media/video/upscale")).toHaveLength(1);
    await basic.stop();
  });
});

// Writes what happens in one simulated answer, step by step, from the scenario words.
// Knows neither REST nor socket frames. Invariant: the same context always gives the same kinds of steps in
// the same order; only identifiers differ.
import { answerText, longTokens, tokensOf } from "./answers.ts";
import type { AnswerContext } from "./answers.ts";
import { randomHex, randomUuid } from "./chance.ts";
import type { Words } from "./scenarios.ts";
import type { CitationCard, Post, Step, StreamFault, WebHit } from "./steps.ts";

export interface ScriptContext extends AnswerContext {
  mode: string;
  /** Pictures to draw; 0 for a plain chat. */
  pictures: number;
  picturePrompt: string;
  legacyPictures: boolean;
  /** Stores a finished picture and gives its path below the assets host. */
  savePicture(index: number): { id: string; path: string };
  /** Where pictures "found on the web" live. */
  origin: string;
}

const WEB: WebHit[] = [
  {
    url: "https://example.com/articles/bun-runtime",
    title: "Bun, a fast runtime",
    preview: "Bun is an all-in-one\ntoolkit…",
  },
  { url: "https://docs.example.org/guide?page=2#top", title: "", preview: "A page without a title" },
  { url: "https://例え.example/記事", title: "記事のタイトル [括弧]", preview: "国際化ドメイン" },
];
const POSTS: Post[] = [
  {
    username: "examplebird",
    name: "Example Bird",
    text: "Grok simulators are the new unit tests 🐦",
    postId: "2082707547203518569",
  },
];

export function* writeScript(context: ScriptContext): Generator<Step> {
  const { words } = context;
  const early = earlySteps(words);
  if (early !== undefined) {
    yield* early;
    return;
  }
  if (words.has("silence-first")) yield { do: "pause", ms: words.number("silence-first") * 1000 };
  if (words.has("frame")) yield { do: "keep-alive", bytes: words.number("frame") * 1024 };
  yield* reasoning(context);
  yield* sources(context);
  yield { do: "layout", layout: "FUNCTION_CALL", agents: [] };
  for (const step of withMiddle(context, body(context))) {
    yield step;
    if (step.do === "cut" || step.do === "fail" || step.do === "hang" || step.do === "session-ended") return;
    if (step.do === "fault" && step.fault.fatal) return;
  }
  yield* ending(context);
}

/** What ends a stream before its first frame of content; undefined for every other script. */
export function earlySteps(words: Words): Step[] | undefined {
  const fail = (code: number, message: string): Step[] => [{ do: "fail", code, message }];
  if (words.has("error-first")) return fail(13, "Internal error");
  if (words.has("heavy-usage")) return fail(8, HEAVY_USAGE);
  if (words.has("rate-limit-inband")) return fail(8, "Too many requests");
  if (words.has("usage-limit-inband")) return fail(8, "You have reached your usage limit for this model.");
  if (words.has("antibot-inband")) return fail(7, "Request rejected by anti-bot rules.");
  if (words.has("context-too-long"))
    return [{ do: "fault", fault: fault("The conversation is too long.", "beyondContextLength") }];
  if (words.has("moderation-inband"))
    return [{ do: "fault", fault: fault("Content violates usage guidelines.", "contentModerated") }];
  if (words.has("cut-first")) return [{ do: "cut" }];
  if (words.has("hang") || words.has("hang-headers")) return [{ do: "hang" }];
  return undefined;
}

export const HEAVY_USAGE =
  "Grok is under heavy usage right now. Please try again later, use a different model or subscribe.";

export function fault(message: string, detail: string): StreamFault {
  return { message, detail, fatal: true };
}

function* reasoning({ words, prompt }: ScriptContext): Generator<Step> {
  if (words.has("thinking") || words.has("thinking-only")) {
    const thought = `The user wrote ${prompt.lastUser.length} characters. 思考中… I should answer briefly. 🤔`;
    for (const text of tokensOf(thought)) yield { do: "token", text, channel: "thinking", step: 0 };
  }
  if (words.has("agents")) yield* agentSteps();
  if (words.has("agent-chat")) {
    const args = { message: "Agent 1, please check the numbers.", to: "Agent 1" };
    yield { do: "tool", id: randomUuid(), tool: "chatroomSend", args, pieces: 1, agent: "Grok", step: 0 };
  }
  if (words.has("toolcard") || words.has("toolcard-split")) {
    const id = randomUuid();
    const pieces = words.has("toolcard-split") ? 3 : 1;
    yield { do: "tool", id, tool: "webSearch", args: { query: "simulated <query> & more" }, pieces, step: 0 };
    yield { do: "found", id, web: WEB.slice(0, 1), step: 0 };
  }
  if (words.has("code")) {
    const id = randomUuid();
    yield {
      do: "tool",
      id,
      tool: "codeExecution",
      args: { code: 'print("2+2 is", 2+2)', language: "python" },
      pieces: 1,
    };
    yield { do: "found", id, code: { stdout: "2+2 is 4\n", stderr: "", exitCode: 0 } };
  }
}

function* agentSteps(): Generator<Step> {
  const agents = ["Grok", "Agent 1"];
  yield { do: "layout", layout: "HEAVY", agents };
  for (const [index, agent] of agents.entries()) {
    yield { do: "token", text: `Plan of ${agent}`, channel: "header", agent, step: index };
    for (const text of tokensOf(`${agent} compares the sources and finds them in agreement.`)) {
      yield { do: "token", text, channel: "summary", agent, step: index };
    }
  }
}

const CITING = ["citation", "citation-split", "citation-late", "citation-unknown", "tags-odd"];

function* sources({ words }: ScriptContext): Generator<Step> {
  if (!words.has("search") && !CITING.some((name) => words.has(name))) return;
  const web = randomUuid();
  yield { do: "tool", id: web, tool: "webSearch", args: { query: "simulated search" }, pieces: 1, step: 0 };
  yield { do: "found", id: web, web: WEB, step: 0 };
  const posts = randomUuid();
  yield { do: "tool", id: posts, tool: "xSearch", args: { query: "from:examplebird" }, pieces: 1, step: 0 };
  yield { do: "found", id: posts, posts: POSTS, step: 0 };
}

function* body(context: ScriptContext): Generator<Step> {
  const { words } = context;
  if (context.pictures > 0) yield* pictures(context);
  else if (words.has("image-searched")) yield* foundPicture(context);
  else if (CITING.some((name) => words.has(name))) yield* citedText(context);
  else if (words.has("long")) {
    for (const text of longTokens(words.number("long"))) yield { do: "token", text, channel: "answer" };
  } else if (words.has("empty") || words.has("thinking-only") || words.has("only-final") || words.has("model-error")) {
    yield { do: "spacer" };
  } else yield* plainText(context);
}

function* plainText(context: ScriptContext): Generator<Step> {
  const { words } = context;
  for (const text of tokensOf(answerText(context))) {
    if (!words.has("sidebyside")) {
      yield { do: "token", text, channel: "answer" };
      continue;
    }
    yield { do: "token", text, channel: "answer", side: 0 };
    yield { do: "token", text: text.toUpperCase(), channel: "answer", side: 1 };
  }
}

function* citedText({ words }: ScriptContext): Generator<Step> {
  const first: CitationCard = { id: randomHex(6), citationId: 0, url: WEB[0]?.url ?? "", source: "web" };
  const second: CitationCard = {
    id: randomHex(6),
    citationId: 3,
    url: `https://x.com/${POSTS[0]?.username}/status/${POSTS[0]?.postId}`,
    source: "x",
  };
  const late = words.has("citation-late");
  const pieces = words.has("citation-split") ? 5 : 1;
  const odd = words.has("tags-odd");
  const say = function* (text: string): Generator<Step> {
    for (const token of tokensOf(text)) yield { do: "token", text: token, channel: "answer" };
  };
  yield* say("Bun is a fast runtime");
  if (!late && !words.has("citation-unknown")) yield { do: "card", card: first };
  yield { do: "cite", card: first, pieces, before: odd ? " (see" : "", after: odd ? ") indeed" : "" };
  if (late) yield { do: "card", card: first };
  yield* say(", and simulators are popular");
  if (!late) yield { do: "card", card: second };
  yield { do: "cite", card: second, pieces, before: "", after: "" };
  if (late) yield { do: "card", card: second };
  yield* say(". 引用结束。");
}

function* pictures(context: ScriptContext): Generator<Step> {
  const { words, legacyPictures: legacy } = context;
  for (let index = 0; index < context.pictures; index++) {
    const cardId = randomHex(6);
    const moderated = words.has("image-moderated");
    const saved = context.savePicture(index);
    const query = context.picturePrompt;
    const chunk = { imageUuid: saved.id, seq: 0, moderated: false, prompt: query, index };
    const preview = saved.path.replace(saved.id, `${saved.id}-part-0`);
    if (!legacy) yield { do: "picture", cardId, query, chunk: null, legacy };
    if (!legacy) yield { do: "picture-tag", cardId, file: `/home/workdir/artifacts/imagine_images/${index}.jpg` };
    yield { do: "picture", cardId, query, legacy, chunk: { ...chunk, imageUrl: preview, progress: 50 } };
    if (words.has("image-missing")) continue;
    const imageUrl = moderated ? "" : saved.path;
    yield { do: "picture", cardId, query, legacy, chunk: { ...chunk, imageUrl, seq: 1, progress: 100, moderated } };
  }
  for (const text of tokensOf("Here is what I drew. 🎨")) yield { do: "token", text, channel: "answer" };
}

function* foundPicture({ origin }: ScriptContext): Generator<Step> {
  const cardId = randomHex(6);
  const picture = {
    title: "A red [square]",
    link: "https://example.com/gallery",
    original: `${origin}/imagine-public/images/found-1.jpg`,
    thumbnail: `${origin}/imagine-public/images/found-1.jpg?size=small`,
    source: "example.com",
  };
  for (const text of tokensOf("I found this picture: ")) yield { do: "token", text, channel: "answer" };
  yield { do: "found-picture", cardId, picture };
  for (const text of tokensOf("\n\nIt fits well.")) yield { do: "token", text, channel: "answer" };
}

/** Puts pauses, cuts, errors and spacers after the middle of the body without holding a long body in memory. */
function* withMiddle(context: ScriptContext, steps: Generator<Step>): Generator<Step> {
  const { words } = context;
  const middle = middleSteps(context);
  if (words.has("long")) {
    const half = Math.max(1, Math.floor(words.number("long") / 2));
    let count = 0;
    for (const step of steps) {
      yield step;
      if (++count === half) yield* middle;
    }
    return;
  }
  const all = [...steps];
  const half = Math.max(1, Math.floor(all.length / 2));
  yield* all.slice(0, half);
  yield* middle;
  yield* all.slice(half);
}

function middleSteps({ words }: ScriptContext): Step[] {
  const steps: Step[] = [];
  if (words.has("spacers")) for (let count = words.number("spacers"); count > 0; count--) steps.push({ do: "spacer" });
  if (words.has("thinking-late")) steps.push({ do: "token", text: "A late thought.", channel: "thinking" });
  if (words.has("silence")) steps.push({ do: "pause", ms: words.number("silence") * 1000 });
  if (words.has("error-mid")) steps.push({ do: "fail", code: 13, message: "Internal error" });
  if (words.has("moderation-mid"))
    steps.push({ do: "fault", fault: fault("Content violates usage guidelines.", "contentModerated") });
  if (words.has("session-ended")) steps.push({ do: "session-ended" });
  if (words.has("hang-mid")) steps.push({ do: "hang" });
  if (words.has("cut")) steps.push({ do: "cut" });
  return steps;
}

function* ending({ words, ...context }: ScriptContext): Generator<Step> {
  if (words.has("no-model-response")) return;
  yield { do: "soft-stop" };
  if (words.has("softstop-pause")) yield { do: "pause", ms: words.number("softstop-pause") * 1000 };
  yield { do: "suggestions" };
  const faults = words.has("stream-error") ? [fault("Something went wrong while answering.", "internalError")] : [];
  let extra = words.has("longer-final") ? " This sentence came with the final message only." : "";
  if (words.has("only-final")) extra = answerText({ words, ...context });
  const error = words.has("model-error") ? "The model could not answer." : undefined;
  yield { do: "final", extra, faults, ...(error === undefined ? {} : { error }) };
  yield { do: "title", title: "Simulated greeting" };
}

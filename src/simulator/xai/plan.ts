// Decides what one answer consists of: its parts in order, what disturbs it, and its bill.
// Knows no wire shape. Invariant: the same ask gives the same parts; only identifiers differ.
import { answerText, longTokens, tokensOf } from "../answers.ts";
import { previewJpeg } from "../pictures.ts";
import type { Words } from "../scenarios.ts";
import { fieldsOf, textOf } from "../fields.ts";
import type { XaiAsk, XaiFunction } from "./ask.ts";
import { sealBlob } from "./blobs.ts";
import type { XaiCall } from "./call.ts";
import { sampleOf } from "./schema.ts";
import { spoken } from "./spoken.ts";
import type { Spoken } from "./spoken.ts";
import { countTokens, NO_TOOLS, SAMPLES, ticksOf } from "./usage.ts";
import type { ToolCounts, Usage } from "./usage.ts";

export interface Annotation {
  type: "url_citation";
  url: string;
  title: string;
  start_index: number;
  end_index: number;
}

export type Part =
  | { do: "reason"; summary: string[]; raw: boolean; blob: string | undefined }
  | { do: "say"; spoken: Spoken; annotations: Annotation[] }
  | { do: "call"; name: string; args: string }
  | { do: "web-search"; query: string; sources: string[] }
  | { do: "x-search"; query: string; asTrace: boolean }
  | { do: "run-code"; code: string; output: string }
  | { do: "draw"; prompt: string; picture: string }
  | { do: "ask-server"; label: string; name: string; output: string };

export type Disturbance =
  { do: "pause"; ms: number } | { do: "cut" } | { do: "hang" } | { do: "error" } | { do: "failed" };

export interface Plan {
  parts: Part[];
  early: Disturbance[];
  middle: Disturbance[];
  usage: Usage;
  modelId: string;
  fingerprint: string;
  incomplete: "max_output_tokens" | "content_filter" | undefined;
  delayMs: number;
}

const REASONING_TOKENS = { none: 0, low: 64, medium: 128, high: 256, xhigh: 512 } as const;

export async function planAnswer(call: XaiCall, ask: XaiAsk): Promise<Plan> {
  const { words, model } = ask;
  const sample = SAMPLES[Object.keys(SAMPLES).find((name) => words.has(name)) ?? ""];
  const reasoning = model.reasons ? REASONING_TOKENS[ask.effort ?? "medium"] : 0;
  const lead = reasoning > 0 ? [reasoningPart(call, ask)] : [];
  const served = await serverParts(ask);
  const { parts, cut } = limited(ask, { parts: [...lead, ...served.parts, ...answerParts(call, ask)], reasoning });
  const usage = sample?.usage ?? bill(call, ask, { parts, reasoning, tools: served.tools });
  return {
    parts,
    early: earlyDisturbances(words),
    middle: middleDisturbances(words),
    usage: words.has("no-cost") ? { ...usage, ticks: undefined } : usage,
    modelId: sample?.model ?? model.id,
    fingerprint: sample?.fingerprint ?? "fp_9d1c7b2f04",
    incomplete: cut ? "max_output_tokens" : words.has("content-filter") ? "content_filter" : undefined,
    delayMs: delayOf(call, words),
  };
}

export function tokenCountOf(part: Part): number {
  return part.do === "say" ? part.spoken.tokens.length : 0;
}

function reasoningPart(call: XaiCall, ask: XaiAsk): Part {
  const shown = ["thinking", "thinking-only", "thinking-text", "thinking-repeat"].some((name) => ask.words.has(name));
  const thought = `The user wrote ${ask.lastUser.length} characters. 思考中… I should answer briefly. 🤔`;
  return {
    do: "reason",
    summary: shown || ask.wantsSummary ? tokensOf(thought) : [],
    raw: ask.words.has("thinking-text"),
    blob: ask.wantsEncrypted ? sealBlob(call.key.team.id, "reasoning") : undefined,
  };
}

function answerParts(call: XaiCall, ask: XaiAsk): Part[] {
  const { words } = ask;
  if (words.has("thinking-only")) return [];
  const calls = functionCalls(ask);
  const lead = words.has("tool-text") ? [say(tokensOf("Let me look that up."))] : [];
  if (calls.length > 0) return [...lead, ...calls];
  if (words.has("empty")) return [say([])];
  if (words.has("long")) return [{ do: "say", spoken: longText(call, words.number("long")), annotations: [] }];
  const text = wantedText(ask);
  const cited = searches(ask) ? citedText(words) : undefined;
  if (cited !== undefined) return [cited];
  const message = say(tokensOf(text));
  return words.has("two-messages") ? [message, message] : [message];
}

function wantedText(ask: XaiAsk): string {
  const { words, turns, lastUser, format, attachments, toolOutput } = ask;
  if (typeof format === "object") return JSON.stringify(sampleOf(format.schema));
  if (format === "json_object") return '{"city":"Paris","temperature":21.5,"ok":true}';
  if (words.has("prompt")) return turns.map(({ role, text }) => `[${role}] ${text}`).join("\n");
  if (toolOutput !== undefined) return `The tool answered: ${toolOutput.trim()}`;
  const turn = 1 + turns.filter(({ role }) => role === "assistant").length;
  if (["echo", "json", "json-bare", "markdown"].some((name) => words.has(name))) {
    const prompt = { message: lastUser, turns, lastUser, toolResult: undefined, corrected: false, toolNames: [] };
    return answerText({ words, prompt, attachments, turn });
  }
  const files = `${attachments} attachment${attachments === 1 ? "" : "s"}`;
  const later = turn > 1 ? ` This is turn ${turn} of our conversation.` : "";
  return (
    `Hello from the simulated xAI API 👋 你好！You said: “${[...lastUser].slice(0, 400).join("")}”\n\n` +
    `I received ${files}.${later} 🚀 完毕。`
  );
}

function functionCalls(ask: XaiAsk): Part[] {
  const { words, functions, choice, toolOutput } = ask;
  const forced = typeof choice === "object" ? functions.find(({ name }) => name === choice.name) : undefined;
  const asked = ["tool", "tool-text", "tool-two", "finish-empty"].some((name) => words.has(name));
  const must = forced !== undefined || choice === "required";
  const first = forced ?? functions[0];
  if (first === undefined || choice === "none") return [];
  if (!must && (!asked || toolOutput !== undefined)) return [];
  const second = words.has("tool-two") && ask.parallel ? [forced ?? functions[1] ?? first] : [];
  return [first, ...second].map((wanted, index) => callOf(wanted, index));
}

function callOf({ name, parameters }: XaiFunction, index: number): Part {
  const args = fieldsOf(sampleOf(parameters ?? {}) ?? {});
  // The second call asks about another city, so that the two can be told apart.
  const shown = index === 1 && "city" in args ? { ...args, city: "Rome" } : args;
  return { do: "call", name, args: JSON.stringify(shown) };
}

// --- server tools -----------------------------------------------------------------------------------------

const SOURCES = ["https://example.com/articles/bun-runtime", "https://docs.example.org/guide?page=2#top"];
const CITING = ["search", "citation-bare", "citation-markup"];

const given = (ask: XaiAsk, type: RegExp): boolean =>
  ask.choice !== "none" && ask.serverTools.some((tool) => type.test(textOf(tool["type"])));

const searches = (ask: XaiAsk): boolean =>
  given(ask, /^web_search$/) && CITING.some((name) => ask.words.has(name)) && ask.toolOutput === undefined;

async function serverParts(ask: XaiAsk): Promise<{ parts: Part[]; tools: ToolCounts | undefined }> {
  const { words } = ask;
  const parts: Part[] = [];
  const tools: ToolCounts = { ...NO_TOOLS };
  if (searches(ask)) {
    parts.push({ do: "web-search", query: "simulated search", sources: SOURCES });
    tools.web_search_calls += 1;
  }
  const told = words.has("x-search-call");
  if (given(ask, /^x_search$/) && (told || words.has("x-search"))) {
    parts.push({ do: "x-search", query: "from:examplebird", asTrace: !told });
    Object.assign(tools, { x_search_calls: 1, x_posts_fetched: 3, x_users_fetched: 1 });
  }
  if (given(ask, /^code_(interpreter|execution)$/) && words.has("code")) {
    parts.push({ do: "run-code", code: 'print("2+2 is", 2+2)', output: "2+2 is 4\n" });
    tools.code_interpreter_calls += 1;
  }
  if (given(ask, /^image_generation$/) && words.has("image")) {
    const picture = await previewJpeg({ seed: ask.lastUser, width: 512, height: 512 });
    parts.push({ do: "draw", prompt: ask.lastUser.slice(0, 300), picture: Buffer.from(picture).toString("base64") });
    tools.image_generation_calls += 1;
  }
  const server = ask.serverTools.find((tool) => tool["type"] === "mcp");
  if (server !== undefined && words.has("mcp")) {
    parts.push({ do: "ask-server", label: textOf(server["server_label"]), name: "lookup", output: '{"found":true}' });
    tools.mcp_calls += 1;
  }
  return { parts, tools: parts.length > 0 ? tools : undefined };
}

function citedText(words: Words): Part {
  const marked = words.has("citation-markup")
    ? "\ue200render_inline_citation\ue202citation_id\ue2020\ue201"
    : `[[1]](${SOURCES[0]})`;
  const before = "Bun is a fast runtime";
  const text = words.has("citation-bare") ? `${before}.` : `${before}${marked}, and simulators are popular.`;
  const start = words.has("citation-bare") ? 0 : before.length;
  const end = words.has("citation-bare") ? 0 : before.length + marked.length;
  const annotation = { type: "url_citation" as const, start_index: start, end_index: end };
  return {
    ...say(tokensOf(text)),
    annotations: [{ ...annotation, url: SOURCES[0] ?? "", title: "1" }],
  };
}

// --- size, time and price ---------------------------------------------------------------------------------

function say(tokens: string[]): Extract<Part, { do: "say" }> {
  return { do: "say", spoken: spoken(tokens), annotations: [] };
}

function longText({ world }: XaiCall, count: number): Spoken {
  const known = world.xai.longTexts.get(String(count));
  if (known !== undefined) return known;
  const made = spoken([...longTokens(count)]);
  world.xai.longTexts.set(String(count), made);
  return made;
}

function limited(ask: XaiAsk, made: { parts: Part[]; reasoning: number }): { parts: Part[]; cut: boolean } {
  if (ask.limit === undefined) return { parts: made.parts, cut: false };
  let left = ask.limit - (ask.limitsReasoning ? made.reasoning : 0);
  const parts: Part[] = [];
  for (const part of made.parts) {
    const size = tokenCountOf(part);
    if (size <= left || (size === 0 && part.do === "reason")) {
      parts.push(part);
      left -= size;
      continue;
    }
    if (part.do === "say" && left > 0) {
      const { tokens, json } = part.spoken;
      parts.push({ ...part, spoken: { tokens: tokens.slice(0, left), json: json.slice(0, left) } });
    }
    return { parts, cut: true };
  }
  return { parts, cut: left < 0 };
}

function bill(
  call: XaiCall,
  ask: XaiAsk,
  made: { parts: Part[]; reasoning: number; tools: ToolCounts | undefined },
): Usage {
  const said = made.parts.reduce((sum, part) => sum + tokenCountOf(part), 0);
  const calls = made.parts.reduce((sum, part) => sum + (part.do === "call" ? countTokens(part.args) + 12 : 0), 0);
  // What server tools found is read by the model, too.
  const input = ask.inputTokens + (made.tools === undefined ? 0 : 2_000);
  const counts = {
    input,
    cached: cachedTokens(call, ask, input),
    output: said + calls + made.reasoning,
    reasoning: made.reasoning,
    tools: made.tools,
    context: { input: ask.inputTokens, output: said + calls },
  };
  return { ...counts, ticks: ticksOf(ask.model.id, counts, ask.priority) };
}

/** A conversation that is named finds its earlier prompt in the cache, in blocks of 64 tokens. */
function cachedTokens({ world, key }: XaiCall, ask: XaiAsk, input: number): number {
  if (ask.conversation === "") return 0;
  const name = `${key.team.id}/${ask.model.id}/${ask.conversation}`;
  const before = Math.min(world.xai.cached.get(name) ?? 0, input);
  world.xai.cached.set(name, input);
  return Math.floor(before / 64) * 64;
}

function earlyDisturbances(words: Words): Disturbance[] {
  if (words.has("error-first")) return [{ do: "error" }];
  if (words.has("cut-first")) return [{ do: "cut" }];
  if (words.has("hang")) return [{ do: "hang" }];
  return words.has("silence-first") ? [{ do: "pause", ms: words.number("silence-first") * 1000 }] : [];
}

function middleDisturbances(words: Words): Disturbance[] {
  const found: Disturbance[] = [];
  if (words.has("silence")) found.push({ do: "pause", ms: words.number("silence") * 1000 });
  if (words.has("error-mid")) found.push({ do: "error" });
  if (words.has("failed")) found.push({ do: "failed" });
  if (words.has("hang-mid")) found.push({ do: "hang" });
  if (words.has("cut")) found.push({ do: "cut" });
  return found;
}

function delayOf({ world, key }: XaiCall, words: Words): number {
  if (words.has("burst")) return 0;
  if (words.has("slow")) return words.number("slow");
  return key.kind === "slow" ? 400 : world.options.tokenDelayMs;
}

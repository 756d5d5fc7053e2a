// The words by which a prompt chooses what the simulated upstream does; what a word does is in script.ts and refusals.ts.
// Write `sim:<word>` in the last user turn; several combine: "Hello sim:thinking sim:slow"; a number follows a dash:
// `sim:silence-60`. An account can carry words of its own (`scenario`). Without a word the answer quotes the user.
// Every word works over REST and over the chat socket unless its summary says otherwise.
// Invariant: every word that the simulator obeys is a row of SCENARIOS.

export interface Scenario {
  name: string;
  group: "answer" | "reasoning" | "sources" | "pictures" | "timing" | "failure" | "refusal" | "framing" | "socket";
  summary: string;
  /** Default of the number after the dash, for words that take one. */
  number?: number;
}

export const SCENARIOS: readonly Scenario[] = [
  { name: "echo", group: "answer", summary: "the answer is exactly the last user turn" },
  { name: "prompt", group: "answer", summary: "the answer is the whole message as it arrived" },
  { name: "long", group: "answer", number: 1000, summary: "an answer of N tokens" },
  { name: "json", group: "answer", summary: "a fenced JSON object" },
  { name: "json-bare", group: "answer", summary: "a JSON object without a fence" },
  { name: "json-late", group: "answer", summary: "broken JSON until the answer is shown again with a remark" },
  {
    name: "tool",
    group: "answer",
    summary: "a <tool_calls> block for the first tool named in the prompt; text once a result is there",
  },
  { name: "tool-text", group: "answer", summary: "the same with a sentence before the block" },
  { name: "tool-two", group: "answer", summary: "two calls in one block" },
  { name: "tool-late", group: "answer", summary: "no call until the answer is shown again with a remark" },
  { name: "tool-broken", group: "answer", summary: "a <tool_calls> block that is never closed" },
  { name: "artifact", group: "answer", summary: "a <xaiartifact> element inside the answer" },
  { name: "tags-odd", group: "answer", summary: "text directly before and after tags inside the same token" },
  { name: "think-tag", group: "answer", summary: "a literal <think> element inside the answer text" },
  { name: "markdown", group: "answer", summary: "headings, a list, a table and a code block" },
  { name: "sidebyside", group: "answer", summary: "two candidate answers, marked sideBySideIndex 0 and 1 (REST)" },
  { name: "longer-final", group: "answer", summary: "the final message is longer than the streamed tokens" },
  { name: "only-final", group: "answer", summary: "no token at all, the text comes in the final message only" },
  { name: "empty", group: "answer", summary: "a complete answer without any text (voice: without a token)" },
  { name: "spacers", group: "answer", number: 50, summary: "N empty tokens among the real ones" },
  { name: "thinking", group: "reasoning", summary: "reasoning tokens before the answer" },
  { name: "thinking-late", group: "reasoning", summary: "a reasoning token after visible text" },
  { name: "thinking-only", group: "reasoning", summary: "reasoning, then no answer text" },
  { name: "agents", group: "reasoning", summary: "step titles and summaries by two agents" },
  { name: "toolcard", group: "reasoning", summary: "a tool usage card in one token, and its result" },
  { name: "toolcard-split", group: "reasoning", summary: "the card's XML over three tokens" },
  { name: "agent-chat", group: "reasoning", summary: "agents write to each other (chatroom_send cards)" },
  { name: "code", group: "reasoning", summary: "a code execution card with its output" },
  { name: "search", group: "sources", summary: "web and X searches with results, no citation in the text" },
  { name: "citation", group: "sources", summary: "search results, cards, and citation tags in the text" },
  { name: "citation-split", group: "sources", summary: "the citation tags split over several tokens" },
  { name: "citation-late", group: "sources", summary: "each card arrives after its tag" },
  { name: "citation-unknown", group: "sources", summary: "a citation tag whose card never comes (REST)" },
  { name: "image", group: "pictures", summary: "a generated picture: placeholder, 50 %, 100 %" },
  {
    name: "image-legacy",
    group: "pictures",
    summary: "streamingImageGenerationResponse frames and generatedImageUrls (REST)",
  },
  { name: "image-moderated", group: "pictures", summary: "the picture is withheld at 100 %" },
  { name: "image-missing", group: "pictures", summary: "a placeholder whose picture never comes" },
  { name: "image-searched", group: "pictures", summary: "a picture found on the web" },
  { name: "video-moderated", group: "pictures", summary: "a video that is withheld (video calls)" },
  { name: "video-missing", group: "pictures", summary: "a video that reaches 100 % without an address (video calls)" },
  { name: "file-size", group: "pictures", number: 200, summary: "a clip of N MB (video calls)" },
  { name: "asset-late", group: "pictures", summary: "the file is refused twice before it can be had (edits, videos)" },
  { name: "asset-refused", group: "pictures", summary: "the file can never be had (edits, videos)" },
  {
    name: "blocked-picture",
    group: "pictures",
    summary: "image socket: the last slot is moderated (all: sim:blocked-pictures)",
  },
  { name: "blocked-pictures", group: "pictures", summary: "image socket: every slot is moderated" },
  { name: "nsfw", group: "pictures", summary: "image socket: moderated unless account and request both allow it" },
  { name: "no-verdict", group: "pictures", summary: "image socket: finished pictures whose slots are never closed" },
  { name: "few-pictures", group: "pictures", summary: "image socket: one slot only, however many were asked for" },
  { name: "no-final", group: "pictures", summary: "image socket: previews, then silence" },
  { name: "slow", group: "timing", number: 400, summary: "N milliseconds before every token" },
  { name: "burst", group: "timing", summary: "no delay between tokens" },
  { name: "silence", group: "timing", number: 5, summary: "N seconds of silence in the middle" },
  { name: "silence-first", group: "timing", number: 5, summary: "N seconds of silence before the first token" },
  {
    name: "softstop-pause",
    group: "timing",
    number: 5,
    summary: "the soft stop, N seconds of silence, then the final message",
  },
  { name: "hang", group: "timing", summary: "headers, then nothing for ever" },
  { name: "hang-mid", group: "timing", summary: "half an answer, then nothing for ever" },
  { name: "hang-headers", group: "timing", summary: "never answers (socket: nothing after the request)" },
  { name: "cut", group: "failure", summary: "the connection is cut midway, without a final message" },
  { name: "cut-first", group: "failure", summary: "the connection is cut after the headers" },
  { name: "no-model-response", group: "failure", summary: "a clean end without soft stop and final message" },
  { name: "error-first", group: "failure", summary: "an in-band error as the first line" },
  { name: "error-mid", group: "failure", summary: "an in-band error after some text" },
  { name: "stream-error", group: "failure", summary: "a finished answer that carries streamErrors" },
  {
    name: "model-error",
    group: "failure",
    summary: "a finished answer without text that carries an error string (REST)",
  },
  { name: "heavy-usage", group: "failure", summary: "in-band: under heavy usage" },
  { name: "rate-limit-inband", group: "failure", summary: "in-band: too many requests" },
  { name: "usage-limit-inband", group: "failure", summary: "in-band: usage limit reached" },
  { name: "antibot-inband", group: "failure", summary: "in-band: anti-bot rules" },
  { name: "context-too-long", group: "failure", summary: "in-band: beyondContextLength" },
  { name: "moderation-inband", group: "failure", summary: "in-band: contentModerated" },
  { name: "moderation-mid", group: "failure", summary: "contentModerated after some text" },
  { name: "moderation", group: "refusal", summary: "403 content-moderated" },
  { name: "rate-limit", group: "refusal", summary: "429 code 8 too many requests" },
  { name: "usage-limit", group: "refusal", summary: "429 usage limit" },
  { name: "overload", group: "refusal", summary: "429 code 8 under heavy usage" },
  { name: "antibot", group: "refusal", summary: "403 anti-bot rules" },
  { name: "outdated", group: "refusal", summary: "403 out of date" },
  { name: "challenge", group: "refusal", summary: "403 challenge page (socket: connection cut)" },
  { name: "400", group: "refusal", summary: "400 code 3" },
  { name: "401", group: "refusal", summary: "401 code 16" },
  { name: "403", group: "refusal", summary: "403 with an undocumented JSON body" },
  { name: "404", group: "refusal", summary: "404 code 5" },
  { name: "500", group: "refusal", summary: "500 code 13" },
  { name: "502", group: "refusal", summary: "502 HTML" },
  { name: "503", group: "refusal", summary: "503 code 14" },
  { name: "concat", group: "framing", summary: "objects without a separator (REST)" },
  { name: "pretty", group: "framing", summary: "objects printed over many lines (REST)" },
  { name: "sse", group: "framing", summary: "event and data lines, [DONE] at the end (REST)" },
  { name: "blank-lines", group: "framing", summary: "blank lines between the objects (REST)" },
  { name: "no-final-newline", group: "framing", summary: "the last line has no newline (REST)" },
  { name: "bytes", group: "framing", summary: "chunks cut at 1 to 7 bytes, also inside characters (REST)" },
  { name: "escaped", group: "framing", summary: "<, > and & written as \\u003c, \\u003e, \\u0026" },
  { name: "set-cookie", group: "framing", summary: "the edge renews cf_clearance and __cf_bm by Set-Cookie (REST)" },
  { name: "frame", group: "framing", number: 300, summary: "one frame of N kB that carries nothing of interest" },
  { name: "delta", group: "socket", summary: "response.output_text.delta instead of chunks" },
  { name: "done-text", group: "socket", summary: "response.output_text.done alone carries the text" },
  { name: "search-event", group: "socket", summary: "sources come as response.search.result" },
  { name: "image-card", group: "socket", summary: "pictures come as response.grok.output card attachments" },
  {
    name: "unknown-events",
    group: "socket",
    summary: "events and chunks that nobody has documented, and a binary frame",
  },
  {
    name: "foreign-session",
    group: "socket",
    summary: "a session.created for another client comes first (account scenario)",
  },
  { name: "no-attach", group: "socket", summary: "conversation.attached never comes (account scenario)" },
  { name: "session-ended", group: "socket", summary: "session.ended before response.done" },
  { name: "incomplete", group: "socket", summary: "response.done with the status incomplete" },
];

export interface Words {
  has(name: string): boolean;
  /** The word's number; its default when written without one. */
  number(name: string): number;
  readonly names: readonly string[];
}

/** Reads the words of one table; its numbers are what a word means without one. */
export function createWordReader(rows: readonly { name: string; number?: number }[]): (...texts: string[]) => Words {
  const numbered = new Map(rows.flatMap(({ name, number }) => (number === undefined ? [] : [[name, number] as const])));
  return (...texts) => {
    const found = new Map<string, number>();
    for (const text of texts) {
      for (const match of text.matchAll(/\bsim:([a-z0-9][a-z0-9.-]*)/gi)) {
        const word = (match[1] ?? "").toLowerCase().replace(/[.-]+$/, "");
        const [, name, digits] = /^([a-z-]+)-(\d+(?:\.\d+)?)$/.exec(word) ?? [];
        if (name !== undefined && numbered.has(name)) found.set(name, Number(digits));
        else found.set(word, numbered.get(word) ?? 0);
      }
    }
    return {
      has: (name) => found.has(name),
      number: (name) => found.get(name) ?? numbered.get(name) ?? 0,
      names: [...found.keys()],
    };
  };
}

export const readWords = createWordReader(SCENARIOS);

/** Rows whose words this request used but the table does not know: a typing error in a test must not pass silently. */
export function unknownWords(words: Words): string[] {
  return words.names.filter((name) => !SCENARIOS.some((row) => row.name === name));
}

// The texts that the simulated model says, and how they are cut into tokens.
// Knows no frame. Invariant: the tokens of a text, joined, are the text.
import type { Prompt } from "./prompt.ts";
import type { Words } from "./scenarios.ts";

export interface AnswerContext {
  words: Words;
  prompt: Prompt;
  attachments: number;
  /** 1 for the first answer of a conversation. */
  turn: number;
}

export function answerText(context: AnswerContext): string {
  const { words, prompt } = context;
  if (words.has("echo")) return prompt.lastUser;
  if (words.has("prompt")) return prompt.message;
  if (words.has("json")) return '```json\n{\n  "city": "Paris",\n  "temperature": 21.5,\n  "ok": true\n}\n```';
  if (words.has("json-bare")) return '{"city":"Paris","temperature":21.5,"ok":true}';
  if (words.has("json-late")) return prompt.corrected ? '{"city":"Paris"}' : 'Sure! {"city": Paris';
  if (words.has("artifact")) return ARTIFACT;
  if (words.has("think-tag")) return "<think>\nThe user wants a number.\n</think>\nThe number is 42.";
  if (words.has("markdown")) return MARKDOWN;
  const calls = toolAnswer(context);
  return calls ?? defaultAnswer(context);
}

function defaultAnswer({ prompt, attachments, turn }: AnswerContext): string {
  const characters = [...prompt.lastUser];
  const quote = characters.length > 400 ? `${characters.slice(0, 400).join("")}…` : prompt.lastUser;
  const files = `${attachments} attachment${attachments === 1 ? "" : "s"}`;
  const later = turn > 1 ? ` This is turn ${turn} of our conversation.` : "";
  return (
    `Hello from the simulated Grok 👋 你好！You said: “${quote}”\n\n` +
    `I received ${files}.${later} Write \`sim:thinking\`, \`sim:search\` or \`sim:image\` in a message ` +
    "to see more of what the upstream can do. 🚀 完毕。"
  );
}

function toolAnswer({ words, prompt }: AnswerContext): string | undefined {
  const asked = ["tool", "tool-text", "tool-two", "tool-broken", "tool-late"].some((name) => words.has(name));
  if (!asked) return undefined;
  if (prompt.toolResult !== undefined) return `The tool answered: ${prompt.toolResult.trim()}`;
  if (words.has("tool-late") && !prompt.corrected) return "I would rather talk about it.";
  const first = prompt.toolNames[0] ?? "get_weather";
  const call = (name: string, city: string): string =>
    `<tool_call><tool_name>${name}</tool_name><parameters>{"city":"${city}"}</parameters></tool_call>`;
  const lead = words.has("tool-text") ? "Let me look that up.\n\n" : "";
  if (words.has("tool-broken"))
    return `${lead}<tool_calls><tool_call><tool_name>${first}</tool_name><parameters>{"city":`;
  const second = words.has("tool-two") ? call(prompt.toolNames[1] ?? first, "Rome") : "";
  return `${lead}<tool_calls>${call(first, "Paris")}${second}</tool_calls>`;
}

/** Words with the blanks that follow them, one or two ideographs, long runs cut: about what the upstream does. */
export function tokensOf(text: string): string[] {
  return (
    text.match(
      /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]{1,2}|[^\s\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]{1,24}\s{0,8}|\s{1,8}/gu,
    ) ?? []
  );
}

export function* longTokens(count: number): Generator<string> {
  for (let index = 0; index < count; index++) yield index % 16 === 15 ? `word${index}.\n` : `word${index} `;
}

const ARTIFACT =
  'Here is the page:\n\n<xaiartifact artifact_id="a1b2c3" title="hello.html" contentType="text/html">\n' +
  "<!doctype html>\n<h1>Hello</h1>\n</xaiartifact>\n\nOpen it in a browser.";

const MARKDOWN = `# A small report

Some **bold** and *slanted* text with \`code\` and a [link](https://example.com/).

1. First
2. Second

| city | °C |
| --- | --- |
| Paris | 21 |
| 東京 | 27 |

\`\`\`ts
const answer: number = 42;
\`\`\`

> Done ✅`;

// The parser of emulated tool calls: every syntax, every split point, and that no text is ever lost.
import { describe, expect, test } from "bun:test";
import type { ToolDefinition } from "../../src/core/request.ts";
import { createToolReader } from "../../src/core/tool-reader.ts";

const tools: readonly ToolDefinition[] = [
  {
    name: "get_weather",
    parameters: { type: "object", properties: { city: { type: "string" }, days: { type: "number" } } },
  },
  { name: "Search", parameters: { type: "object" } },
];

type Said = string | { readonly call: string; readonly with: unknown };

const read = (pieces: readonly string[], parallel = true): Said[] => {
  const said: Said[] = [];
  const reader = createToolReader(
    { tools, parallel },
    {
      text(text) {
        const last = said.at(-1);
        if (typeof last === "string") said[said.length - 1] = last + text;
        else said.push(text);
      },
      call: (name, json) => said.push({ call: name, with: JSON.parse(json) }),
    },
  );
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return said;
};

const paris: Said = { call: "get_weather", with: { city: "Paris" } };
const element = (name: string, json: string) =>
  `<tool_call><tool_name>${name}</tool_name><parameters>${json}</parameters></tool_call>`;
const block = (...calls: string[]) => `<tool_calls>${calls.join("")}</tool_calls>`;
const PARIS = '{"city":"Paris"}';

/** Name, answer of the model, what is read. */
const CALLS: [name: string, answer: string, said: Said[]][] = [
  ["the envelope that is asked for", block(element("get_weather", PARIS)), [paris]],
  ["indented, over lines", `<tool_calls>\n  ${element("get_weather", `\n${PARIS}\n`)}\n</tool_calls>\n`, [paris]],
  ["after text", `Let me look.\n\n${block(element("get_weather", PARIS))}`, ["Let me look.", paris]],
  [
    "two calls in one block",
    block(element("get_weather", PARIS), element("Search", '{"q":"x"}')),
    [paris, { call: "Search", with: { q: "x" } }],
  ],
  [
    "two blocks",
    `${block(element("get_weather", PARIS))}\n${block(element("Search", "{}"))}`,
    [paris, { call: "Search", with: {} }],
  ],
  ["text after the call is dropped", `${block(element("get_weather", PARIS))} There you are.`, [paris]],
  ["a bare call", element("get_weather", PARIS), [paris]],
  [
    "other letters' case",
    block(element("GET_WEATHER", PARIS)).toUpperCase().replace('"CITY":"PARIS"', '"city":"Paris"'),
    [paris],
  ],
  ["blanks around the name", block(element("  get_weather\n", PARIS)), [paris]],
  ["a call as JSON", `<tool_call>{"name":"get_weather","arguments":${PARIS}}</tool_call>`, [paris]],
  [
    "a call as JSON with text arguments",
    `<tool_call>${JSON.stringify({ name: "get_weather", arguments: PARIS })}</tool_call>`,
    [paris],
  ],
  ["a list in the envelope", `<tool_calls>[{"name":"get_weather","arguments":${PARIS}}]</tool_calls>`, [paris]],
  ["function_call", `<function_call><name>get_weather</name><arguments>${PARIS}</arguments></function_call>`, [paris]],
  [
    "function_calls with invoke",
    `<function_calls><invoke name="get_weather">${PARIS}</invoke></function_calls>`,
    [paris],
  ],
  ["invoke with parameters", '<invoke name="get_weather"><parameter name="city">Paris</parameter></invoke>', [paris]],
  [
    "parameters by their schema",
    '<invoke name="get_weather"><parameter name="city">5</parameter><parameter name="days">5</parameter></invoke>',
    [{ call: "get_weather", with: { city: "5", days: 5 } }],
  ],
  [
    "the site's own markup",
    '<xai:function_call name="get_weather"><parameter name="city">Paris</parameter></xai:function_call>',
    [paris],
  ],
  [
    "an object with tool_calls",
    `{"tool_calls":[{"type":"function","function":{"name":"get_weather","arguments":${JSON.stringify(PARIS)}}}]}`,
    [paris],
  ],
  [
    "the same over lines, after text",
    `Well:\n{\n  "tool_calls": [{"name": "get_weather", "arguments": ${PARIS}}]\n}`,
    ["Well:", paris],
  ],
  ["a list of calls", `[{"name":"get_weather","parameters":${PARIS}}]`, [paris]],
  [
    "no arguments at all",
    block("<tool_call><tool_name>Search</tool_name></tool_call>"),
    [{ call: "Search", with: {} }],
  ],
  ["empty arguments", block(element("Search", "")), [{ call: "Search", with: {} }]],
  [
    "closing tags inside a string",
    block(element("Search", '{"q":"</parameters></tool_call></tool_calls>"}')),
    [{ call: "Search", with: { q: "</parameters></tool_call></tool_calls>" } }],
  ],
  [
    "calls inside a string are no calls",
    block(element("Search", '{"q":"<tool_call><tool_name>get_weather</tool_name></tool_call>"}')),
    [{ call: "Search", with: { q: "<tool_call><tool_name>get_weather</tool_name></tool_call>" } }],
  ],
  ["escaped quotes", block(element("get_weather", "{&quot;city&quot;:&quot;Paris&quot;}")), [paris]],
  [
    "escaped text",
    block(element("Search", '{"q":"a &lt; b &amp;&amp; c"}')),
    [{ call: "Search", with: { q: "a < b && c" } }],
  ],
  [
    "entities beside bare markup are meant",
    block(element("Search", '{"q":"<p>a &amp; b</p>"}')),
    [{ call: "Search", with: { q: "<p>a &amp; b</p>" } }],
  ],
  ["a comma too many", block(element("get_weather", '{"city":"Paris",}')), [paris]],
  ["a raw line break in a string", block(element("Search", '{"q":"a\nb"}')), [{ call: "Search", with: { q: "a\nb" } }]],
  ["a brace too few", block(element("Search", '{"q":{"a":1}')), [{ call: "Search", with: { q: { a: 1 } } }]],
  ["arguments in a fence", block(element("get_weather", `\`\`\`json\n${PARIS}\n\`\`\``)), [paris]],
  ["words around the object", block(element("get_weather", `Here: ${PARIS} ok`)), [paris]],
  [
    "never closed, but complete",
    `<tool_calls><tool_call><tool_name>get_weather</tool_name><parameters>${PARIS}`,
    [paris],
  ],
  ["an undeclared call beside a declared one", block(element("rm", "{}"), element("get_weather", PARIS)), [paris]],
  ["after a closed fence", `\`\`\`\nx\n\`\`\`\n${block(element("get_weather", PARIS))}`, ["```\nx\n```", paris]],
];

/** Answers without a call: they come out as they went in. */
const TEXTS: [name: string, answer: string][] = [
  ["plain", "Hello, 世界 👋"],
  ["blanks at the end", "Hello \n\n "],
  ["comparisons and links", "a < b, {x} and [a](b)\n{not json}\n[1, 2]"],
  ["tags that begin alike", "<tool_callers> <tool <invoked> <function_calling>"],
  ["the beginning of a block at the end", "so <tool_cal"],
  ["a fenced example", `\`\`\`xml\n${block(element("get_weather", PARIS))}\n\`\`\`\nDone.`],
  ["a fenced example in a list", `- \`\`\`\n  ${block(element("get_weather", PARIS))}\n  \`\`\``],
  ["a fence that is never closed", `~~~\n${block(element("get_weather", PARIS))}`],
  ["inline code", `Write \`${element("get_weather", PARIS)}\` please.`],
  ["talk about the tags", "Use <tool_calls> and <tool_call> here."],
  ["an undeclared tool", block(element("rm", '{"path":"/"}'))],
  ["an undeclared tool with text after it", `${block(element("rm", "{}"))} and so on`],
  ["broken off in the arguments", '<tool_calls><tool_call><tool_name>get_weather</tool_name><parameters>{"city":'],
  ["broken off in a string", '<tool_calls><tool_call><tool_name>get_weather</tool_name><parameters>{"city":"Pa'],
  ["no JSON", block(element("get_weather", "Paris"))],
  ["a JSON list of other things", '[{"name":"Bob"},{"name":"Eve"}]'],
  ["a JSON object of other things", '{"tool_calls": 5}'],
  ["JSON that never ends", '{"tool_calls":[{"name":"get_weather"'],
  ["JSON that breaks off in the arguments", '{"tool_calls":[{"name":"Search","arguments":{"q":"a","r":1'],
  ["an object in the middle of a line", `see {"tool_calls":[{"name":"get_weather","arguments":${PARIS}}]}`],
];

const everySplit = (text: string): string[][] =>
  Array.from({ length: text.length - 1 }, (_, at) => [text.slice(0, at + 1), text.slice(at + 1)]);

describe("calls", () => {
  test.each(CALLS)("%s", (_, answer, said) => {
    expect(read([answer])).toEqual(said);
  });
  test.each(CALLS)("%s: the same in any pieces", (_, answer, said) => {
    for (const pieces of [...everySplit(answer), [...answer]]) expect(read(pieces)).toEqual(said);
  });
});

describe("broken off", () => {
  /** A call of another tool with everything, for arguments that only talk of it. */
  const SHOWN = element("get_weather", PARIS);
  const LONG: [name: string, answer: string, said: Said[]][] = [
    ["in an argument that shows a call", block(element("Search", JSON.stringify({ q: SHOWN, r: 1 }))), []],
    [
      "in a parameter that shows a call",
      `<invoke name="Search"><parameter name="q">${SHOWN} and so on</parameter></invoke>`,
      [],
    ],
    [
      "in JSON that shows a call",
      JSON.stringify({ tool_calls: [{ name: "Search", arguments: { q: SHOWN, r: 1 } }] }),
      [],
    ],
  ];
  const calls = (said: readonly Said[]) => said.filter((one) => typeof one !== "string");

  // Whatever an answer breaks off in, no call is made of the rest, none with fewer arguments, and no text is lost.
  test.each([...CALLS, ...LONG])("%s: at every character", (_, answer) => {
    const full = calls(read([answer]));
    for (let at = 1; at <= answer.length; at++) {
      const part = answer.slice(0, at);
      const said = read([part]);
      const made = calls(said);
      expect({ part, made }).toEqual({ part, made: full.slice(0, made.length) });
      if (made.length === 0) expect({ part, said }).toEqual({ part, said: [part] });
      expect({ part, said: read([...part]) }).toEqual({ part, said });
    }
  });

  test("a false start does not hide the call after it", () => {
    const answer = `<tool_calls><tool_call><tool_name>Search</tool_name><parameters>{"q": ${block(SHOWN)}`;
    expect(calls(read([answer]))).toEqual([paris]);
  });
});

describe("texts", () => {
  test.each(TEXTS)("%s", (_, answer) => {
    for (const pieces of [[answer], ...everySplit(answer), [...answer]]) expect(read(pieces)).toEqual([answer]);
  });
});

test("one call at most when calls are not to be parallel", () => {
  const answer = `${block(element("get_weather", PARIS), element("Search", "{}"))}${element("Search", "{}")}`;
  for (const pieces of [[answer], [...answer]]) expect(read(pieces, false)).toEqual([paris]);
});

test("text is passed on at once, but for blanks and what may become a block", () => {
  const said: string[] = [];
  const reader = createToolReader({ tools, parallel: true }, { text: (text) => said.push(text), call: () => {} });
  const steps: [piece: string, out: string][] = [
    ["Hello", "Hello"],
    [" there ", " there"],
    ["<", ""],
    ["b>", " <b>"],
    ["\n{", ""],
    ['"a"', '\n{"a"'],
    [" <tool_", ""],
    ["box>", " <tool_box>"],
  ];
  for (const [piece, out] of steps) {
    said.length = 0;
    reader.push(piece);
    expect([piece, said.join("")]).toEqual([piece, out]);
  }
});

describe("random answers", () => {
  /** A small generator with a seed, so that a failure can be repeated. */
  const random = (seed: number) => {
    let state = seed;
    return () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
  };
  const SCRAPS = [
    ...'<>{}[]"`\n ,:'.split(""),
    ..."<tool_calls>|</tool_calls>|<tool_call>|</tool_call>|<tool_name>|</tool_name>|<parameters>|</parameters>".split(
      "|",
    ),
    ...'get_weather|rm|{"city":"Paris"}|"tool_calls"|{"tool_calls":[|"name":|```|~~~|<invoke name="get_weather">|</invoke>'.split(
      "|",
    ),
    ...'hello|&lt;|\\"|</|<function_call>|[{"name":"get_weather","arguments":{}}]|<parameter name="city">|</parameter>'.split(
      "|",
    ),
  ];

  test("any pieces give the same, and without a call the text is whole", () => {
    let calls = 0;
    for (let seed = 1; seed <= 4000; seed++) {
      const next = random(seed);
      const pick = () => SCRAPS[Math.floor(next() * SCRAPS.length)] ?? "";
      const answer = Array.from({ length: 2 + Math.floor(next() * 24) }, pick).join("");
      const whole = read([answer]);
      const pieces: string[] = [];
      for (let at = 0; at < answer.length;) {
        const size = 1 + Math.floor(next() * 9);
        pieces.push(answer.slice(at, at + size));
        at += size;
      }
      expect({ seed, said: read(pieces) }).toEqual({ seed, said: whole });
      expect({ seed, said: read([...answer]) }).toEqual({ seed, said: whole });
      if (whole.some((said) => typeof said !== "string")) {
        calls++;
        // Text before the first call is a beginning of the answer; nothing comes after a call.
        const [first] = whole;
        if (typeof first === "string") expect(answer.startsWith(first)).toBe(true);
        expect(whole.findLastIndex((said) => typeof said === "string")).toBeLessThan(1);
      } else expect({ seed, said: whole }).toEqual({ seed, said: [answer] });
    }
    // The scraps do make calls: the property is not only tested on plain text.
    expect(calls).toBeGreaterThan(50);
  });

  test("a long block in small pieces costs no more than a moment", () => {
    const long = JSON.stringify({ q: "<p>text} </p>".repeat(40_000) });
    const answer = block(element("Search", long));
    const started = performance.now();
    expect(read(answer.match(/[\s\S]{1,6}/g) ?? [])).toHaveLength(1);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

// How the dashboard reads what models write and what people paste. Both are pure; what they draw is tested in a browser.
import { describe, expect, test } from "bun:test";
import { lookAt } from "../../static/admin/tokens/import-preview.ts";
import { blocksOf } from "../../static/admin/dialog/blocks.ts";

describe("Markdown", () => {
  test("headings, text, rules and quotes are told apart", () => {
    expect(blocksOf("# One #\n\ntwo\nthree\n\n---\n> four\n> > five")).toEqual([
      { kind: "heading", level: 1, text: "One" },
      { kind: "text", text: "two\nthree" },
      { kind: "line" },
      {
        kind: "quote",
        blocks: [
          { kind: "text", text: "four" },
          { kind: "quote", blocks: [{ kind: "text", text: "five" }] },
        ],
      },
    ]);
  });

  test("code is taken as it is, also with other marks inside", () => {
    expect(blocksOf("```ts\n# no heading\n~~~\n- no item\n```\nafter")).toEqual([
      { kind: "code", language: "ts", text: "# no heading\n~~~\n- no item" },
      { kind: "text", text: "after" },
    ]);
  });

  test("code that is still arriving reaches to the end", () => {
    expect(blocksOf("before\n```python\nprint(1")).toEqual([
      { kind: "text", text: "before" },
      { kind: "code", language: "python", text: "print(1" },
    ]);
  });

  test("a fence is closed by one that is at least as long", () => {
    expect(blocksOf("````md\n```js\n1\n```\n````")).toEqual([{ kind: "code", language: "md", text: "```js\n1\n```" }]);
  });

  test("lists nest, keep their first number and hold blocks", () => {
    expect(blocksOf("3. one\n   - inner\n   - more\n4. two\n\n   ```\n   code\n   ```")).toEqual([
      {
        kind: "list",
        ordered: true,
        start: 3,
        items: [
          [
            { kind: "text", text: "one" },
            {
              kind: "list",
              ordered: false,
              start: 1,
              items: [[{ kind: "text", text: "inner" }], [{ kind: "text", text: "more" }]],
            },
          ],
          [
            { kind: "text", text: "two" },
            { kind: "code", language: "", text: "code" },
          ],
        ],
      },
    ]);
  });

  test("a table has a head and rows, and a bar in a cell can be escaped", () => {
    expect(blocksOf("| a | b |\n| --- | :-: |\n| 1 | x \\| y |\n\nend")).toEqual([
      { kind: "table", head: ["a", "b"], rows: [["1", "x | y"]] },
      { kind: "text", text: "end" },
    ]);
  });

  test("a text that is cut anywhere never fails and never hangs", () => {
    const whole = "# h\n\n1. a\n   - b\n\n```js\nx\n```\n\n| a |\n| - |\n| 1 |\n\n> q\n\n---\n**b** `c`";
    for (let end = 0; end <= whole.length; end++) expect(blocksOf(whole.slice(0, end))).toBeArray();
  });
});

describe("the look at a pasted list", () => {
  test("counts lines, repeats and lines that are too short", () => {
    const text = "# comment\nsim-ok-account-1\nsso=sim-ok-account-1; path=/\n\nabc\nfoo=1; sso=sim-ok-account-2";
    expect(lookAt(text)).toEqual({
      kind: "lines",
      good: 3,
      repeated: 1,
      odd: [5],
      samples: ["sim…", "sim…", "sim…"],
    });
  });

  test.each([
    ['["sim-a-token", {"token": "sim-b-token"}]', 2],
    ['{"ssoBasic": ["sim-a-token"], "ssoSuper": [{"token": "sim-b-token", "note": "x"}]}', 2],
    [`{"ssoNormal": {"${"t".repeat(60)}": {"remainingQueries": 3}}}`, 1],
  ])("counts the accounts in %s", (text, accounts) => {
    expect(lookAt(text)).toMatchObject({ kind: "json", accounts });
  });

  test("says that JSON is broken, and takes lines of JSON for lines", () => {
    expect(lookAt('{"ssoBasic": [')).toEqual({ kind: "broken" });
    expect(lookAt('{"token":"sim-a-token"}\n{"token":"sim-b-token"}')).toMatchObject({ kind: "lines", good: 2 });
    expect(lookAt("  \n ")).toEqual({ kind: "nothing" });
  });

  test("never shows the middle of a session", () => {
    const secret = `${"a".repeat(30)}SECRET${"b".repeat(30)}`;
    expect(JSON.stringify(lookAt(secret))).not.toContain("SECRET");
  });
});

// How the pages read what models write and what people paste. Both are pure; what they draw is tested in a browser.
import { describe, expect, test } from "bun:test";
import type { Token } from "marked";
import { lookAt } from "../../static/admin/tokens/import-preview.ts";
import { clipIn } from "../../static/shared/markdown/html.ts";
import { read, type Reading, tokensOf } from "../../static/shared/markdown/tokens.ts";

const kinds = (text: string): string[] => tokensOf(text).flatMap(({ type }) => (type === "space" ? [] : [type]));
const inside = (text: string): Token[] =>
  tokensOf(text).flatMap((token) => ("tokens" in token ? (token.tokens ?? []) : []));

describe("Markdown", () => {
  test("blocks are told apart, and code is taken as it is", () => {
    const text =
      "# One\n\ntwo\n\n---\n\n> three\n\n- four\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n```ts\n# no heading\n- no item\n```";
    expect(kinds(text)).toEqual(["heading", "paragraph", "hr", "blockquote", "list", "table", "code"]);
    expect(tokensOf(text).at(-1)).toMatchObject({ lang: "ts", text: "# no heading\n- no item" });
  });

  test("code that is still arriving reaches to the end", () => {
    expect(tokensOf("before\n```python\nprint(1").at(-1)).toMatchObject({ type: "code", text: "print(1" });
  });

  test.each([
    ["$$\nx^2\n$$", "x^2"],
    ["\\[x^2\\]", "x^2"],
  ])("%j is a formula of its own", (text, tex) => {
    expect([...tokensOf(text)]).toMatchObject([{ type: "formula", tex, display: true }]);
  });

  test.each(["so $x^2$ is", "so \\(x^2\\) is"])("%j has a formula inside", (text) => {
    expect(inside(text)).toMatchObject([
      { type: "text" },
      { type: "formula", tex: "x^2", display: false },
      { type: "text" },
    ]);
  });

  test.each(["it costs $5 and $6", "$ 5 and 6 $", "`$x$`", "\\$x$"])("%j has none", (text) => {
    expect(inside(text).filter(({ type }) => type === "formula")).toEqual([]);
  });

  const whole =
    "# A title\n\nSome *text* with `code`.\n\n- one\n- two\n\n  deeper\n\n- three\n\n> quoted\nlazy\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n$$\ny = x\n$$\n\n1. first\n\n   ```js\n   let a;\n   ```\n\n2. second\n\n```ts\nconst b = 1;\n```\n\nThe end, with $z$.";

  test("a text that grows letter by letter ends as it would have been read at once", () => {
    let reading: Reading | null = null;
    for (let end = 0; end <= whole.length; end++) reading = read(whole.slice(0, end), reading);
    expect(reading?.tokens.map(({ type, raw }) => [type, raw])).toEqual(
      tokensOf(whole).map(({ type, raw }) => [type, raw]),
    );
  });

  test("what is settled in a growing text is not read again", () => {
    const long = Array.from({ length: 50 }, (_, index) => `Paragraph ${index}.`).join("\n\n");
    const before = read(long, null);
    const after = read(`${long} And more.`, before);
    expect(after.tokens.filter((token, index) => token === before.tokens[index]).length).toBeGreaterThan(90);
    expect(after.tokens.at(-1)).toMatchObject({ raw: "Paragraph 49. And more." });
  });

  test("only the address of a clip is taken out of markup", () => {
    const html =
      '<video id="video" poster="/v1/files/image/a.jpg">\n  <source src="/v1/files/video/a.mp4" onerror="x()">\n</video>';
    expect(clipIn(html)).toEqual({ source: "/v1/files/video/a.mp4", poster: "/v1/files/image/a.jpg" });
    expect(clipIn("<script>1</script>")).toBeNull();
  });
});

describe("the look at a pasted list", () => {
  test("counts lines, repeats and lines that are too short", () => {
    const text = "# comment\nsim-ok-account-1\nsso=sim-ok-account-1; path=/\n\nabc\nfoo=1; sso=sim-ok-account-2";
    expect(lookAt(text)).toEqual({
      kind: "lines",
      good: 3,
      keys: 0,
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

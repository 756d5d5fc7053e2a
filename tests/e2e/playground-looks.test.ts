// The playground for everybody: no serious finding of the accessibility checker, no overflow on a small phone, both languages,
// and long conversations that stay quick.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type axe from "axe-core";
import type { Page } from "playwright-core";
import { eventually } from "../support/binary.ts";
import { chat, type Playground, startPlayground } from "./playground-site.ts";

const PAGES = ["/chat", "/imagine", "/video", "/voice"];
const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

setDefaultTimeout(60_000);

let site: Playground;
let checker: string;
beforeAll(async () => {
  site = await startPlayground();
  checker = await Bun.file(Bun.resolveSync("axe-core/axe.min.js", import.meta.dir)).text();
});
afterAll(() => site.stop());

const findings = async (page: Page): Promise<string[]> => {
  await page.evaluate(checker);
  return page.evaluate(async () => {
    const { axe: loaded } = globalThis as unknown as { axe: typeof axe };
    const { violations } = await loaded.run();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
  });
};

const RICH =
  'sim:echo\n\n# Title\n\n[a link](https://example.com) and `code`\n\n> quote\n\n- [x] done\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n$$x^2$$\n\n```python\n# remark\ndef f(): return "1"\n```';

describe.each(["light", "dark"])("in the %s theme", (theme) => {
  test.each(PAGES)("%s has no serious finding", async (path) => {
    const { page, context, offences } = await site.visit(path, { kept: { "grok2api.theme": theme } });
    await page.locator("h1").waitFor({ state: "attached" });
    await page.waitForLoadState("networkidle");
    expect(await findings(page)).toEqual([]);
    expect(offences).toEqual([]);
    await context.close();
  });

  test("a conversation, its settings and its failures have none either", async () => {
    const { page, context } = await site.visit("/chat", { kept: { "grok2api.theme": theme } });
    const { hear, field, send, answers } = chat(page);
    await hear("sim:thinking first");
    await field.fill(RICH);
    await send.click();
    await answers.nth(1).locator(".turn-facts").waitFor({ state: "attached" });
    await answers.locator(".hljs-keyword").first().waitFor();
    await hear("sim:context-too-long");
    expect(await findings(page)).toEqual([]);
    await page.getByRole("button", { name: "Settings of this conversation" }).click();
    await page.getByRole("dialog").waitFor();
    expect(await findings(page)).toEqual([]);
    await context.close();
  });
});

test.each(PAGES)("%s fits into 360 pixels", async (path) => {
  const { page, context } = await site.visit(path, { browser: PHONE });
  await page.locator("h1").waitFor({ state: "attached" });
  await page.waitForLoadState("networkidle");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await context.close();
});

test("on a phone the conversations are in the drawer, the answer fits, and Enter starts a line", async () => {
  const { page, context, offences } = await site.visit("/chat", { browser: PHONE });
  const { field, send, answers } = chat(page);
  await field.fill(`${RICH}\n\n${"averyverylongword".repeat(20)}`);
  await field.press("Enter");
  expect(await field.inputValue()).toEndWith("\n");
  await send.click();
  await answers.locator(".turn-facts").waitFor({ state: "attached" });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  expect(await page.locator(".thread").evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
  await page.getByRole("button", { name: "Menu" }).click();
  const drawer = page.getByRole("dialog", { name: "Menu" });
  await drawer.getByRole("button", { name: "New chat" }).click();
  await drawer.waitFor({ state: "hidden" });
  await page.getByText("What would you like to know?").waitFor();
  await page.getByRole("button", { name: "Menu" }).click();
  await drawer.getByRole("listitem").getByRole("button").first().click();
  await drawer.waitFor({ state: "hidden" });
  await answers.locator(".answer-body").waitFor();
  expect(offences).toEqual([]);
  await context.close();
});

test("speaks Chinese where the browser does, also in what went wrong", async () => {
  const { page, context, offences } = await site.visit("/chat", { browser: { locale: "zh-CN" } });
  await page.getByText("今天想聊点什么？").waitFor();
  await page.getByRole("textbox", { name: "消息" }).fill("sim:context-too-long");
  await page.getByRole("button", { name: "发送" }).click();
  await page.getByText("对话超出模型可接受的长度。").waitFor();
  await page.getByText("请开始新对话，或删除较早的消息。").waitFor();
  expect(offences).toEqual([]);
  await context.close();
});

test("a long answer in a long conversation arrives without holding the page up", async () => {
  const { page, context } = await site.visit("/chat");
  await chat(page).hear("sim:echo begin");
  const { list, ask, answers } = chat(page);
  // A hundred turns with some weight, brought in as an export.
  const turns = Array.from({ length: 200 }, (_, index) => ({
    ...{ id: `t${index}`, parent: index === 0 ? null : `t${index - 1}`, role: index % 2 === 0 ? "user" : "assistant" },
    ...{
      text: `## Turn ${index}\n\n${"Some words of weight. ".repeat(60)}\n\n- one\n- two\n\n\`\`\`js\nlet a = ${index};\n\`\`\``,
    },
    ...{ reasoning: "", attachments: [], model: "grok-chat-fast", createdMs: index, firstMs: 1, reasoningMs: null },
    ...{ tookMs: 1, tokens: 1, end: "done", problem: null },
  }));
  const settings = {
    model: "grok-chat-fast",
    system: "",
    stream: true,
    temperature: null,
    topP: null,
    maxTokens: null,
    effort: null,
  };
  const conversation = {
    id: "x",
    title: "A long one",
    named: true,
    createdMs: 1,
    updatedMs: 1,
    settings,
    turns,
    leaf: "t199",
  };
  const exported = JSON.stringify({ format: "grok2api-conversations", version: 1, conversations: [conversation] });
  await list.getByRole("button", { name: "More", exact: true }).click();
  const chosen = page.waitForEvent("filechooser");
  await page.getByRole("menuitem", { name: "Import (JSON)" }).click();
  await (await chosen).setFiles({ name: "long.json", mimeType: "application/json", buffer: Buffer.from(exported) });
  await list.getByRole("button", { name: "A long one", exact: true }).click();
  await page.getByRole("button", { name: "Show earlier messages (160)" }).waitFor();
  await page.getByText("Turn 199").waitFor();
  const longest = () => page.evaluate(() => (window as unknown as { longest: { ms: number } }).longest.ms);
  await page.evaluate(() => {
    const found = { ms: 0 };
    const observer = new PerformanceObserver((entries) => {
      for (const { duration } of entries.getEntries()) found.ms = Math.max(found.ms, duration);
    });
    observer.observe({ entryTypes: ["longtask"] });
    Object.assign(window, { longest: found, observer });
    // What holds the page up is seen.
    setTimeout(() => {
      const end = performance.now() + 120;
      while (performance.now() < end);
    });
  });
  await eventually("a long task is seen", async () => ((await longest()) >= 120 ? true : undefined));
  await page.evaluate(() => ((window as unknown as { longest: { ms: number } }).longest.ms = 0));
  await ask("sim:long-1500 sim:slow-1");
  await answers.locator(".answer-body.arriving").waitFor();
  await answers.locator(".answer-body.arriving").waitFor({ state: "detached", timeout: 40_000 });
  await answers
    .last()
    .getByText(/\d,\d{3} tokens$/)
    .waitFor();
  expect(await longest()).toBeLessThan(250);
  await context.close();
});

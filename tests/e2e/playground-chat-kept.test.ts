// What the chat keeps in the browser: conversations with their names, files and versions; what is taken away and brought back.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { chat, type Playground, startPlayground } from "./playground-site.ts";

setDefaultTimeout(30_000);

let site: Playground;
beforeAll(async () => {
  site = await startPlayground();
});
afterAll(() => site.stop());

const anew = (page: Page) => page.getByRole("button", { name: "New chat" }).click();
const row = (page: Page, name: string) => chat(page).list.getByRole("listitem").filter({ hasText: name });
const act = async (page: Page, name: string, action: string): Promise<void> => {
  await row(page, name).hover();
  await row(page, name)
    .getByRole("button", { name: `Actions for “${name}”` })
    .click();
  await page.getByRole("menuitem", { name: action }).click();
};

test("conversations are named after their first question, renamed, searched in, shown again and deleted", async () => {
  const { page, context, offences } = await site.visit("/chat");
  const { hear, list, answers } = chat(page);
  await hear("sim:echo of lighthouses");
  await anew(page);
  await hear("sim:echo of volcanoes");
  await page.getByRole("heading", { level: 1, name: "sim:echo of volcanoes" }).waitFor();
  await act(page, "sim:echo of lighthouses", "Rename");
  const name = list.getByRole("textbox", { name: "Name" });
  await name.fill("not kept");
  await page.keyboard.press("Escape");
  await row(page, "sim:echo of lighthouses").getByRole("button").first().dblclick();
  await name.fill("At the coast");
  await page.keyboard.press("Enter");
  await row(page, "At the coast").waitFor();
  // The list shows a name at once; the database takes a moment.
  await page.waitForTimeout(300);
  await page.reload();
  await answers.getByText("of lighthouses").waitFor();
  const search = list.getByRole("searchbox");
  await search.fill("lighthouses");
  await row(page, "At the coast").waitFor();
  await row(page, "volcanoes").waitFor({ state: "detached" });
  await search.fill("no such thing");
  await list.getByText("Nothing found.").waitFor();
  await search.fill("");
  await row(page, "volcanoes").getByRole("button").first().click();
  await answers.getByText("of volcanoes").waitFor();
  await act(page, "sim:echo of volcanoes", "Delete");
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await row(page, "volcanoes").waitFor({ state: "detached" });
  await page.getByText("What would you like to know?").waitFor();
  await page.reload();
  await row(page, "At the coast").waitFor();
  expect(await row(page, "volcanoes").count()).toBe(0);
  expect(offences).toEqual([]);
  await context.close();
});

test("an answer arrives while another conversation is looked at, and says so", async () => {
  const { page, context } = await site.visit("/chat");
  const { ask, hear, answers } = chat(page);
  await ask("sim:long-60 sim:slow-30 first one");
  await answers.locator(".answer-body.arriving").waitFor();
  await anew(page);
  await hear("sim:echo second one");
  await row(page, "first one").getByRole("img", { name: "New answer" }).waitFor();
  await row(page, "first one").getByRole("button").first().click();
  await row(page, "first one").getByRole("img").waitFor({ state: "detached" });
  await page.getByRole("heading", { level: 1, name: /first one/ }).waitFor();
  await page.reload();
  await answers.getByText(/\d+ tokens$/).waitFor();
  await context.close();
});

test("an answer that the page was left in is told to be incomplete, with what had come", async () => {
  const { page, context } = await site.visit("/chat");
  await chat(page).ask("sim:long-5000");
  await chat(page).answers.locator(".answer-body.arriving").waitFor();
  await page.waitForTimeout(3500);
  await page.reload();
  await chat(page).answers.getByText("The page was left before the answer was whole.").waitFor();
  await chat(page).answers.locator(".answer-body").waitFor();
  await context.close();
});

test("the model is the conversation's own", async () => {
  const { page, context } = await site.visit("/chat");
  const model = page.getByRole("combobox", { name: "Model" }).filter({ visible: true });
  await model.selectOption("grok-chat-expert");
  await chat(page).hear("sim:echo by the expert");
  await anew(page);
  await model.selectOption("grok-chat-auto");
  await chat(page).hear("sim:echo by itself");
  await row(page, "by the expert").getByRole("button").first().click();
  await chat(page).answers.getByText("by the expert").waitFor();
  expect(await model.inputValue()).toBe("grok-chat-expert");
  await page.getByRole("article", { name: "Grok Expert" }).waitFor();
  await context.close();
});

test("conversations leave as Markdown and as JSON, and JSON comes back", async () => {
  const { page, context } = await site.visit("/chat");
  const { hear, list } = chat(page);
  await hear("sim:echo to take away");
  const saved = async (action: () => Promise<void>): Promise<[string, string]> => {
    const [download] = await Promise.all([page.waitForEvent("download"), action()]);
    return [download.suggestedFilename(), await Bun.file((await download.path()) ?? "").text()];
  };
  const [markdownName, markdown] = await saved(() => act(page, "sim:echo to take away", "Export as Markdown"));
  expect(markdownName).toBe("sim echo to take away.md");
  expect(markdown).toContain("## You\n\nsim:echo to take away\n\n## grok-chat-fast\n\n");
  const [, one] = await saved(() => act(page, "sim:echo to take away", "Export as JSON"));
  expect(JSON.parse(one)).toMatchObject({ conversations: [{ title: "sim:echo to take away" }] });
  const menu = list.getByRole("button", { name: "More", exact: true });
  const [, all] = await saved(async () => {
    await menu.click();
    await page.getByRole("menuitem", { name: "Export all (JSON)" }).click();
  });
  await menu.click();
  await page.getByRole("menuitem", { name: "Delete all conversations" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await list.getByText("Conversations are kept in this browser and appear here.").waitFor();
  const bring = async (name: string, text: string): Promise<void> => {
    await menu.click();
    const chosen = page.waitForEvent("filechooser");
    await page.getByRole("menuitem", { name: "Import (JSON)" }).click();
    await (await chosen).setFiles({ name, mimeType: "application/json", buffer: Buffer.from(text) });
  };
  await bring("other.json", '{"messages":[]}');
  await page.getByText("The file holds no conversations of this page.").waitFor();
  await bring("all.json", all);
  await row(page, "sim:echo to take away").getByRole("button").first().click();
  await chat(page).answers.getByText("to take away").waitFor();
  await context.close();
});

test("where the browser keeps nothing it says so, and works", async () => {
  const { page, context, offences } = await site.visit("/health");
  await context.addInitScript(() => {
    Object.defineProperty(window, "indexedDB", {
      value: {
        open: () => {
          throw new Error("closed");
        },
      },
    });
  });
  await page.goto(`${site.url}/chat`);
  await page.getByText("This browser keeps nothing here: conversations end with the page.").waitFor();
  await chat(page).hear("sim:echo for now");
  await chat(page).answers.getByText("for now").waitFor();
  expect(offences).toEqual([]);
  await context.close();
});

const PICTURE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

describe("files", () => {
  test("are picked, taken away, sent, and there again after a reload", async () => {
    const { page, context, offences } = await site.visit("/chat");
    const { send, questions, answers } = chat(page);
    await page.getByRole("button", { name: "Attach" }).click();
    const chosen = page.waitForEvent("filechooser");
    await page.getByRole("menuitem", { name: "Files" }).click();
    await (
      await chosen
    ).setFiles([
      { name: "dot.png", mimeType: "image/png", buffer: PICTURE },
      { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("notes") },
      { name: "extra.txt", mimeType: "text/plain", buffer: Buffer.from("extra") },
      { name: "empty.txt", mimeType: "text/plain", buffer: Buffer.alloc(0) },
    ]);
    await page.getByText("“empty.txt” is empty.").waitFor();
    await page.getByRole("button", { name: "Remove extra.txt" }).click();
    const asked = page.waitForRequest((request) => request.url().endsWith("/chat/completions"));
    await send.click();
    expect((await asked).postDataJSON().messages[0].content).toEqual([
      { type: "image_url", image_url: { url: `data:image/png;base64,${PICTURE.toString("base64")}` } },
      { type: "file", file: { file_data: `data:text/plain;base64,${btoa("notes")}`, filename: "notes.txt" } },
    ]);
    await answers.getByText("I received 2 attachments.").waitFor();
    await page.reload();
    await questions.getByText("notes.txt").waitFor();
    await questions.getByRole("button", { name: "Show large: dot.png" }).click();
    await page.getByRole("dialog", { name: "dot.png" }).waitFor();
    await page.keyboard.press("Escape");
    expect(offences).toEqual([]);
    await context.close();
  });

  test("are pasted and dropped anywhere, eight at most", async () => {
    const { page, context } = await site.visit("/chat");
    await chat(page).field.waitFor();
    const give = (kind: "paste" | "drop", count: number) =>
      page.evaluate(
        ([what, many]) => {
          const transfer = new DataTransfer();
          for (let index = 0; index < many; index++) {
            transfer.items.add(new File(["x"], `${what}-${index}.txt`, { type: "text/plain" }));
          }
          const target = document.querySelector("main .thread");
          const init = { bubbles: true, cancelable: true };
          if (what === "paste")
            target?.dispatchEvent(new ClipboardEvent("paste", { ...init, clipboardData: transfer }));
          else target?.dispatchEvent(new DragEvent("drop", { ...init, dataTransfer: transfer }));
        },
        [kind, count] as const,
      );
    await give("paste", 2);
    await page.getByText("paste-1.txt").waitFor();
    await give("drop", 7);
    await page.getByText("At most 8 files go with a question.").waitFor();
    expect(await page.locator(".draft").count()).toBe(8);
    await context.close();
  });

  test("on a telephone come from the camera too", async () => {
    const { page, context } = await site.visit("/chat", {
      browser: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
    });
    await page.getByRole("button", { name: "Attach" }).click();
    const chosen = page.waitForEvent("filechooser");
    await page.getByRole("menuitem", { name: "Take a picture" }).click();
    expect(await (await chosen).element().getAttribute("capture")).toBe("environment");
    await (await chosen).setFiles({ name: "sea.png", mimeType: "image/png", buffer: PICTURE });
    await page.getByText("sea.png").waitFor();
    await context.close();
  });
});

describe("pictures and clips", () => {
  test("are shown, opened large with keys, and asked for again by a click when they failed", async () => {
    const { page, context, offences } = await site.visit("/chat");
    const { hear, answers } = chat(page);
    await hear("two, please sim:image");
    const picture = answers.locator("img.picture").first();
    await picture.waitFor();
    const source = await picture.getAttribute("src");
    await answers
      .getByRole("button", { name: /^Show large/ })
      .first()
      .click();
    const large = page.locator("dialog.lightbox img");
    expect(await large.getAttribute("src")).toBe(source);
    await page.keyboard.press("Escape");
    await large.waitFor({ state: "detached" });
    await page.route("**/v1/files/image/**", (route) => route.fulfill({ status: 503 }));
    await page.reload();
    const again = answers.getByRole("button", { name: /Click to try again/ });
    await again.waitFor();
    await page.unroute("**/v1/files/image/**");
    await again.click();
    await picture.waitFor();
    expect(await picture.evaluate((image) => (image as HTMLImageElement).complete)).toBe(true);
    expect(offences).toEqual([]);
    await context.close();
  });

  test("of other hosts are links, never fetched", async () => {
    const { page, context, offences } = await site.visit("/chat");
    await chat(page).hear("sim:echo ![far away](https://example.com/a.png) and <img src=https://example.com/b.png>");
    const link = chat(page).answers.getByRole("link", { name: "far away" });
    expect(await link.getAttribute("rel")).toBe("noopener noreferrer");
    expect(await chat(page).answers.locator("img").count()).toBe(0);
    expect(offences).toEqual([]);
    await context.close();
  });

  test("a clip is played in its place", async () => {
    const { page, context, offences } = await site.visit("/chat");
    const model = page.getByRole("combobox", { name: "Model" }).filter({ visible: true });
    await model.selectOption("grok-imagine-video");
    await chat(page).hear("a wave");
    const clip = chat(page).answers.locator("video");
    await clip.waitFor();
    expect(await clip.getAttribute("src")).toStartWith("/v1/files/video/");
    expect(offences).toEqual([]);
    await context.close();
  });
});

describe("Markdown", () => {
  test("code is coloured and copied, formulas are set, tables and lists are drawn, markup stays text", async () => {
    const { page, context, offences } = await site.visit("/chat", {
      browser: { permissions: ["clipboard-read", "clipboard-write"] },
    });
    const words =
      "sim:echo\n\n# Title\n\n- [x] done\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n$$\\frac{a}{b}$$\n\nand $x^2$ for $5 and $6\n\n```python\ndef f(): return 1\n```\n\n<script>alert(1)</script> [bad](javascript:alert(1))";
    const { field, send, answers } = chat(page);
    await field.fill(words);
    await send.click();
    await answers.locator(".turn-facts").waitFor({ state: "attached" });
    await answers.getByRole("heading", { name: "Title" }).waitFor();
    await answers.locator("math").nth(1).waitFor();
    expect(await answers.locator("math").count()).toBe(2);
    await answers.locator(".hljs-keyword").first().waitFor();
    expect(await answers.locator("td").allTextContents()).toEqual(["1", "2"]);
    expect(await answers.locator("script").count()).toBe(0);
    await answers.getByText("<script>alert(1)</script>").waitFor();
    expect(await answers.getByRole("link").count()).toBe(0);
    await answers.locator(".code-block").getByRole("button", { name: "Copy" }).click();
    await answers.locator(".code-block").getByRole("button", { name: "Copied" }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe("def f(): return 1");
    expect(offences).toEqual([]);
    await context.close();
  });
});

// The page of the chat as visitors use it: asking, stopping, asking again, what answers look like, what is kept.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { PASSWORD } from "./browser.ts";
import { chat, OPEN, type Playground, startPlayground } from "./playground-site.ts";

setDefaultTimeout(30_000);

let site: Playground;
beforeAll(async () => {
  site = await startPlayground({ ...OPEN, GROK2API_METRICS_ENABLED: "true" });
});
afterAll(() => site.stop());

const settings = (page: Page) => page.getByRole("button", { name: "Settings of this conversation" });

describe("an answer", () => {
  test("arrives bit by bit with its reasoning, which folds itself away and tells its time", async () => {
    const { page, context, offences } = await site.visit("/chat");
    const { ask, answers } = chat(page);
    await ask("How deep is the sea? sim:thinking sim:slow-120");
    await answers.getByText(/^Thinking… \d+\.\d s$/).waitFor();
    await answers.locator(".thinking-text").waitFor();
    const lengths = new Set<number>();
    await answers.locator(".answer-body.arriving").waitFor();
    while ((await answers.locator(".turn-facts").count()) === 0) {
      lengths.add(((await answers.textContent()) ?? "").length);
      await Bun.sleep(60);
    }
    expect(lengths.size).toBeGreaterThan(5);
    await answers.locator(".thinking-text").waitFor({ state: "detached" });
    await answers.getByRole("button", { name: /^Thought for \d+\.\d s$/ }).click();
    await answers.locator(".thinking-text").waitFor();
    await answers.getByText(/^\d+\.\d s · \d+ tokens$/).waitFor();
    expect(offences).toEqual([]);
    await context.close();
  });

  test("that is read while it arrives stays where the reader is", async () => {
    const { page, context } = await site.visit("/chat");
    const { ask, stop } = chat(page);
    await ask("sim:long-3000");
    const thread = page.getByRole("log");
    const top = () => thread.evaluate((box) => [box.scrollTop, box.scrollHeight - box.clientHeight] as const);
    await page.waitForFunction(() => (document.querySelector(".thread")?.scrollTop ?? 0) > 300);
    await thread.hover();
    await page.mouse.wheel(0, -250);
    const toEnd = page.getByRole("button", { name: "To the newest message" });
    await toEnd.waitFor();
    const [before] = await top();
    await Bun.sleep(600);
    expect((await top())[0]).toBe(before);
    await toEnd.click();
    await toEnd.waitFor({ state: "detached" });
    await stop.click();
    await context.close();
  });

  test("comes whole where that was wished, with the parameters and the system prompt of the conversation", async () => {
    const { page, context } = await site.visit("/chat");
    await settings(page).click();
    const dialog = page.getByRole("dialog", { name: "Settings of this conversation" });
    await dialog.getByLabel("System prompt").fill("Answer like a pirate.");
    await dialog.getByLabel("Temperature").fill("1.5");
    await dialog.getByLabel("Reasoning effort").selectOption("low");
    await dialog.getByLabel("Longest answer in tokens").fill("500");
    await dialog.getByLabel("Show the answer while it arrives").uncheck();
    await dialog.getByRole("button", { name: "Done" }).click();
    const asked = page.waitForRequest((request) => request.url().endsWith("/chat/completions"));
    await chat(page).hear("sim:echo one two three");
    expect((await asked).postDataJSON()).toEqual({
      model: "grok-chat-fast",
      stream: false,
      messages: [
        { role: "system", content: "Answer like a pirate." },
        { role: "user", content: "sim:echo one two three" },
      ],
      temperature: 1.5,
      reasoning_effort: "low",
      max_tokens: 500,
    });
    await chat(page).answers.getByText("one two three").waitFor();
    // Kept with the conversation; the system prompt is not taken along into another.
    await page.reload();
    await settings(page).click();
    expect(await dialog.getByLabel("System prompt").inputValue()).toBe("Answer like a pirate.");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "New chat" }).click();
    await settings(page).click();
    expect(await dialog.getByLabel("System prompt").inputValue()).toBe("");
    expect(await dialog.getByLabel("Temperature").inputValue()).toBe("1.5");
    await context.close();
  });

  test("is stopped by the button and by Escape, upstream too, and what came is kept", async () => {
    const { page, context } = await site.visit("/chat");
    const { ask, answers, stop } = chat(page);
    await ask("sim:long-5000");
    await answers.locator(".answer-body.arriving").waitFor();
    await stop.click();
    await answers.getByText("Stopped.").waitFor();
    await page.getByRole("button", { name: "New chat" }).click();
    await ask("sim:long-4000");
    await answers.locator(".answer-body.arriving").waitFor();
    await page.keyboard.press("Escape");
    await answers.getByText("Stopped.").waitFor();
    await page.waitForTimeout(300);
    await page.reload();
    await answers.getByText("Stopped.").waitFor();
    expect(((await answers.locator(".answer-body").textContent()) ?? "").length).toBeGreaterThan(20);
    await context.close();
  });

  test("of a closed page ends upstream within two seconds", async () => {
    const { page, context } = await site.visit("/chat");
    await chat(page).ask("sim:long-6000 sim:slow-50");
    await chat(page).answers.locator(".answer-body.arriving").waitFor();
    const running = async () => {
      const headers = { authorization: `Bearer ${PASSWORD}` };
      const text = await (await fetch(`${site.url}/metrics`, { headers })).text();
      return Number(/^grok2api_requests_in_flight (\d+)/m.exec(text)?.[1]);
    };
    expect(await running()).toBeGreaterThan(0);
    await context.close();
    const left = performance.now();
    while ((await running()) > 0 && performance.now() - left < 4000) await Bun.sleep(50);
    expect(performance.now() - left).toBeLessThan(2000);
  });
});

describe("what was said", () => {
  test("is asked again and edited without losing the earlier wording", async () => {
    const { page, context, offences } = await site.visit("/chat");
    const { hear, answers, questions } = chat(page);
    await hear("sim:echo first wording");
    await answers.getByRole("button", { name: "Answer again" }).click();
    await answers.getByText("2 / 2").waitFor();
    await questions.hover();
    await questions.getByRole("button", { name: "Edit" }).click();
    const editor = page.locator(".question-editor textarea");
    await editor.fill("never sent");
    await page.keyboard.press("Escape");
    await questions.getByText("first wording").waitFor();
    await questions.hover();
    await questions.getByRole("button", { name: "Edit" }).click();
    await editor.fill("sim:echo second wording");
    await page.keyboard.press("Control+Enter");
    await answers.getByText("second wording").waitFor();
    await answers.locator(".turn-facts").waitFor({ state: "attached" });
    await questions.getByText("2 / 2").waitFor();
    await questions.getByRole("button", { name: "Earlier version" }).click();
    await answers.getByText("first wording").waitFor();
    // The choice is written to the browser's store a moment after it is shown.
    await page.waitForTimeout(300);
    await page.reload();
    await answers.getByText("first wording").waitFor();
    expect(offences).toEqual([]);
    await context.close();
  });

  test("is sent along with the next question, but for what was edited away and what failed", async () => {
    const { page, context } = await site.visit("/chat");
    await chat(page).hear("sim:echo alpha");
    await chat(page).hear("sim:context-too-long");
    const asked = page.waitForRequest((request) => request.url().endsWith("/chat/completions"));
    await chat(page).hear("sim:echo omega");
    expect((await asked).postDataJSON().messages.map(({ role }: { role: string }) => role)).toEqual([
      "user",
      "assistant",
      "user",
      "user",
    ]);
    await context.close();
  });

  test("is copied, and removed with what follows", async () => {
    const { page, context } = await site.visit("/chat", {
      browser: { permissions: ["clipboard-read", "clipboard-write"] },
    });
    const { hear, answers, questions } = chat(page);
    await hear("sim:echo to be copied");
    await answers.getByRole("button", { name: "Copy" }).click();
    await answers.getByRole("button", { name: "Copied" }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain("to be copied");
    await questions.hover();
    await questions.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("What would you like to know?").waitFor();
    await context.close();
  });

  test("with Enter in an input method, or Shift and Enter, is not sent", async () => {
    const { page, context } = await site.visit("/chat");
    const { field, questions } = chat(page);
    await field.fill("one");
    await field.dispatchEvent("keydown", { key: "Enter", isComposing: true });
    await field.press("Shift+Enter");
    await page.keyboard.type("two");
    expect(await field.inputValue()).toBe("one\ntwo");
    expect(await questions.count()).toBe(0);
    await context.close();
  });
});

describe("an answer that does not come", () => {
  test.each([
    ["sim:context-too-long", "Start a new chat", "Start a new chat, or delete earlier messages of this one."],
    ["sim:moderation", "Try again", "The model declined on content grounds. Word the question differently."],
    ["sim:error-mid", "Try again", "That is usually over soon. Try again."],
  ])("%s says what to do", async (words, button, advice) => {
    const { page, context } = await site.visit("/chat");
    await chat(page).hear(words);
    const problem = page.getByRole("alert").filter({ has: page.locator(".problem-code") });
    await problem.getByText(advice).first().waitFor();
    await problem.getByRole("button", { name: button }).waitFor();
    await context.close();
  });

  test("because the gateway is gone says so, and the next try asks again", async () => {
    const { page, context } = await site.visit("/chat");
    await chat(page).field.waitFor();
    await page.waitForLoadState("networkidle");
    await page.route("**/chat/completions", (route) => route.abort());
    await chat(page).hear("sim:echo at last");
    await page.getByText("Check the connection, then try again.").waitFor();
    await page.unroute("**/chat/completions");
    await page.getByRole("button", { name: "Try again" }).click();
    await chat(page).answers.getByText("at last").waitFor();
    await context.close();
  });

  test("says how long to wait when the gateway knows", async () => {
    const { page, context } = await site.visit("/chat");
    await chat(page).field.waitFor();
    await page.route("**/chat/completions", (route) =>
      route.fulfill({
        status: 429,
        headers: { "retry-after": "2" },
        contentType: "application/json",
        body: JSON.stringify({
          error: { message: "Too many.", code: "rate_limit_exceeded", type: "rate_limit_error" },
        }),
      }),
    );
    await chat(page).hear("hello");
    await page.getByRole("button", { name: /^Try again in [12] s$/ }).waitFor();
    await page.getByRole("button", { name: "Try again", exact: true }).waitFor();
    await context.close();
  });
});

// A playground to look at in a browser, and the moves that its tests have in common. Knows the chat's field and buttons.
import type { Page } from "playwright-core";
import { type Opened, type OpenOptions, type Site, startSite } from "./browser.ts";

export const OPEN = { GROK2API_APP_PUBLIC_ENABLED: "true" };
export const PUBLIC_KEY = "a key for visitors";
export const KEYED = { ...OPEN, GROK2API_APP_PUBLIC_KEY: PUBLIC_KEY, GROK2API_APP_PUBLIC_BYPASS_API_KEY: "false" };

export interface Playground extends Site {
  visit(path: string, options?: OpenOptions): Promise<Opened>;
}

/** Visitors have no session of the dashboard. */
export const startPlayground = async (
  env: Record<string, string> = OPEN,
  switches: readonly string[] = [],
): Promise<Playground> => {
  const site = await startSite(env, { switches });
  return { ...site, visit: (path, options = {}) => site.open(path, { signedIn: false, ...options }) };
};

export const chat = (page: Page) => {
  const ask = async (words: string): Promise<void> => {
    await page.getByRole("textbox", { name: "Message" }).fill(words);
    await page.keyboard.press("Enter");
  };
  /** Asks and waits until the answer is there. */
  const hear = async (words: string): Promise<void> => {
    const before = await page.locator("article.answer .turn-facts").count();
    await ask(words);
    await page.locator("article.answer .turn-facts").nth(before).waitFor({ state: "attached" });
  };
  return {
    ask,
    hear,
    field: page.getByRole("textbox", { name: "Message" }),
    send: page.getByRole("button", { name: "Send", exact: true }),
    stop: page.getByRole("button", { name: "Stop", exact: true }),
    answers: page.locator("article.answer"),
    questions: page.locator("article.question"),
    list: page.getByRole("region", { name: "Conversations" }),
  };
};

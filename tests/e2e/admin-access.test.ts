// Every page of the dashboard for everybody: no serious finding of the accessibility checker, no overflow on a small phone.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type axe from "axe-core";
import type { Page } from "playwright-core";
import { type Site, startSite } from "./browser.ts";

const PAGES = ["login", "token", "keys", "config", "cache", "downstream", "dialog", "datacenter", "audit"].map(
  (name) => `/admin/${name}`,
);
PAGES.push("/admin", "/admin/datacenter#requests", "/admin/datacenter#logs");

setDefaultTimeout(30_000);

let site: Site;
let checker: string;
beforeAll(async () => {
  site = await startSite({ GROK2API_APP_API_KEY: "sk-access" });
  await fetch(`${site.url}/v1/models/an-unknown-one`, { headers: { authorization: "Bearer sk-access" } });
  // The demo's second key belongs to a team without credits, which a call finds out.
  const { items } = await site.admin<{ items: { id: string }[] }>("GET", "/tokens/list?search=spent");
  await site.admin("POST", "/tokens/test", { token: items[0]?.id, capability: "chat" });
  checker = await Bun.file(Bun.resolveSync("axe-core/axe.min.js", import.meta.dir)).text();
});
afterAll(() => site.stop());

const seriousFindings = async (page: Page): Promise<string[]> => {
  await page.evaluate(checker);
  return page.evaluate(async () => {
    const { axe: loaded } = globalThis as unknown as { axe: typeof axe };
    const { violations } = await loaded.run();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
  });
};

const clickOn = (name: string | RegExp) => (page: Page) => page.getByRole("button", { name }).first().click();
const clickItem = (button: string, item: string) => async (page: Page) => {
  await page.locator("main").getByRole("button", { name: button }).first().click();
  await page.getByRole("menuitem", { name: item }).click();
};
/** The same for a key of the official API. */
const clickItemOfKey = (item: string) => async (page: Page) => {
  await page
    .getByRole("button", { name: /^API keys/ })
    .first()
    .click();
  await page.getByText("2 in all", { exact: true }).waitFor();
  await clickItem("Actions", item)(page);
};

/** Everything that opens over a page: where, how, and how it is known to be there. */
const OPENED: readonly (readonly [name: string, path: string, open: (page: Page) => Promise<void>])[] = [
  ["the import of accounts", "/admin/token", clickOn("Import")],
  ["the adding of a session", "/admin/token", clickOn("Add")],
  [
    "the adding of API keys",
    "/admin/token",
    async (page) => {
      await clickOn("Add")(page);
      await page.getByRole("dialog").getByRole("button", { name: "API keys" }).click();
      await page.getByLabel("Keys of the official API").fill("no key");
      await page.getByText("Not a key of the official API: line 1.").waitFor();
    },
  ],
  ["the editing of an API key", "/admin/token", clickItemOfKey("Edit…")],
  [
    "the test of an API key",
    "/admin/token",
    async (page) => {
      await clickItemOfKey("Test…")(page);
      await page.getByLabel("What to try").selectOption("chat");
    },
  ],
  ["the editing of an account", "/admin/token", clickItem("Actions", "Edit…")],
  ["the test of an account", "/admin/token", clickItem("Actions", "Test…")],
  ["adult content of an account", "/admin/token", clickItem("Actions", "Adult content…")],
  ["the question before a removal", "/admin/token", clickItem("Actions", "Delete…")],
  ["the copies of the pool", "/admin/token", clickItem("More", "Restore a copy…")],
  ["a new key", "/admin/keys", clickOn("New key")],
  ["the import of keys", "/admin/keys", clickOn("Import")],
  ["the list of shortcuts", "/admin/audit", (page) => page.keyboard.press("?")],
  ["one request", "/admin/datacenter#requests", clickOn(/^Details of/)],
];

describe.each(["light", "dark"])("in the %s theme", (theme) => {
  test.each(OPENED)("%s has no serious finding", async (_, path, open) => {
    const { page, context, offences } = await site.open(path, { kept: { "grok2api.theme": theme } });
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.waitForLoadState("networkidle");
    await open(page);
    await page.locator("dialog[open]").waitFor();
    await page.waitForLoadState("networkidle");
    expect(await seriousFindings(page)).toEqual([]);
    expect(offences).toEqual([]);
    await context.close();
  });

  test("the drawer, an open row and the bar of a selection have no serious finding", async () => {
    const browser = { viewport: { width: 390, height: 844 } };
    const { page, context } = await site.open("/admin/token", { browser, kept: { "grok2api.theme": theme } });
    await page
      .getByRole("button", { name: /^Details of/ })
      .first()
      .click();
    await page.getByRole("checkbox").first().check();
    await page.getByRole("region", { name: "1 selected" }).waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await page.getByRole("button", { name: "Menu" }).click();
    await page.getByRole("dialog", { name: "Menu" }).waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await context.close();
  });

  test("open rows of API keys have no serious finding and fit into a phone", async () => {
    const browser = { viewport: { width: 360, height: 740 } };
    const { page, context } = await site.open("/admin/token", { browser, kept: { "grok2api.theme": theme } });
    await page
      .getByRole("button", { name: /^API keys/ })
      .first()
      .click();
    await page.getByText("Out of credits").first().waitFor();
    const details = page.getByRole("button", { name: /^Details of/ });
    await details.nth(0).click();
    await details.nth(1).click();
    await page.getByText("has no credits left").waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    await context.close();
  });

  test.each(PAGES)("%s has no serious finding", async (path) => {
    const signedIn = path !== "/admin/login";
    const { page, context, offences } = await site.open(path, { signedIn, kept: { "grok2api.theme": theme } });
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.waitForLoadState("networkidle");
    expect(await seriousFindings(page)).toEqual([]);
    expect(offences).toEqual([]);
    await context.close();
  });
});

test.each(PAGES)("%s fits into 360 pixels", async (path) => {
  const { page, context } = await site.open(path, {
    signedIn: path !== "/admin/login",
    browser: { viewport: { width: 360, height: 740 } },
  });
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.waitForLoadState("networkidle");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await context.close();
});

test.each(OPENED)("%s fits into 360 pixels", async (_, path, open) => {
  const { page, context } = await site.open(path, { browser: { viewport: { width: 360, height: 740 } } });
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.waitForLoadState("networkidle");
  await open(page);
  const dialog = page.locator("dialog[open]");
  await dialog.waitFor();
  await page.waitForLoadState("networkidle");
  const body = dialog.locator(".modal-body");
  expect(await body.evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
  expect((await dialog.boundingBox())?.width ?? 0).toBeLessThanOrEqual(360);
  await context.close();
});

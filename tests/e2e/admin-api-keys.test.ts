// Keys of the official API as an operator meets them on the dashboard: brought in, told apart, asked for nothing or for money,
// resting, from the settings, left out of what only sessions have.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Locator, Page } from "playwright-core";
import { type Site, startSite } from "./browser.ts";

setDefaultTimeout(30_000);

const KEY = "sk-of-the-api-key-tests";
const FROM_SETTINGS = "xai-sim-ok-settings-team-1";

let site: Site;
let upstream: string;
beforeAll(async () => {
  site = await startSite({ GROK2API_APP_API_KEY: KEY, GROK2API_XAI_API_KEYS: FROM_SETTINGS });
  upstream = /Simulator:\s+(http\S+)/.exec(site.gateway.output())?.[1] ?? "";
});
afterAll(() => site.stop());

const rows = (page: Page): Locator => page.locator(".accounts > tbody > tr:not(.details-row)");
const chip = (page: Page, name: RegExp): Locator =>
  page.getByRole("group", { name: "Kind" }).getByRole("button", { name });

const find = async (page: Page, search: string, number = 1): Promise<void> => {
  await page.getByRole("searchbox").fill(search);
  await page.getByText(`${number} in all`, { exact: true }).waitFor();
};

const act = async (page: Page, item: string): Promise<void> => {
  await rows(page).first().getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: item }).click();
};

const add = (...tokens: string[]) => site.admin("POST", "/tokens/add", { tokens, pool: "auto" });

/** Calls that the simulated API has had of the key, by route. */
const callsOf = async (key: string): Promise<number> => {
  const calls = (await (await fetch(`${upstream}/__sim/xai`)).json()) as { calls: { key: string; route: string }[] };
  return calls.calls.filter((call) => call.key === key && /chat|responses|images/.test(call.route)).length;
};

test("keys are added many at once, what is no key is told before, and both kinds are counted", async () => {
  const { page, context, offences } = await site.open("/admin/token");
  await rows(page).first().waitFor();
  await page.getByRole("button", { name: "Add" }).click();
  const dialog = page.getByRole("dialog", { name: "Add accounts" });
  await dialog.getByLabel("Token").fill("xai-sim-ok-added-1");
  await dialog.getByText("choose “API keys”").waitFor();
  await dialog.getByRole("button", { name: "API keys" }).click();
  const field = dialog.getByLabel("Keys of the official API");
  await field.fill("xai-sim-ok-added-1\nsim-ok-no-key\nxai-sim-small-added-2");
  await dialog.getByText("Not a key of the official API: line 2.").waitFor();
  expect(await dialog.getByRole("button", { name: "Add", exact: true }).isDisabled()).toBe(true);
  await field.fill("xai-sim-ok-added-1\nxai-sim-small-added-2");
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText("2 added, 0 changed, 0 as they were.").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).last().click();
  await find(page, "added", 2);
  await chip(page, /^API keys 2$/).waitFor();
  await chip(page, /^Web sessions 0$/).waitFor();
  await rows(page).first().getByText("API key").waitFor();
  await rows(page).filter({ hasText: "1 model" }).last().waitFor();
  expect(offences).toEqual([]);
  await context.close();
});

test("a session is added with one field", async () => {
  const { page, context } = await site.open("/admin/token");
  await rows(page).first().waitFor();
  await page.keyboard.press("n");
  const dialog = page.getByRole("dialog", { name: "Add accounts" });
  await dialog.getByLabel("Token").fill("sim-ok-single-session-1");
  await dialog.getByLabel("Note").fill("by hand");
  await page.keyboard.press("Enter");
  await page.getByText("1 added").waitFor();
  await page.keyboard.press("Escape");
  await find(page, "by hand");
  await rows(page).getByText("ssoBasic").waitFor();
  await context.close();
});

test("a list tells before it is sent how many of which kind are in it", async () => {
  const { page, context } = await site.open("/admin/token");
  await rows(page).first().waitFor();
  await page.getByRole("button", { name: "Import" }).click();
  await page
    .getByRole("textbox", { name: "Tokens" })
    .fill("sim-ok-a-session-1\nxai-sim-ok-listed-1\nxai-sim-ok-listed-2");
  await page.getByText("Web sessions: 1, API keys: 2.").waitFor();
  await context.close();
});

test("the kinds are filtered, and what only sessions have is gone for keys", async () => {
  const { page, context, offences } = await site.open("/admin/token");
  await rows(page).first().waitFor();
  await chip(page, /^API keys/).click();
  await page.getByRole("columnheader", { name: "Models" }).waitFor();
  // The columns change at once, the rows when they have come.
  await rows(page).filter({ hasNotText: "API key" }).first().waitFor({ state: "detached" });
  const shown = await rows(page).count();
  expect(shown).toBeGreaterThan(0);
  expect(await rows(page).filter({ hasText: "API key" }).count()).toBe(shown);
  expect(await page.getByRole("group", { name: "Adult content" }).count()).toBe(0);
  await rows(page).first().getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: "Test…" }).waitFor();
  expect(await page.getByRole("menuitem", { name: "Adult content…" }).count()).toBe(0);
  await page.keyboard.press("Escape");
  await chip(page, /^Web sessions/).click();
  await page.getByRole("columnheader", { name: "Calls left" }).waitFor();
  await rows(page).filter({ hasText: "API key" }).first().waitFor({ state: "detached" });
  expect(await rows(page).count()).toBeGreaterThan(0);
  expect(offences).toEqual([]);
  await context.close();
});

describe("a key from the settings", () => {
  test("is marked, and leads to the settings instead of being removed", async () => {
    const { page, context } = await site.open("/admin/token");
    await find(page, FROM_SETTINGS);
    await rows(page).getByText("from the settings").waitFor();
    await act(page, "Edit…");
    await page.getByRole("dialog").getByText("stands in the setting xai.api_keys").waitFor();
    expect(await page.getByLabel("New key").count()).toBe(0);
    await page.getByRole("dialog").getByRole("textbox", { name: "Note" }).fill("of the office");
    await page.getByRole("button", { name: "Save" }).click();
    await rows(page).getByText("of the office").waitFor();
    await act(page, "Delete in the settings…");
    await page.waitForURL("**/admin/config#xai");
    await page.getByText("api_keys", { exact: true }).waitFor();
    await context.close();
  });

  test("stays where a selection is removed, and the page says so", async () => {
    await add("xai-sim-ok-settings-own-1");
    const { page, context } = await site.open("/admin/token");
    await find(page, "settings", 2);
    await page.getByRole("checkbox", { name: "Select this page" }).check();
    await page.getByRole("region", { name: "2 selected" }).getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog", { name: "Delete accounts?" }).getByRole("button", { name: "Delete" }).click();
    await page.getByText("1 keys come from the settings and stay").waitFor();
    await page.getByText("1 deleted.").waitFor();
    await page.getByRole("region", { name: "1 selected" }).waitFor();
    await page.getByText("1 in all", { exact: true }).waitFor();
    await context.close();
  });
});

test("a key is looked up for nothing, and tried for money with a chosen model", async () => {
  const key = "xai-sim-ok-tested-team-1";
  await add(key);
  const { page, context, offences } = await site.open("/admin/token");
  await find(page, key);
  await act(page, "Test…");
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Run the test" }).click();
  await dialog.getByText(/The key is taken\. Models: \d\d\./).waitFor();
  expect(await callsOf(key)).toBe(0);
  await dialog.getByLabel("What to try").selectOption("chat");
  await dialog.getByLabel("Model").selectOption("grok-4.3");
  await dialog.getByRole("button", { name: "Run the test" }).click();
  await dialog.getByText(/It works: grok-4\.3 answered in \d+ ms/).waitFor();
  expect(await callsOf(key)).toBe(1);
  expect(offences).toEqual([]);
  await context.close();
});

test("a refused key says why when it is looked up", async () => {
  await site.admin("POST", "/tokens/add", { tokens: ["xai-sim-wrong-refused-team-1"] });
  const { page, context } = await site.open("/admin/token");
  await find(page, "xai-sim-wrong-refused-team-1");
  await act(page, "Test…");
  await page.getByRole("dialog").getByRole("button", { name: "Run the test" }).click();
  await page.getByText("The key cannot serve now.").waitFor();
  await context.close();
});

test("a team without credits and models that rest are told with the time that is left", async () => {
  const tokens = ["xai-sim-no-credits-poor-team-1", "xai-sim-rate-limited-rpm-busy-team-1"];
  await add(...tokens);
  for (const token of tokens) {
    await site.admin("POST", "/tokens/test", { token, capability: "chat", model: "grok-4.3" });
  }
  const { page, context } = await site.open("/admin/token");
  await find(page, "poor-team");
  await rows(page).getByText("Out of credits").waitFor();
  await rows(page)
    .getByRole("button", { name: /^Details of/ })
    .click();
  await page.getByText(/has no credits left\. Add some in xAI's console/).waitFor();
  await find(page, "busy-team");
  await rows(page)
    .getByText(/grok-4\.3 rests for \d:\d\d/)
    .waitFor();
  await act(page, "End the rest");
  await rows(page)
    .getByText(/rests for/)
    .waitFor({ state: "hidden" });
  await context.close();
});

test("adult content leaves keys out and says how many", async () => {
  await add("xai-sim-ok-mixed-team-1");
  await site.admin("POST", "/tokens/add", { tokens: ["sim-ok-mixed-team-session-1"] });
  const { page, context } = await site.open("/admin/token");
  await find(page, "mixed-team", 2);
  await page.getByRole("checkbox", { name: "Select this page" }).check();
  await page.getByRole("region", { name: "2 selected" }).getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: "Adult content…" }).click();
  await page.getByRole("button", { name: "Apply" }).click();
  await page.getByText("1 API keys were left out").waitFor();
  await page.getByText(/Adult content: \d ok, \d failed\./).waitFor();
  await page.getByRole("region", { name: "Adult content" }).getByRole("progressbar").waitFor();
  await context.close();
});

test("what failed in a job is tried again alone", async () => {
  await site.admin("POST", "/tokens/add", { tokens: ["xai-sim-5xx-again-1", "xai-sim-ok-again-2"] });
  const { page, context } = await site.open("/admin/token");
  await find(page, "-again-", 2);
  await page.getByRole("checkbox", { name: "Select this page" }).check();
  await page.getByRole("region", { name: "2 selected" }).getByRole("button", { name: "Refresh" }).click();
  const card = page.getByRole("region", { name: "Refresh of quotas" });
  await card.getByText("2 of 2").or(card.getByText("Done")).first().waitFor();
  await card.getByRole("button", { name: "Try the 1 failed again" }).click();
  await card.getByText("0 ok").waitFor();
  await card.getByText("1 failed", { exact: true }).waitFor();
  await context.close();
});

test("the overview tells teams, usable keys and credits", async () => {
  const { page, context, offences } = await site.open("/admin");
  const card = page.getByRole("region", { name: "Official API" });
  await card.getByText("Usable").waitFor();
  await card.getByText("Teams").waitFor();
  await card.getByText("Spent in 24 hours").waitFor();
  await page.getByText(/Out of credits at xAI: \d of \d+ API keys\./).waitFor();
  expect(offences).toEqual([]);
  await context.close();
});

test("models of both kinds can be chosen, each with who serves it", async () => {
  const kept = { "grok2api.dialog.key": KEY };
  const { page, context, offences } = await site.open("/admin/dialog", { kept });
  await page.waitForFunction(() => (document.querySelector("#dialog-model") as HTMLInputElement)?.value !== "");
  await page.getByLabel("Model").fill("grok-4.3");
  await page.getByText("Served by API keys.").waitFor();
  await page.getByLabel("Model").fill("grok-chat-fast");
  await page.getByText("Served by web sessions.").waitFor();
  await page.goto(`${site.url}/admin/keys`);
  await page.getByRole("button", { name: "New key" }).first().click();
  await page.getByLabel("Name", { exact: true }).fill("limited");
  const models = page.getByLabel("Models");
  await models.pressSequentially("grok-4.3,grok-chat-fast");
  await models.press("Enter");
  await page.getByLabel("US dollars a day").fill("2.5");
  await page.getByRole("button", { name: "Make the key" }).click();
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("row").filter({ hasText: "limited" }).getByText("$0.00/$2.50").waitFor();
  const { data } = await site.admin<{ data: { models: string[]; daily_usd: number }[] }>("GET", "/keys?search=limited");
  expect(data).toMatchObject([{ models: ["grok-4.3", "grok-chat-fast"], daily_usd: 2.5 }]);
  expect(offences).toEqual([]);
  await context.close();
});

test("columns of the keys sort, and say how", async () => {
  for (const name of ["sorted-b", "sorted-a"]) await site.admin("POST", "/keys", { name });
  const { page, context } = await site.open("/admin/keys");
  await page.getByRole("searchbox").fill("sorted-");
  const names = () => page.locator("tbody strong").allTextContents();
  await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 2);
  const head = page.getByRole("columnheader", { name: "Name" });
  await head.getByRole("button").click();
  await page.locator('th[aria-sort="ascending"]').waitFor();
  await page.waitForFunction(() => document.querySelector("tbody strong")?.textContent === "sorted-a");
  await head.getByRole("button").click();
  await page.locator('th[aria-sort="descending"]').waitFor();
  await page.waitForFunction(() => document.querySelector("tbody strong")?.textContent === "sorted-b");
  expect(await names()).toEqual(["sorted-b", "sorted-a"]);
  await context.close();
});

test("what a call has cost stands at the request and in the reports", async () => {
  const asked = await fetch(`${site.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "xai/grok-4.3", messages: [{ role: "user", content: "Hello!" }] }),
  });
  expect(asked.status).toBe(200);
  const { page, context } = await site.open("/admin/datacenter#requests");
  await page
    .getByRole("row")
    .filter({ hasText: "grok-4.3" })
    .first()
    .getByText(/^\$0\.0*\d\d?$/)
    .waitFor();
  await page.getByRole("button", { name: "Reports" }).click();
  await page.getByRole("button", { name: "Cost" }).click();
  await page.getByRole("heading", { name: "US dollars over time" }).waitFor();
  await context.close();
});

test("settings that have no effect now say which switch decides", async () => {
  const { page, context } = await site.open("/admin/config#log");
  const texts = page.getByText("Without effect while log.file_enabled is off.");
  await texts.first().waitFor();
  await page.getByLabel("file_enabled").check();
  await texts.first().waitFor({ state: "hidden" });
  await context.close();
});

test("all of it in Chinese", async () => {
  const { page, context, offences } = await site.open("/admin/token", { kept: { "grok2api.language": "zh" } });
  await page
    .getByRole("group", { name: "类型" })
    .getByRole("button", { name: /^API 密钥/ })
    .click();
  await page.getByRole("columnheader", { name: "模型" }).waitFor();
  await rows(page)
    .first()
    .getByText(/个模型/)
    .waitFor();
  await page.getByRole("button", { name: "添加" }).click();
  await page.getByRole("dialog", { name: "添加账号" }).getByRole("button", { name: "API 密钥" }).click();
  await page.getByLabel("官方 API 密钥").waitFor();
  expect(offences).toEqual([]);
  await context.close();
});

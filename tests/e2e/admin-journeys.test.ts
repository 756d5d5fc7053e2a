// Whole ways through the dashboard: from an empty folder to the first answer, with thousands of accounts, by keyboard alone,
// in Chinese, on a phone.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { PASSWORD, type Site, startSite } from "./browser.ts";

setDefaultTimeout(60_000);

const rows = (page: Page) => page.locator(".accounts > tbody > tr:not(.details-row)");

test("from an empty folder to the first answer", async () => {
  const fresh = await startSite({ GROK2API_APP_APP_KEY: "grok2api" }, { isNew: true });
  try {
    const { page, context, offences } = await fresh.open("/", { signedIn: false });
    const refusals: string[] = [];
    page.on("response", (response) => {
      if (response.status() >= 400) refusals.push(`${response.status()} ${response.url()}`);
    });
    await page.getByLabel("Admin password").fill("grok2api");
    await page.keyboard.press("Enter");
    const warnings = page.locator(".warnings li");
    await warnings.filter({ hasText: "a password that everybody knows" }).waitFor();
    await warnings.filter({ hasText: "No API key is set" }).waitFor();
    await warnings.filter({ hasText: "There are no accounts" }).getByRole("link", { name: "Tokens" }).click();
    expect(refusals).toEqual([]);
    await page.getByText("There are no accounts yet.").waitFor();
    await page.getByRole("button", { name: "Import" }).last().click();
    await page.getByRole("textbox", { name: "Tokens" }).fill("sim-ok-first-account-1");
    await page.getByRole("dialog").getByRole("button", { name: "Import", exact: true }).click();
    await page.getByText("1 added, 0 changed, 0 as they were.").waitFor();
    await page.keyboard.press("Enter");
    await rows(page).first().waitFor();
    await page.getByRole("link", { name: "Dialog" }).click();
    await page.waitForFunction(() => (document.querySelector("#dialog-model") as HTMLInputElement)?.value !== "");
    await page.getByRole("textbox", { name: "Message" }).fill("sim:echo the very first answer");
    await page.keyboard.press("Enter");
    await page.getByRole("article", { name: "Grok" }).getByText("the very first answer").waitFor();
    expect(offences).toEqual([]);
    await context.close();
  } finally {
    await fresh.stop();
  }
});

describe("in a running gateway", () => {
  let site: Site;
  beforeAll(async () => {
    site = await startSite({ GROK2API_USAGE_CONCURRENT: "1", GROK2API_LOG_FILE_ENABLED: "true", LOG_LEVEL: "info" });
  });
  afterAll(() => site.stop());

  test("the keyboard alone logs in, adds an account, refreshes it and deletes it", async () => {
    const { page, context, offences } = await site.open("/admin/token", { signedIn: false });
    await page.getByLabel("Admin password").waitFor();
    const press = (...keys: string[]) =>
      keys.reduce((last, key) => last.then(() => page.keyboard.press(key)), Promise.resolve());
    await page.keyboard.type(PASSWORD);
    await press("Enter");
    await rows(page).first().waitFor();
    await press("n");
    await page.getByRole("dialog", { name: "Add accounts" }).waitFor();
    await page.waitForFunction(() => document.activeElement?.id === "add-token");
    await page.keyboard.type("sim-ok-keyboard-account-1");
    await press("Control+Enter");
    await page.getByText("1 added, 0 changed, 0 as they were.").waitFor();
    await press("Escape", "/");
    await page.keyboard.type("keyboard");
    await page.getByText("1 in all").waitFor();
    const tabTo = async (name: RegExp) => {
      for (let steps = 0; steps < 60; steps++) {
        await press("Tab");
        const focused = await page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? "");
        if (name.test(focused)) return;
      }
      throw new Error(`${name} is not reached`);
    };
    await tabTo(/^Ask for its quota/);
    await press("Enter");
    await page.getByText("Quota updated.").waitFor();
    await tabTo(/^Actions$/);
    await press("Enter");
    await page.getByRole("menuitem", { name: "Test…" }).waitFor();
    await page.waitForFunction(() => document.activeElement?.textContent === "Test…");
    await press("ArrowUp", "Enter");
    await page.getByRole("dialog", { name: "Delete accounts?" }).waitFor();
    await page.waitForFunction(() => document.activeElement?.textContent === "Cancel");
    await press("Tab", "Enter");
    await page.getByText("1 deleted.").waitFor();
    await page.getByText("No account matches these filters.").waitFor();
    expect(offences).toEqual([]);
    await context.close();
  });

  test("keys lead to the pages and are listed on a question mark, but not while somebody types", async () => {
    const { page, context } = await site.open("/admin");
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    await page.keyboard.press("?");
    const list = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await list.getByText("Go to Tokens").waitFor();
    await page.keyboard.press("Escape");
    await list.waitFor({ state: "hidden" });
    await page.keyboard.press("g");
    await page.keyboard.press("2");
    await page.getByRole("heading", { level: 1, name: "Tokens" }).waitFor();
    await page.getByRole("searchbox").fill("");
    await page.keyboard.type("?g3n");
    expect(await page.getByRole("searchbox").inputValue()).toBe("?g3n");
    expect(await page.locator("dialog[open]").count()).toBe(0);
    await context.close();
  });

  test("a link past the navigation leads to the content", async () => {
    const { page, context } = await site.open("/admin/token");
    await rows(page).first().waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement?.id === "content");
    expect(new URL(page.url()).pathname).toBe("/admin/token");
    await context.close();
  });

  test("a refusal is explained in Chinese", async () => {
    const { page, context } = await site.open("/admin/config#token", { kept: { "grok2api.language": "zh" } });
    const field = page.getByRole("textbox", { name: /^wait_ms\b/ });
    await field.fill("many");
    await page.keyboard.press("Control+s");
    await page
      .getByRole("alert")
      .getByText(/^值不合法：/)
      .waitFor();
    await context.close();
  });

  test("a change of a setting acts on the next request", async () => {
    const upload = () =>
      fetch(`${site.url}/api/v1/admin/tokens/import`, {
        method: "POST",
        headers: { authorization: `Bearer ${PASSWORD}`, "content-type": "text/plain" },
        body: "#".repeat(1_500_000),
      });
    expect((await upload()).status).not.toBe(413);
    const { page, context } = await site.open("/admin/config#server");
    await page.getByRole("textbox", { name: /^max_body_mb\b/ }).fill("1");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved: server.max_body_mb").waitFor();
    expect((await upload()).status).toBe(413);
    await site.admin("POST", "/config", { server: { max_body_mb: null } });
    await context.close();
  });

  test("a file that is dropped on the page opens the import and is read", async () => {
    const { page, context } = await site.open("/admin/token");
    await rows(page).first().waitFor();
    const files = await page.evaluateHandle(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(["sim-ok-dropped-account-1\nsim-ok-dropped-account-2\n"], "tokens.txt"));
      return transfer;
    });
    await page.locator(".page").dispatchEvent("dragover", { dataTransfer: files });
    await page.getByRole("dialog", { name: "Import accounts" }).waitFor();
    await page.locator(".drop").dispatchEvent("drop", { dataTransfer: files });
    await page.getByText("Lines that look like tokens: 2.").waitFor();
    await context.close();
  });

  test("filters are chips with counts, and a batch acts on what they show", async () => {
    const tokens = ["sim-ok-chips-account-1", "sim-ok-chips-account-2", "sim-super-ok-chips-account-3"];
    await site.admin("POST", "/tokens/import", { text: tokens.join("\n") });
    const { items } = await site.admin<{ items: { id: string }[] }>("GET", "/tokens/list?search=chips");
    await site.admin("POST", "/tokens/tags", { tokens: [items[0]?.id], tags: ["nsfw"] });
    const { page, context } = await site.open("/admin/token");
    await page.getByRole("searchbox").fill("chips");
    await page.getByText("3 in all").waitFor();
    const adult = page.getByRole("group", { name: "Adult content" });
    await adult.getByRole("button", { name: "On 1" }).click();
    await page.getByText("1 in all").waitFor();
    await adult.getByRole("button", { name: /^Off/ }).click();
    await page.getByText("2 in all").waitFor();
    await page.getByRole("checkbox", { name: "Select this page" }).check();
    const bar = page.getByRole("region", { name: "2 selected" });
    await bar.getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Switch off" }).click();
    await page.getByText("2 changed.").waitFor();
    await page.getByRole("button", { name: "Switched off 2" }).click();
    await page.getByText("2 in all").waitFor();
    await page.getByRole("button", { name: "Clear filters" }).click();
    await bar.waitFor();
    await context.close();
  });

  test("the keys of an earlier gateway are taken over and answer at once, and many are switched together", async () => {
    const { page, context, offences } = await site.open("/admin/keys");
    await page.getByRole("button", { name: "Import" }).first().click();
    const secrets = ["sk-old-gateway-key-000001", "sk-old-gateway-key-000002"];
    await page
      .getByLabel("Choose the file, or drop it here")
      .first()
      .setInputFiles({
        name: "api_keys.json",
        mimeType: "application/json",
        buffer: Buffer.from(
          JSON.stringify(secrets.map((key, index) => ({ key, name: `old ${index}`, chat_limit: 5 }))),
        ),
      });
    await page.getByRole("dialog").getByRole("button", { name: "Import", exact: true }).click();
    await page.getByText("2 added, 0 were here already.").waitFor();
    const models = (secret: string) =>
      fetch(`${site.url}/v1/models`, { headers: { authorization: `Bearer ${secret}` } }).then(({ status }) => status);
    expect(await Promise.all(secrets.map(models))).toEqual([200, 200]);
    await page.getByRole("checkbox", { name: "Select old 0" }).check();
    await page.getByRole("checkbox", { name: "Select old 1" }).check();
    await page.getByRole("region", { name: "2 selected" }).getByRole("button", { name: "Switch off" }).click();
    await page.getByText("2 changed.").waitFor();
    expect(await Promise.all(secrets.map(models))).toEqual([401, 401]);
    expect(offences).toEqual([]);
    await context.close();
  });

  test("five thousand accounts come in by a file, are asked with progress, and the job is stopped", async () => {
    const { page, context, offences } = await site.open("/admin/token");
    await rows(page).first().waitFor();
    await page.getByRole("button", { name: "Import" }).first().click();
    const text = Array.from({ length: 5000 }, (_, index) => `sim-ok-crowd-account-${10_000 + index}`).join("\n");
    await page
      .locator('dialog input[type="file"]')
      .setInputFiles({ name: "crowd.txt", mimeType: "text/plain", buffer: Buffer.from(text) });
    await page.getByText("Lines that look like tokens: 5,000.").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Import", exact: true }).click();
    await page.getByText("5,000 added, 0 changed, 0 as they were.").waitFor();
    await page.getByRole("button", { name: "Ask about what is new (5,000)" }).click();
    const card = page.getByRole("region", { name: "Refresh of quotas" });
    await card.getByText(/of 5,000/).waitFor();
    await page.waitForFunction(() => Number(document.querySelector(".task [role=progressbar]")?.ariaValueNow) > 3);
    await card.getByRole("button", { name: "Stop" }).click();
    await card.getByText("Stopped").waitFor();
    expect(await rows(page).count()).toBe(50);
    expect(await page.evaluate(() => document.querySelectorAll("*").length)).toBeLessThan(6000);
    expect(offences).toEqual([]);
    await context.close();
  });

  test("a live log of five thousand lines is one text and follows", async () => {
    const { page, context, offences } = await site.open("/admin/datacenter#logs");
    const pane = page.locator(".log-pane");
    await pane.waitFor();
    await page.getByLabel("Lines", { exact: true }).selectOption("5000");
    await fetch(`${site.url}/v1/models/a-model-that-is-asked-for`);
    await page.getByText("a-model-that-is-asked-for").waitFor();
    expect(await pane.evaluate((element) => element.childNodes.length)).toBe(1);
    expect(offences).toEqual([]);
    await context.close();
  });

  test("reports are drawn by requests, latency, tokens and media", async () => {
    const { page, context } = await site.open("/admin/datacenter");
    for (const [name, title] of [
      ["Latency", "Latency over time, on average"],
      ["Tokens", "Tokens over time"],
      ["Media", "Pictures and clips over time"],
      ["Requests", "Requests over time"],
    ] as const) {
      await page.getByRole("group", { name: "Measure" }).getByRole("button", { name }).click();
      await page.getByRole("img", { name: title }).waitFor();
    }
    await context.close();
  });

  test.each([
    [767, true],
    [768, false],
  ])("at %d pixels a drawer is %p", async (width, isDrawer) => {
    const { page, context } = await site.open("/admin/keys", { browser: { viewport: { width, height: 800 } } });
    await page.getByRole("heading", { level: 1 }).waitFor();
    const button = page.getByRole("button", { name: "Menu" });
    expect(await button.isVisible()).toBe(isDrawer);
    expect(await page.locator(".shell > .side").isVisible()).toBe(!isDrawer);
    if (isDrawer) {
      expect(await button.getAttribute("aria-expanded")).toBe("false");
      await button.click();
      expect(await button.getAttribute("aria-expanded")).toBe("true");
      await page.setViewportSize({ width: 900, height: 800 });
      await page.getByRole("dialog", { name: "Menu" }).waitFor({ state: "hidden" });
    }
    await context.close();
  });

  test("on a phone tables scroll inside themselves", async () => {
    const { page, context } = await site.open("/admin/keys", { browser: { viewport: { width: 390, height: 844 } } });
    const wrap = page.locator(".table-wrap").first();
    await wrap.waitFor();
    expect(await wrap.evaluate((box) => box.scrollWidth > box.clientWidth)).toBe(true);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await context.close();
  });
});

// The page of the tokens as an operator uses it: bring accounts in, find them, work on many, watch and stop, remove.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { type Site, startSite } from "./browser.ts";

setDefaultTimeout(30_000);

let site: Site;
beforeAll(async () => {
  // One question at a time makes a job long enough to be stopped.
  site = await startSite({ GROK2API_USAGE_CONCURRENT: "1", GROK2API_CHAT_TRANSPORT: "rest" });
});
afterAll(() => site.stop());

const importText = async (page: Page, text: string): Promise<void> => {
  await page.getByRole("button", { name: "Import" }).first().click();
  await page.getByRole("textbox", { name: "Tokens" }).fill(text);
};
const submitImport = (page: Page) =>
  page.getByRole("dialog", { name: "Import accounts" }).getByRole("button", { name: "Import", exact: true }).click();

const tokens = (name: string, number: number): string =>
  Array.from({ length: number }, (_, index) => `sim-ok-${name}-account-${1000 + index}`).join("\n");

const rows = (page: Page) => page.locator(".accounts > tbody > tr:not(.details-row)");

test("a pasted list shows what it is before it is sent, and afterwards every line that was not taken", async () => {
  const { page, context, offences } = await site.open("/admin/token");
  await rows(page).first().waitFor();
  await importText(
    page,
    "sim-ok-pasted-account-1\nsso=sim-ok-pasted-account-2; path=/\nsim-ok-pasted-account-1\nabc\n",
  );
  await page.getByText("Lines that look like tokens: 3.").waitFor();
  await page.getByText("Repeated: 1.").waitFor();
  await page.getByText("Too short: line 4.").waitFor();
  await submitImport(page);
  await page.getByText("2 added, 0 changed, 0 as they were.").waitFor();
  await page.getByText("Line 3").waitFor();
  await page.getByText("Line 4").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).last().click();
  await page.getByRole("searchbox").fill("pasted");
  await page.getByText("2 in all").waitFor();
  expect(await rows(page).count()).toBe(2);
  expect(offences).toEqual([]);
  await context.close();
});

test("a chosen file is read", async () => {
  const { page, context } = await site.open("/admin/token");
  await rows(page).first().waitFor();
  await page.getByRole("button", { name: "Import" }).click();
  await page.locator('dialog input[type="file"]').setInputFiles({
    name: "accounts.json",
    mimeType: "application/json",
    buffer: Buffer.from(JSON.stringify({ ssoSuper: [{ token: "sim-super-ok-file-account-1", note: "from a file" }] })),
  });
  await page.getByText("JSON, accounts in it: 1.").waitFor();
  await submitImport(page);
  await page.getByText("1 added").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("searchbox").fill("from a file");
  await page.getByText("1 in all").waitFor();
  await rows(page).getByText("ssoSuper").waitFor();
  await context.close();
});

test("what is typed about an account is kept: note, tags, switched off and on", async () => {
  await site.admin("POST", "/tokens/add", { tokens: ["sim-ok-edited-account-1"] });
  const { page, context, offences } = await site.open("/admin/token");
  await page.getByRole("searchbox").fill("edited");
  await page.getByText("1 in all").waitFor();
  const act = async (name: string) => {
    await rows(page).getByRole("button", { name: "Actions" }).click();
    await page.getByRole("menuitem", { name }).click();
  };
  await act("Edit…");
  await page.getByLabel("Note", { exact: true }).fill("paid until May");
  await page.getByRole("combobox", { name: "Tags" }).pressSequentially("vip,eu");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Save" }).click();
  await rows(page).getByText("paid until May").waitFor();
  await rows(page).getByText("vip").waitFor();
  await act("Switch off");
  await rows(page).getByText("Switched off").waitFor();
  await page.getByRole("button", { name: /^Switched off 1$/ }).click();
  await page.getByText("1 in all").waitFor();
  await act("Switch on");
  await page.getByText("No account matches these filters.").waitFor();
  await page.getByRole("button", { name: "Clear filters" }).click();
  const stored = await site.admin<{ items: { note: string; tags: string[]; status: string }[] }>(
    "GET",
    "/tokens/list?search=edited",
  );
  expect(stored.items).toMatchObject([{ note: "paid until May", tags: ["vip", "eu"], status: "active" }]);
  expect(offences).toEqual([]);
  await context.close();
});

test("a test tells what the upstream said", async () => {
  await site.admin("POST", "/tokens/add", {
    tokens: ["sim-ok-tested-account-good1", "sim-blocked-tested-account-evil2"],
  });
  const { page, context } = await site.open("/admin/token");
  const run = async (search: string) => {
    await page.getByRole("searchbox").fill(search);
    const row = rows(page).filter({ hasText: search.slice(-8) });
    await row.getByRole("button", { name: "Actions" }).click();
    await page.getByRole("menuitem", { name: "Test…" }).click();
    await page.getByRole("button", { name: "Run the test" }).click();
  };
  await run("sim-ok-tested-account-good1");
  await page.getByText(/It works: grok-.* answered in \d+ ms/).waitFor();
  await page.keyboard.press("Escape");
  await run("sim-blocked-tested-account-evil2");
  await page.getByText(/It failed after \d+ ms/).waitFor();
  await page.getByText("The upstream says that the account is blocked.").first().waitFor();
  await page.getByRole("heading", { name: "The upstream said" }).waitFor();
  await context.close();
});

describe("many accounts", () => {
  test("are selected over pages, refreshed with progress, and the job is stopped", async () => {
    await site.admin("POST", "/tokens/import", { text: tokens("many", 6000) });
    const { page, context, offences } = await site.open("/admin/token");
    await page.getByRole("searchbox").fill("sim-ok-many");
    await page.getByText("6,000 in all").waitFor();
    await page.getByRole("checkbox", { name: "Select this page" }).check();
    const bar = page.getByRole("region", { name: /selected/ });
    await bar.getByText("50 selected").waitFor();
    await bar.getByRole("button", { name: "Select all 6,000" }).click();
    await bar.getByText("6,000 selected").waitFor();
    await bar.getByRole("button", { name: "Refresh" }).click();
    const card = page.getByRole("region", { name: "Refresh of quotas" });
    await card.getByText(/of 6,000/).waitFor();
    await page.waitForFunction(() => Number(document.querySelector(".task [role=progressbar]")?.ariaValueNow) > 3);
    expect(await bar.getByRole("button", { name: "Refresh" }).isDisabled()).toBe(true);
    await card.getByRole("button", { name: "Stop" }).click();
    await card.getByText("Stopped").waitFor();
    const done = Number(await card.getByRole("progressbar").getAttribute("aria-valuenow"));
    expect(done).toBeGreaterThan(3);
    expect(done).toBeLessThan(6000);
    expect(offences).toEqual([]);
    await context.close();
  });

  test("a job is found again after a reload, and so is the selection", async () => {
    const { page, context } = await site.open("/admin/token");
    await page.getByRole("searchbox").fill("sim-ok-many");
    await page.getByText("6,000 in all").waitFor();
    await page.getByRole("checkbox", { name: "Select this page" }).check();
    await page.getByRole("button", { name: "Select all 6,000" }).click();
    await page.getByText("6,000 selected").waitFor();
    await page
      .getByRole("region", { name: /selected/ })
      .getByRole("button", { name: "Refresh" })
      .click();
    const card = page.getByRole("region", { name: "Refresh of quotas" });
    await card.getByText(/of 6,000/).waitFor();
    await page.reload();
    await card.getByText(/of 6,000/).waitFor();
    await page.getByText("6,000 selected").waitFor();
    await card.getByRole("button", { name: "Stop" }).click();
    await card.getByText("Stopped").waitFor();
    await context.close();
  });

  test("are removed only after a question", async () => {
    const { page, context } = await site.open("/admin/token");
    await page.getByRole("searchbox").fill("sim-ok-many");
    await page.getByText("6,000 in all").waitFor();
    await page.getByRole("checkbox", { name: "Select this page" }).check();
    const bar = page.getByRole("region", { name: /selected/ });
    await bar.getByRole("button", { name: "Delete" }).click();
    const question = page.getByRole("dialog", { name: "Delete accounts?" });
    await question.getByRole("button", { name: "Cancel" }).click();
    await question.waitFor({ state: "hidden" });
    await page.getByText("6,000 in all").waitFor();
    await bar.getByRole("button", { name: "Delete" }).click();
    await question.getByRole("button", { name: "Delete" }).click();
    await page.getByText("50 deleted.").waitFor();
    await page.getByText("5,950 in all").waitFor();
    await bar.waitFor({ state: "hidden" });
    await context.close();
  });
});

test("an export carries whole sessions in a file", async () => {
  await site.admin("POST", "/tokens/add", { tokens: ["sim-ok-exported-account-1"] });
  const { page, context } = await site.open("/admin/token");
  await page.getByRole("searchbox").fill("exported");
  await page.getByText("1 in all").waitFor();
  await page.getByRole("button", { name: "More" }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: "Export the list as text" }).click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/^tokens_export_.*\.txt$/);
  const path = await file.path();
  expect((await Bun.file(path).text()).trim()).toBe("sim-ok-exported-account-1");
  await context.close();
});

// The page of the settings as an operator uses it: find, change, be refused, meet another editor, take a change back.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { type Site, startSite } from "./browser.ts";

setDefaultTimeout(30_000);

let site: Site;
beforeAll(async () => {
  site = await startSite({ GROK2API_RETRY_MAX_RETRY: "2" });
});
afterAll(() => site.stop());

const stored = async (section: string, name: string): Promise<unknown> => {
  const tree = await site.admin<Record<string, Record<string, unknown>>>("GET", "/config");
  return tree[section]?.[name];
};

const box = (page: Page, name: string) => page.getByRole("textbox", { name: new RegExp(`^${name}\\b`) });

test("a change is found by words, marked, saved and taken back", async () => {
  const { page, context, offences } = await site.open("/admin/config");
  await page.getByRole("searchbox").fill("token.max_inflight");
  const field = box(page, "max_inflight");
  await field.fill("7");
  await page.getByText("1 unsaved change").waitFor();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved: token.max_inflight").waitFor();
  expect(await stored("token", "max_inflight")).toBe(7);
  await page.getByText("set here").waitFor();
  await page.getByRole("button", { name: "Take the stored value away: token.max_inflight" }).click();
  await page.getByText("will be taken away").waitFor();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("set here").waitFor({ state: "hidden" });
  expect(await stored("token", "max_inflight")).toBe(4);
  expect(offences).toEqual([]);
  await context.close();
});

test("a refused value says why beside its setting, and nothing else was saved", async () => {
  const { page, context } = await site.open("/admin/config#token");
  await box(page, "fail_threshold").fill("no number");
  await box(page, "wait_ms").fill("1234");
  await page.getByRole("button", { name: "Save" }).click();
  await page
    .getByRole("alert")
    .getByText(/fail_threshold.*whole number/)
    .waitFor();
  expect(await box(page, "fail_threshold").getAttribute("aria-invalid")).toBe("true");
  expect(await stored("token", "wait_ms")).not.toBe(1234);
  await page.getByRole("button", { name: "Discard" }).click();
  expect(await box(page, "wait_ms").inputValue()).not.toBe("1234");
  await context.close();
});

test("another editor's change is shown, and one's own is kept until it is saved again", async () => {
  const { page, context } = await site.open("/admin/config#token");
  await box(page, "wait_ms").fill("3100");
  await site.admin("POST", "/config", { token: { cooldown_seconds: 4321 } });
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Somebody else changed the settings meanwhile.").waitFor();
  expect(await box(page, "cooldown_seconds").inputValue()).toBe("4321");
  expect(await box(page, "wait_ms").inputValue()).toBe("3100");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved: token.wait_ms").waitFor();
  expect([await stored("token", "wait_ms"), await stored("token", "cooldown_seconds")]).toEqual([3100, 4321]);
  await context.close();
});

test("what the environment sets is shown locked, and secrets are never in the page", async () => {
  const { page, context } = await site.open("/admin/config#retry");
  const field = box(page, "max_retry");
  await field.waitFor();
  expect([await field.inputValue(), await field.isDisabled()]).toEqual(["2", true]);
  await page.getByText("Set by GROK2API_RETRY_MAX_RETRY").waitFor();
  await page.getByRole("button", { name: "Application" }).click();
  await box(page, "app_key").waitFor();
  expect(await page.content()).not.toContain("a long enough password");
  await context.close();
});

test("leaving with something typed is asked about", async () => {
  const { page, context } = await site.open("/admin/config#token");
  await box(page, "wait_ms").fill("999");
  await page.getByRole("link", { name: "Tokens" }).click();
  const question = page.getByRole("dialog", { name: "Leave without saving?" });
  await question.getByRole("button", { name: "Cancel" }).click();
  expect(await box(page, "wait_ms").inputValue()).toBe("999");
  await page.getByRole("link", { name: "Tokens" }).click();
  await question.getByRole("button", { name: "Leave" }).click();
  await page.getByRole("heading", { level: 1, name: "Tokens" }).waitFor();
  await context.close();
});

// Every page of the dashboard for everybody: no serious finding of the accessibility checker, no overflow on a small phone.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type axe from "axe-core";
import { type Site, startSite } from "./browser.ts";

const PAGES = ["login", "token", "keys", "config", "cache", "downstream", "dialog", "datacenter", "audit"].map(
  (name) => `/admin/${name}`,
);
PAGES.push("/admin", "/admin/datacenter#requests", "/admin/datacenter#logs");

setDefaultTimeout(30_000);

let site: Site;
let checker: string;
beforeAll(async () => {
  site = await startSite();
  checker = await Bun.file(Bun.resolveSync("axe-core/axe.min.js", import.meta.dir)).text();
});
afterAll(() => site.stop());

describe.each(["light", "dark"])("in the %s theme", (theme) => {
  test.each(PAGES)("%s has no serious finding", async (path) => {
    const signedIn = path !== "/admin/login";
    const { page, context, offences } = await site.open(path, { signedIn, kept: { "grok2api.theme": theme } });
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.waitForLoadState("networkidle");
    await page.evaluate(checker);
    const found = await page.evaluate(async () => {
      const { axe: loaded } = globalThis as unknown as { axe: typeof axe };
      const { violations } = await loaded.run();
      return violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
    });
    expect(found).toEqual([]);
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

// The way in and out of the admin dashboard, its frame, and the choices that it keeps.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { PASSWORD, type Site, startSite } from "./browser.ts";

setDefaultTimeout(30_000);

let site: Site;
beforeAll(async () => {
  // With the playground on, / and /login are its.
  site = await startSite({ GROK2API_APP_PUBLIC_ENABLED: "false" });
});
afterAll(() => site.stop());

describe("the login", () => {
  test("says that a password is wrong and stays, then lets the right one in where it was wanted", async () => {
    const { page, context, offences } = await site.open("/admin/config", { signedIn: false });
    await page.waitForURL("**/admin/login?next=%2Fadmin%2Fconfig");
    const field = page.getByLabel("Admin password");
    expect(await field.evaluate((input) => input === document.activeElement)).toBe(true);
    await field.fill("not the password");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("The password is wrong.").waitFor();
    expect(await page.evaluate(() => localStorage.getItem("grok2api.session"))).toBeNull();
    await field.fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL("**/admin/config");
    await page.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
    expect(await page.evaluate(() => localStorage.getItem("grok2api.session"))).toStartWith("adm_");
    expect(offences).toEqual([]);
    await context.close();
  });

  test("is asked for again when the session has ended", async () => {
    const { page, context, offences } = await site.open("/admin/token", { kept: {}, signedIn: true });
    await page.getByRole("heading", { level: 1, name: "Tokens" }).waitFor();
    const session = await page.evaluate(() => localStorage.getItem("grok2api.session"));
    await fetch(`${site.url}/api/v1/admin/logout`, {
      method: "POST",
      headers: { authorization: `Bearer ${session}` },
    });
    await page.getByRole("button", { name: "Newest first" }).or(page.getByLabel("Order")).selectOption("created");
    await page.waitForURL("**/admin/login?next=%2Fadmin%2Ftoken");
    expect(await page.evaluate(() => localStorage.getItem("grok2api.session"))).toBeNull();
    expect(offences).toEqual([]);
    await context.close();
  });

  test("is where signing out leads, and the session is over in the gateway too", async () => {
    const { page, context } = await site.open("/admin/token");
    const session = await page.evaluate(() => localStorage.getItem("grok2api.session"));
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Admin password").waitFor();
    const check = await fetch(`${site.url}/api/v1/admin/verify`, { headers: { authorization: `Bearer ${session}` } });
    expect(check.status).toBe(401);
    await context.close();
  });
});

describe("the addresses", () => {
  test.each([
    ["/", "/admin"],
    ["/login", "/admin/login"],
    ["/manage", "/admin/token"],
  ])("%s leads to %s, by a relative step", async (from, to) => {
    const response = await fetch(`${site.url}${from}`, { redirect: "manual" });
    const location = response.headers.get("location") ?? "";
    expect(response.status).toBe(302);
    expect(location).not.toStartWith("/");
    expect(new URL(location, `${site.url}${from}`).href).toBe(`${site.url}${to}`);
  });

  test("a document is never kept, forbids inline code, and names files that are kept for ever", async () => {
    const response = await fetch(`${site.url}/admin`);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toContain("unsafe");
    const [, script = ""] = /type="module" src="([^"]+)"/.exec(await response.text()) ?? [];
    const file = new URL(script, `${site.url}/admin`);
    const asset = await fetch(file);
    expect(asset.headers.get("content-type")).toContain("text/javascript");
    expect(asset.headers.get("cache-control")).toContain("immutable");
    expect(asset.headers.get("content-encoding")).toBe("gzip");
    const plain = await fetch(file, { headers: { "accept-encoding": "identity" } });
    expect(plain.headers.get("content-encoding")).toBeNull();
    expect(await plain.text()).toBe(await asset.text());
  });

  test.each(["/static/..%2f..%2fpackage.json", "/static/admin.html", "/static/nothing.js"])(
    "%s is no file",
    async (path) => {
      expect((await fetch(`${site.url}${path}`)).status).toBe(404);
    },
  );
});

describe("the choices", () => {
  test("theme and language outlive a reload and are there before the first paint", async () => {
    const { page, context, offences } = await site.open("/admin/token");
    const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const light = await background();
    await page.getByRole("button", { name: "Language" }).click();
    await page.getByRole("menuitem", { name: "中文" }).click();
    await page.getByRole("heading", { level: 1, name: "Token 管理" }).waitFor();
    await page.getByRole("button", { name: "主题" }).click();
    await page.getByRole("menuitem", { name: "深色" }).click();
    await page.locator('html[data-theme="dark"]').waitFor();
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "Token 管理" }).waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe("zh-CN");
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
    expect(await background()).not.toBe(light);
    expect(offences).toEqual([]);
    await context.close();
  });

  test("a narrow window has the pages in a drawer that Escape and a link close", async () => {
    const { page, context } = await site.open("/admin/token", { browser: { viewport: { width: 360, height: 740 } } });
    await page.getByRole("button", { name: "Menu" }).click();
    const drawer = page.getByRole("dialog", { name: "Menu" });
    await drawer.waitFor();
    await page.keyboard.press("Escape");
    await drawer.waitFor({ state: "hidden" });
    await page.getByRole("button", { name: "Menu" }).click();
    await drawer.getByRole("link", { name: "Settings" }).click();
    await page.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
    await drawer.waitFor({ state: "hidden" });
    await context.close();
  });
});

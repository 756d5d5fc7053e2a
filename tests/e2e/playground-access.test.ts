// Who gets into the playground: nobody while it is off, anybody while it is open, whoever has the key while it has one.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { startSite } from "./browser.ts";
import { chat, KEYED, type Playground, PUBLIC_KEY, startPlayground } from "./playground-site.ts";

setDefaultTimeout(30_000);

const PAGES = ["/chat", "/imagine", "/video", "/voice"];

const answerOf = async (url: string): Promise<[number, string | null]> => {
  const response = await fetch(url, { redirect: "manual" });
  return [response.status, response.headers.get("location")];
};

test("while it is off its pages are not there, and the old addresses lead to the dashboard", async () => {
  const site = await startSite({ GROK2API_APP_PUBLIC_ENABLED: "false" });
  for (const path of PAGES) expect(await answerOf(site.url + path)).toEqual([404, null]);
  expect(await answerOf(`${site.url}/`)).toEqual([302, "./admin"]);
  expect(await answerOf(`${site.url}/login`)).toEqual([302, "./admin/login"]);
  const { page, context } = await site.open("/admin");
  await page.getByRole("link", { name: "Playground" }).click();
  await page.waitForURL("**/admin/config");
  await context.close();
  await site.stop();
});

describe("while it is open", () => {
  let site: Playground;
  beforeAll(async () => {
    site = await startPlayground();
  });
  afterAll(() => site.stop());

  test("the root leads to the chat, without a login and without a way out", async () => {
    const { page, context, offences } = await site.visit("/");
    await page.waitForURL("**/chat");
    await chat(page).field.waitFor();
    expect(await page.getByRole("button", { name: "Sign out" }).count()).toBe(0);
    expect(offences).toEqual([]);
    await context.close();
  });

  test("the login leads on to where one wanted to go, and nowhere else", async () => {
    const { page, context } = await site.visit("/login?next=/imagine");
    await page.waitForURL("**/imagine");
    await page.goto(`${site.url}/login?next=https://example.com/`);
    await page.waitForURL(`${site.url}/chat`);
    await context.close();
  });

  test("every page is reached from the others, by pointer and by keys, and back", async () => {
    const { page, context, offences } = await site.visit("/chat");
    for (const [index, name] of ["Chat", "Imagine", "Video", "Voice"].entries()) {
      await page.getByRole("navigation").getByRole("link", { name }).click();
      await page.waitForURL(`**${PAGES[index]}`);
      await page.locator("h1").waitFor({ state: "attached" });
      expect(await page.title()).toBe(`${name} · Grok2API`);
    }
    await page.goBack();
    await page.waitForURL("**/video");
    await page.locator("main").focus();
    await page.keyboard.press("g");
    await page.keyboard.press("1");
    await page.waitForURL("**/chat");
    expect(offences).toEqual([]);
    await context.close();
  });

  test("the dashboard and the playground lead to each other", async () => {
    const { page, context } = await site.open("/admin", { signedIn: true });
    await page.getByRole("link", { name: "Playground" }).click();
    await page.waitForURL("**/chat");
    await page.getByRole("link", { name: "Admin dashboard" }).click();
    await page.waitForURL("**/admin");
    await context.close();
  });

  test("its document runs under the strict policy and fits into little", async () => {
    const response = await fetch(`${site.url}/chat`);
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("connect-src 'self';");
    // The voice server of the demo is the simulator; no other page may reach it.
    const voice = (await fetch(`${site.url}/voice`)).headers.get("content-security-policy") ?? "";
    expect(voice).toMatch(/connect-src 'self' ws:\/\/127\.0\.0\.1:\d+ http:\/\/127\.0\.0\.1:\d+;/);
    expect(policy).not.toContain("unsafe");
    const { page, context } = await site.visit("/voice");
    let bytes = 0;
    page.on("response", async (answer) => {
      if (answer.url().includes("/static/")) bytes += (await answer.request().sizes()).responseBodySize;
    });
    await page.goto(`${site.url}/chat`);
    await chat(page).field.waitFor();
    await page.waitForLoadState("networkidle");
    expect(bytes).toBeGreaterThan(20_000);
    expect(bytes).toBeLessThan(150_000);
    await context.close();
  });
});

describe("while it has a key", () => {
  let site: Playground;
  beforeAll(async () => {
    site = await startPlayground(KEYED);
  });
  afterAll(() => site.stop());

  test("it asks for the key, says that one is wrong, and comes back to the page that was wanted", async () => {
    const { page, context, offences } = await site.visit("/imagine");
    await page.waitForURL("**/login?next=%2Fimagine");
    const field = page.getByLabel("Playground key");
    expect(await field.evaluate((input) => input === document.activeElement)).toBe(true);
    await field.fill("not the key");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("The key is wrong.").waitFor();
    await field.fill(PUBLIC_KEY);
    await page.getByRole("button", { name: "Enter" }).click();
    await page.waitForURL("**/imagine");
    await page.reload();
    await page.waitForURL("**/imagine");
    expect(page.url()).not.toContain("key");
    await page.getByRole("button", { name: "Sign out" }).click();
    await field.waitFor();
    expect(await page.evaluate((key) => JSON.stringify([localStorage, sessionStorage]).includes(key), PUBLIC_KEY)).toBe(
      false,
    );
    expect(offences).toEqual([]);
    await context.close();
  });

  test("its key alone is enough for a chat although the API asks for its own, and stands in no address", async () => {
    const { page, context } = await site.visit("/chat", { kept: { "grok2api.public_key": PUBLIC_KEY } });
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await chat(page).field.waitFor();
    await chat(page).hear("sim:echo one two three");
    await chat(page).answers.getByText("one two three").waitFor();
    expect(asked.filter((address) => decodeURIComponent(address).includes(PUBLIC_KEY))).toEqual([]);
    expect((await fetch(`${site.url}/v1/models`)).status).toBe(401);
    await context.close();
  });

  test("a key that the operator has changed is asked for again", async () => {
    const { page, context } = await site.visit("/chat", { kept: { "grok2api.public_key": "an earlier key" } });
    await page.waitForURL("**/login?next=%2Fchat");
    expect(await page.evaluate(() => localStorage.getItem("grok2api.public_key"))).toBeNull();
    await context.close();
  });
});

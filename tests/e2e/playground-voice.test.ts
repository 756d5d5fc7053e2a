// The page of the voice as visitors use it, against the simulated voice server, which lets people in and sends no sound: up to
// the room, and every reason why it can end before.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { openUpstream, PHONE, seriousFindings } from "./playground-media.ts";
import { KEYED, OPEN, type Playground, PUBLIC_KEY, startPlayground } from "./playground-site.ts";

setDefaultTimeout(40_000);

const FAKES = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];

let site: Playground;
beforeAll(async () => {
  site = await startPlayground(OPEN, FAKES);
});
afterAll(() => site.stop());

const talk = (page: Page) => page.getByRole("button", { name: "Start talking" });
const stage = (page: Page, words: string) => page.locator(".voice-stage").getByText(words);

describe("a session", () => {
  test("is asked for with voice, personality and speed, joins the room, and is ended by its button", async () => {
    const { page, context, offences } = await site.visit("/voice");
    const sockets: { readonly url: string; isOpen: boolean }[] = [];
    page.on("websocket", (socket) => {
      const seen = { url: socket.url(), isOpen: true };
      sockets.push(seen);
      socket.on("close", () => (seen.isOpen = false));
    });
    await page.getByRole("radio", { name: "Rex" }).check();
    await page.getByLabel("Personality").selectOption("Storyteller");
    await page.getByLabel("Speed").fill("1.5");
    const asked = page.waitForRequest((request) => request.url().endsWith("/v1/public/voice/token"));
    await talk(page).click();
    expect((await asked).postDataJSON()).toEqual({ voice: "rex", personality: "storyteller", speed: 1.5 });
    await stage(page, "In the room. Connecting the sound…").waitFor();
    expect(sockets).toHaveLength(1);
    expect(sockets[0]?.url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/rtc/);
    // The fake microphone beeps once a second.
    await page.waitForFunction(() => Number(document.querySelector(".level")?.getAttribute("aria-valuenow")) > 10);
    expect(await seriousFindings(page)).toEqual([]);
    await page.getByRole("button", { name: "End", exact: true }).click();
    await stage(page, "Ready").waitFor();
    while (sockets[0]?.isOpen) await Bun.sleep(20);
    expect(await page.getByRole("alert").count()).toBe(0);
    expect(await openUpstream(site)).toBe(0);
    expect(offences.filter((what) => !what.startsWith("request: "))).toEqual([]);
    await context.close();
  });

  test("without sound says so after a while, with what to do", async () => {
    const { page, context } = await site.visit("/voice");
    await talk(page).click();
    await page.getByRole("alert").getByText("let you in, but no sound came through").waitFor({ timeout: 25_000 });
    await stage(page, "Ready").waitFor();
    expect(await openUpstream(site)).toBe(0);
    await context.close();
  });

  test("of a closed tab leaves the room within two seconds", async () => {
    const { page, context } = await site.visit("/voice");
    await talk(page).click();
    await stage(page, "In the room. Connecting the sound…").waitFor();
    expect(await openUpstream(site)).toBe(1);
    await context.close();
    const from = performance.now();
    while ((await openUpstream(site)) > 0 && performance.now() - from < 4000) await Bun.sleep(50);
    expect(performance.now() - from).toBeLessThan(2000);
  });

  test("of one's own making needs an instruction, and that goes along", async () => {
    const { page, context } = await site.visit("/voice");
    await page.getByLabel("Personality").selectOption("Custom");
    expect(await talk(page).isDisabled()).toBe(true);
    await page.getByLabel("Instruction").fill("sim:empty Speak like a pirate.");
    const asked = page.waitForRequest((request) => request.url().endsWith("/voice/token"));
    await talk(page).click();
    expect((await asked).postDataJSON()).toMatchObject({ instruction: "sim:empty Speak like a pirate." });
    await page.getByRole("alert").waitFor();
    await stage(page, "Ready").waitFor();
    await page.reload();
    expect(await page.getByLabel("Instruction").inputValue()).toBe("sim:empty Speak like a pirate.");
    await context.close();
  });
});

describe("where it cannot be", () => {
  test("a page on plain http of another machine says what to do instead", async () => {
    const { page, context } = await site.visit("/voice");
    await page.addInitScript(() => Object.defineProperty(window, "isSecureContext", { get: () => false }));
    await page.reload();
    await page.getByRole("alert").getByText("only to pages on https:// or on localhost").waitFor();
    expect(await talk(page).isDisabled()).toBe(true);
    await context.close();
  });

  test.each([
    ["NotAllowedError", "The microphone was refused."],
    ["NotFoundError", "No microphone was found."],
    ["NotReadableError", "another program may be using it"],
  ])("a microphone that ends in %s is explained, and no session is asked for", async (name, words) => {
    const { page, context } = await site.visit("/voice");
    await page.addInitScript((kind) => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", kind));
    }, name);
    await page.reload();
    let asked = 0;
    page.on("request", (request) => (asked += request.url().includes("/voice/token") ? 1 : 0));
    await talk(page).click();
    await page.getByRole("alert").getByText(words).waitFor();
    expect(asked).toBe(0);
    await context.close();
  });

  test("a room that lets nobody in is told with its address", async () => {
    const { page, context, offences } = await site.visit("/voice");
    await page.route(/voice\/token/, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), token: "x.y.z" } });
    });
    await talk(page).click();
    await page
      .getByRole("alert")
      .getByText(/^The voice server 127\.0\.0\.1:\d+ could not be joined: /)
      .waitFor();
    expect(offences.filter((what) => what.startsWith("connect-src"))).toEqual([]);
    await context.close();
  });

  test("a document of another page is loaded anew, for only its own may reach the voice server", async () => {
    const { page, context } = await site.visit("/imagine");
    await page.getByRole("link", { name: "Voice" }).click();
    await page.waitForURL("**/voice");
    await talk(page).click();
    await stage(page, "In the room. Connecting the sound…").waitFor();
    await context.close();
  });

  test("it asks before that where something still runs", async () => {
    const { page, context } = await site.visit("/imagine");
    await page.getByRole("textbox", { name: "Prompt" }).fill("sim:hang");
    await page.getByRole("button", { name: "Draw", exact: true }).click();
    await page.locator(".card-box.drawing").first().waitFor();
    await page.getByRole("link", { name: "Voice" }).click();
    await page.getByRole("button", { name: "Load it anew" }).click();
    await page.getByRole("button", { name: "Load it anew" }).waitFor({ state: "detached" });
    expect(await talk(page).isDisabled()).toBe(false);
    await context.close();
  });
});

test.each(["light", "dark"])("in the %s theme and on a phone, it has no serious finding and fits", async (theme) => {
  const { page, context, offences } = await site.visit("/voice", {
    browser: PHONE,
    kept: { "grok2api.theme": theme, "grok2api.language": theme === "dark" ? "zh" : "en" },
  });
  await page.locator("#voice-personality").selectOption({ index: 13 });
  expect(await seriousFindings(page)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  expect(offences).toEqual([]);
  await context.close();
});

test("with a key it asks for a session with it", async () => {
  const keyed = await startPlayground(KEYED, FAKES);
  try {
    const { page, context } = await keyed.visit("/voice");
    await page.getByLabel("Playground key").fill(PUBLIC_KEY);
    await page.keyboard.press("Enter");
    await page.waitForURL("**/voice");
    await talk(page).click();
    await stage(page, "In the room. Connecting the sound…").waitFor();
    await context.close();
  } finally {
    await keyed.stop();
  }
});

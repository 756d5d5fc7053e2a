// The page of the clips as visitors use it: one clip and lines of them, progress, the player, what is kept, batches, both stops.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { pngBytes } from "../support/pictures.ts";
import { openUpstream, PHONE, seriousFindings } from "./playground-media.ts";
import { KEYED, OPEN, type Playground, PUBLIC_KEY, startPlayground } from "./playground-site.ts";

setDefaultTimeout(30_000);

let site: Playground;
beforeAll(async () => {
  // The client that can be interrupted while the upstream says nothing at all.
  site = await startPlayground({ ...OPEN, GROK2API_GROK_HTTP_CLIENT: "fetch" });
});
afterAll(() => site.stop());

const studio = (page: Page) => {
  const field = page.getByRole("textbox", { name: "Prompt" });
  return {
    field,
    film: page.getByRole("button", { name: "Film", exact: true }),
    async begin(words: string) {
      await field.fill(words);
      await page.getByRole("button", { name: "Film", exact: true }).click();
    },
    async lines({ count, runs }: { count: string; runs: string }) {
      await page.getByRole("button", { name: "Waterfall" }).click();
      await page.getByRole("combobox", { name: "Clips" }).selectOption(count);
      await page.getByLabel("At once").selectOption(runs);
    },
  };
};

const quiet = async (): Promise<number> => {
  const from = performance.now();
  while ((await openUpstream(site)) > 0 && performance.now() - from < 5000) await Bun.sleep(50);
  return performance.now() - from;
};

describe("one clip", () => {
  test("tells its progress, plays, and is asked for with every choice and the picture", async () => {
    const { page, context, offences } = await site.visit("/video");
    await page.getByLabel("Ratio").selectOption("9:16");
    await page.getByLabel("Length").selectOption("10 s");
    await page.getByLabel("Resolution").selectOption("720p");
    await page.getByLabel("Style").selectOption("Fun");
    expect(await page.getByLabel("Style").locator("option").allTextContents()).toEqual(["Normal", "Fun", "Custom"]);
    const picture = { name: "own.png", mimeType: "image/png", buffer: Buffer.from(pngBytes()) };
    await page.locator('input[type="file"]').setInputFiles(picture);
    await page.getByRole("img", { name: "own.png" }).waitFor();
    const asked = page.waitForRequest((request) => request.url().endsWith("/v1/public/video/start"));
    await studio(page).begin("a paper boat");
    expect((await asked).postDataJSON()).toEqual({
      ...{ prompt: "a paper boat", aspect_ratio: "9:16", video_length: 10, resolution_name: "720p", preset: "fun" },
      image_url: `data:image/png;base64,${picture.buffer.toString("base64")}`,
    });
    await page.getByRole("progressbar", { name: "Filming" }).waitFor();
    await page.getByText(/^\d+% · \d+ s$/).waitFor();
    await page.getByText("1 clip", { exact: true }).waitFor();
    const player = page.getByRole("region", { name: "Player" }).locator("video");
    await player.evaluate((video: HTMLVideoElement) => video.play());
    await page.waitForFunction(() => (document.querySelector<HTMLVideoElement>(".player video")?.currentTime ?? 0) > 0);
    expect(await seriousFindings(page)).toEqual([]);
    expect(offences).toEqual([]);
    await context.close();
  });

  test("that fails says why and what to do, and is filmed again by its button", async () => {
    const { page, context, offences } = await site.visit("/video");
    await studio(page).begin("sim:moderation a paper boat");
    const alert = page.getByRole("alert").filter({ hasText: "content_policy_violation" });
    await alert.getByText("Word the prompt differently").waitFor();
    const again = page.waitForRequest((request) => request.url().endsWith("/video/start"));
    await alert.getByRole("button", { name: "Try again" }).click();
    expect((await again).postDataJSON()).toMatchObject({ prompt: "sim:moderation a paper boat" });
    await alert.waitFor();
    expect(await page.locator(".wall-item").count()).toBe(1);
    expect(offences).toEqual([]);
    await context.close();
  });

  test("is stopped, upstream too", async () => {
    const { page, context } = await site.visit("/video");
    await studio(page).begin("sim:hang a paper boat");
    while ((await openUpstream(site)) === 0) await Bun.sleep(20);
    await page.locator(".studio-go").click();
    await page.getByText("Stopped.").waitFor();
    expect(await quiet()).toBeLessThan(2000);
    await page.getByRole("button", { name: "Film again" }).waitFor();
    await context.close();
  });

  test("of a closed tab ends upstream within two seconds", async () => {
    const { page, context } = await site.visit("/video");
    await studio(page).begin("sim:hang a paper boat");
    while ((await openUpstream(site)) === 0) await Bun.sleep(20);
    await context.close();
    expect(await quiet()).toBeLessThan(2000);
  });
});

describe("what was filmed", () => {
  test("is there after the page was loaded anew: played, used again, saved, deleted", async () => {
    const { page, context, offences } = await site.visit("/video");
    await studio(page).begin("a paper boat");
    await page.getByText("1 clip", { exact: true }).waitFor();
    await page.reload();
    await page.getByRole("button", { name: "Play: a paper boat" }).click();
    await page.getByRole("region", { name: "Player" }).locator("video").waitFor();
    await page.getByRole("button", { name: "Close the player" }).click();
    await page.getByRole("button", { name: "Use the prompt again" }).click();
    expect(await studio(page).field.inputValue()).toBe("a paper boat");
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save the clip" }).click();
    expect((await Bun.file(await (await saved).path()).bytes()).length).toBeGreaterThan(500);
    await page.getByRole("button", { name: "Delete the clip" }).click();
    await page.getByText("No clips yet").waitFor();
    await page.reload();
    await page.getByText("No clips yet").waitFor();
    expect(offences).toEqual([]);
    await context.close();
  });

  test("is told honestly when the page was left in the middle", async () => {
    const { page, context, offences } = await site.visit("/video");
    await studio(page).begin("sim:hang a paper boat");
    while ((await openUpstream(site)) === 0) await Bun.sleep(20);
    await page.reload();
    await page.getByText("The page was left while this was filmed, which ended it.").waitFor();
    expect(await quiet()).toBeLessThan(2000);
    const asked = page.waitForRequest((request) => request.url().endsWith("/video/start"));
    await page.getByRole("button", { name: "Film again" }).click();
    expect((await asked).postDataJSON()).toMatchObject({ prompt: "sim:hang a paper boat", aspect_ratio: "3:2" });
    expect(offences).toEqual([]);
    await context.close();
  });

  test("goes on after the page was loaded anew where its task still waits", async () => {
    const { page, context } = await site.visit("/video");
    // The page is left after the task was begun and before it was read.
    await page.route(/video\/sse/, () => undefined, { times: 1 });
    await studio(page).begin("a paper boat");
    await page.getByText("1 filming").waitFor();
    await page.waitForFunction(() => /"taskId":"\w+"/.test(localStorage.getItem("grok2api.video.history") ?? ""));
    await page.reload();
    await page.getByText("1 clip", { exact: true }).waitFor();
    await context.close();
  });
});

describe("the waterfall", () => {
  test("films its share in several lines, looks at clips large, packs and deletes them", async () => {
    const { page, context, offences } = await site.visit("/video");
    const { begin, lines } = studio(page);
    await lines({ count: "3", runs: "2" });
    await begin("a paper boat");
    await page.getByText("2 filming").waitFor();
    await page.getByText("3 clips").waitFor();
    await page.getByRole("button", { name: "Play: a paper boat" }).first().click();
    const box = page.getByRole("dialog", { name: "a paper boat" });
    await box.getByText("1 of 3").waitFor();
    await page.keyboard.press("ArrowLeft");
    await box.getByText("3 of 3").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Select", exact: true }).click();
    await page.getByRole("checkbox").nth(1).check();
    await page.getByRole("button", { name: "Select all" }).click();
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download as ZIP" }).click();
    const { unzipSync } = await import("fflate");
    expect(Object.keys(unzipSync(await Bun.file(await (await saved).path()).bytes()))).toHaveLength(3);
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("No clips yet").waitFor();
    expect(offences).toEqual([]);
    await context.close();
  });

  test("stops gracefully: what runs is finished and nothing more begun", async () => {
    const { page, context, offences } = await site.visit("/video");
    const { begin, film, lines } = studio(page);
    await lines({ count: "Until stopped", runs: "2" });
    await begin("a paper boat");
    await page.getByText("2 filming").waitFor();
    let begun = 0;
    page.on("request", (request) => (begun += request.url().endsWith("/video/start") ? 1 : 0));
    await page.getByRole("button", { name: "Finish these, then stop" }).click();
    const before = begun;
    await page.getByRole("button", { name: "Stop now" }).waitFor();
    await film.waitFor();
    expect(begun).toBe(before);
    expect(await page.getByText("Stopped.").count()).toBe(0);
    expect(await page.getByRole("button", { name: "Play: a paper boat" }).count()).toBeGreaterThanOrEqual(2);
    expect(offences).toEqual([]);
    await context.close();
  });

  test("stops at once when it is asked twice", async () => {
    const { page, context } = await site.visit("/video");
    const { begin, lines } = studio(page);
    await lines({ count: "Until stopped", runs: "2" });
    await begin("sim:hang a paper boat");
    while ((await openUpstream(site)) < 2) await Bun.sleep(20);
    await page.getByRole("button", { name: "Finish these, then stop" }).click();
    await page.getByRole("button", { name: "Stop now" }).click();
    await page.getByText("Stopped.").nth(1).waitFor();
    expect(await quiet()).toBeLessThan(2000);
    await context.close();
  });
});

test.each(["light", "dark"])("in the %s theme and on a phone, it has no serious finding and fits", async (theme) => {
  const { page, context, offences } = await site.visit("/video", {
    browser: PHONE,
    kept: { "grok2api.theme": theme, "grok2api.language": theme === "dark" ? "zh" : "en" },
  });
  await page.locator("#video-prompt").fill("sim:hang");
  await page.locator(".studio-go").click();
  await page.locator(".card-box.drawing").waitFor();
  expect(await seriousFindings(page)).toEqual([]);
  await page.locator(".studio-go").click();
  await page.locator(".card-box.told").waitFor();
  expect(await seriousFindings(page)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  expect(offences).toEqual([]);
  await context.close();
});

test("with a key it films for whoever has it, and the key stands in no address", async () => {
  const keyed = await startPlayground(KEYED);
  try {
    const { page, context, offences } = await keyed.visit("/video");
    const addresses: string[] = [];
    page.on("request", (request) => addresses.push(decodeURIComponent(request.url())));
    await page.getByLabel("Playground key").fill(PUBLIC_KEY);
    await page.keyboard.press("Enter");
    await page.waitForURL("**/video");
    await studio(page).begin("a paper boat");
    await page.getByText("1 clip", { exact: true }).waitFor();
    expect(addresses.some((address) => address.includes("/video/sse?task_id="))).toBe(true);
    expect(addresses.filter((address) => address.includes(PUBLIC_KEY))).toEqual([]);
    expect(offences).toEqual([]);
    await context.close();
  } finally {
    await keyed.stop();
  }
});

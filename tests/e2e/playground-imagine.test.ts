// The page of the pictures as visitors use it: runs over every connection, cards in every state, pictures of one's own, batches.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { pngBytes } from "../support/pictures.ts";
import { openUpstream, PHONE, seriousFindings } from "./playground-media.ts";
import { KEYED, OPEN, type Playground, PUBLIC_KEY, startPlayground } from "./playground-site.ts";

setDefaultTimeout(30_000);

let site: Playground;
beforeAll(async () => {
  site = await startPlayground(OPEN);
});
afterAll(() => site.stop());

const studio = (page: Page) => {
  const field = page.getByRole("textbox", { name: "Prompt" });
  return {
    field,
    stop: page.locator(".studio").getByRole("button", { name: "Stop" }),
    pictures: page.getByRole("button", { name: /^Show picture \d+ large$/ }),
    more: page.getByText("More options"),
    async draw(words: string, { count = "6", runs = "1" }: { count?: string; runs?: string } = {}) {
      await page.getByRole("combobox", { name: "Pictures", exact: true }).selectOption(count);
      await page.getByLabel("At once").selectOption(runs);
      await field.fill(words);
      await page.getByRole("button", { name: "Draw", exact: true }).click();
    },
  };
};

const picture = { name: "own.png", mimeType: "image/png", buffer: Buffer.from(pngBytes()) };

describe("a run", () => {
  test("draws as many as were asked for, over a socket, with its numbers and its time", async () => {
    const { page, context, offences } = await site.visit("/imagine");
    const sockets: string[] = [];
    page.on("websocket", (socket) => sockets.push(socket.url()));
    const { draw, pictures } = studio(page);
    await draw("a pier", { count: "6" });
    await page.locator(".card-box").first().waitFor();
    await page.getByText("6 drawn").waitFor();
    expect(await pictures.count()).toBe(6);
    expect(await page.locator(".card-foot").first().textContent()).toMatch(/^#6 · \d+\.\d s$/);
    await page.getByText(/^\d+\.\d s on average$/).waitFor();
    expect(sockets).toHaveLength(1);
    expect(sockets[0]).toMatch(/^ws:\/\/[^?]+\?task_id=[0-9a-f]{32}$/);
    await page.waitForFunction(() =>
      [...document.querySelectorAll<HTMLImageElement>(".card-picture img")].every((image) => image.naturalWidth > 0),
    );
    expect(offences).toEqual([]);
    await context.close();
  });

  test("is shared out over three at once, and goes over events where that is chosen", async () => {
    const { page, context, offences } = await site.visit("/imagine");
    let [sockets, streams] = [0, 0];
    page.on("websocket", () => sockets++);
    page.on("request", (request) => (streams += request.url().includes("/imagine/sse") ? 1 : 0));
    const { draw, more } = studio(page);
    await more.click();
    await page.getByLabel("Connection").selectOption("sse");
    await draw("a pier", { count: "4", runs: "3" });
    await page.getByText("4 drawn").waitFor();
    await page.getByText("running").waitFor({ state: "detached" });
    expect([sockets, streams]).toEqual([0, 3]);
    expect(offences).toEqual([]);
    await context.close();
  });

  test("falls back to events where no socket can be opened", async () => {
    const { page, context } = await site.visit("/imagine");
    // As a proxy does that does not know sockets: no answer ever comes.
    await page.routeWebSocket(/imagine\/ws/, () => undefined);
    await page.addInitScript(() => {
      const Real = WebSocket;
      class Silent extends Real {
        override addEventListener(kind: string, ...rest: unknown[]): void {
          if (kind !== "open") (super.addEventListener as (...all: unknown[]) => void)(kind, ...rest);
        }
      }
      window.WebSocket = Silent;
    });
    await page.reload();
    const asked = page.waitForRequest((request) => request.url().includes("/imagine/sse?task_id="));
    await studio(page).draw("a pier", { count: "2" });
    await asked;
    await page.getByText("2 drawn").waitFor();
    await context.close();
  });

  test("goes on until it is stopped, and the stop ends it upstream", async () => {
    const { page, context, offences } = await site.visit("/imagine");
    const { draw, stop } = studio(page);
    await draw("a pier", { count: "Until stopped", runs: "2" });
    await page.getByText("2 running").waitFor();
    await page.waitForFunction(() => document.querySelectorAll(".card-picture").length > 12);
    expect(await openUpstream(site)).toBeGreaterThan(0);
    await stop.click();
    await page.getByRole("button", { name: "Draw", exact: true }).waitFor();
    const before = await page.locator(".card-picture").count();
    const from = performance.now();
    while ((await openUpstream(site)) > 0 && performance.now() - from < 4000) await Bun.sleep(50);
    expect(performance.now() - from).toBeLessThan(2000);
    expect(await page.locator(".card-box").count()).toBe(0);
    await Bun.sleep(500);
    expect(await page.locator(".card-picture").count()).toBe(before);
    expect(offences).toEqual([]);
    await context.close();
  });

  test("of a closed tab ends upstream within two seconds", async () => {
    const { page, context } = await site.visit("/imagine");
    await studio(page).draw("sim:hang a pier", { count: "6" });
    await page.locator(".card-box.drawing").first().waitFor();
    while ((await openUpstream(site)) === 0) await Bun.sleep(20);
    await context.close();
    const from = performance.now();
    while ((await openUpstream(site)) > 0 && performance.now() - from < 4000) await Bun.sleep(50);
    expect(performance.now() - from).toBeLessThan(2000);
  });

  test("goes on while another page is looked at", async () => {
    const { page, context } = await site.visit("/imagine");
    await studio(page).draw("a pier", { count: "12" });
    await page.locator(".card-box.drawing").first().waitFor();
    await page.getByRole("link", { name: "Video" }).click();
    await page.waitForURL("**/video");
    await page.getByRole("link", { name: "Imagine" }).click();
    await page.getByText("12 drawn").waitFor();
    await context.close();
  });
});

describe("a card", () => {
  test("says that its picture was withheld, and why a whole call failed", async () => {
    const { page, context, offences } = await site.visit("/imagine");
    await studio(page).draw("sim:blocked-picture a pier", { count: "4" });
    await page.getByText("Withheld by the upstream's rules on content.").waitFor();
    const alert = page.getByRole("alert").filter({ hasText: "content_policy_violation" });
    await alert.getByText("Word the prompt differently").waitFor();
    await page.getByText("3 drawn").waitFor();
    await alert.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("alert").filter({ hasText: "content_policy_violation" }).waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    expect(offences).toEqual([]);
    await context.close();
  });

  test("whose call failed is tried again by itself, and says so", async () => {
    const { page, context } = await site.visit("/imagine");
    const { draw, stop } = studio(page);
    await draw("sim:500 a pier", { count: "2" });
    const alert = page.getByRole("alert").filter({ hasText: "It is tried again by itself…" });
    await alert.waitFor();
    await stop.click();
    await page.getByRole("alert").getByRole("button", { name: "Try again" }).waitFor();
    await context.close();
  });

  test("of a small file is hidden by the filter and shown again", async () => {
    const { page, context } = await site.visit("/imagine");
    const { draw, more, pictures } = studio(page);
    await draw("a pier", { count: "2" });
    await page.getByText("2 drawn").waitFor();
    await more.click();
    await page.getByLabel("Hide small pictures").selectOption({ label: "Smaller than 97.7 KB" });
    await page.getByText("2 hidden by the filter").waitFor();
    expect(await pictures.count()).toBe(0);
    await page.getByRole("button", { name: "Show them" }).click();
    expect(await pictures.count()).toBe(2);
    await context.close();
  });
});

describe("pictures of one's own", () => {
  test("are picked, dropped, pasted and removed; the changed one comes as a card", async () => {
    const { page, context, offences } = await site.visit("/imagine");
    await page.getByRole("button", { name: "Edit", exact: true }).click();
    const change = page.getByRole("button", { name: "Change", exact: true });
    await studio(page).field.fill("make it night");
    expect(await change.isDisabled()).toBe(true);
    await page.locator('input[type="file"]').setInputFiles(picture);
    await page.locator(".reference").waitFor();
    const drop = (kind: "drop" | "paste") =>
      page.evaluate(
        ({ how, base64 }) => {
          const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], `${how}.png`, { type: "image/png" }));
          const event =
            how === "drop"
              ? new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true })
              : new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true });
          document.querySelector("main")?.dispatchEvent(event);
        },
        { how: kind, base64: picture.buffer.toString("base64") },
      );
    await drop("drop");
    await page.getByRole("img", { name: "drop.png" }).waitFor();
    await drop("paste");
    await page.getByRole("img", { name: "paste.png" }).waitFor();
    await page.getByRole("button", { name: "Remove paste.png" }).click();
    await page.locator('input[type="file"]').setInputFiles({ ...picture, name: "a.txt", mimeType: "text/plain" });
    await page.getByText("“a.txt” is no picture").waitFor();
    expect(await page.locator(".reference").count()).toBe(2);
    const sent = page.waitForRequest((request) => request.url().endsWith("/v1/public/images/edits"));
    await change.click();
    expect((await sent).headers()["content-type"]).toStartWith("multipart/form-data");
    await page.getByText("1 drawn").waitFor();
    expect(offences).toEqual([]);
    await context.close();
  });

  test("may be a picture that was drawn here", async () => {
    const { page, context } = await site.visit("/imagine");
    await studio(page).draw("a pier", { count: "1" });
    await page.getByText("1 drawn").waitFor();
    await page.getByRole("button", { name: "Change picture 1" }).click();
    await page.getByRole("img", { name: /^imagine-\d{8}-\d{6}-1\.jpg$/ }).waitFor();
    await page.getByRole("button", { name: "Change", exact: true }).click();
    expect(await page.getByRole("button", { name: "Change", exact: true }).isDisabled()).toBe(false);
    await studio(page).field.fill("make it night");
    await page.getByRole("button", { name: "Change", exact: true }).click();
    await page.getByText("2 drawn").waitFor();
    await context.close();
  });
});

describe("pictures that are there", () => {
  test("are looked at large, with keys alone", async () => {
    const { page, context, offences } = await site.visit("/imagine");
    await studio(page).draw("a pier", { count: "2" });
    await page.getByText("2 drawn").waitFor();
    await page.getByRole("button", { name: "Show picture 2 large" }).focus();
    await page.keyboard.press("Enter");
    const box = page.getByRole("dialog", { name: "a pier" });
    await box.getByText("1 of 2").waitFor();
    await page.keyboard.press("ArrowRight");
    await box.getByText("2 of 2").waitFor();
    const width = () => box.locator("img").evaluate((image) => image.getBoundingClientRect().width);
    const fits = await width();
    await page.keyboard.press("+");
    expect(await width()).toBeCloseTo(fits * 1.5, 0);
    await page.keyboard.press("-");
    expect(await width()).toBeCloseTo(fits, 0);
    const saved = page.waitForEvent("download");
    await page.keyboard.press("d");
    expect((await saved).suggestedFilename()).toMatch(/^imagine-\d{8}-\d{6}-1\.jpg$/);
    expect(await seriousFindings(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await box.waitFor({ state: "detached" });
    expect(offences).toEqual([]);
    await context.close();
  });

  test("are selected, packed into one archive, and deleted", async () => {
    const { page, context, offences } = await site.visit("/imagine");
    await studio(page).draw("a pier", { count: "4" });
    await page.getByText("4 drawn").waitFor();
    await page.getByRole("button", { name: "Select", exact: true }).click();
    await page.getByRole("checkbox", { name: "Picture 3" }).check();
    await page.getByText("1 selected").waitFor();
    await page.getByRole("button", { name: "Select all" }).click();
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download as ZIP" }).click();
    const archive = await saved;
    expect(archive.suggestedFilename()).toMatch(/^imagine-\d{8}-\d{6}\.zip$/);
    const { unzipSync } = await import("fflate");
    const files = unzipSync(await Bun.file(await archive.path()).bytes());
    expect(Object.keys(files)).toHaveLength(4);
    for (const bytes of Object.values(files)) expect([...bytes.slice(0, 3)]).toEqual([0xff, 0xd8, 0xff]);
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("Nothing drawn yet").waitFor();
    expect(offences).toEqual([]);
    await context.close();
  });

  test("are saved by themselves, into a folder where the browser can", async () => {
    const { page, context, offences } = await site.visit("/imagine");
    // The browser's own question cannot be answered by a test; the folder behind it is a real one.
    await page.addInitScript(() =>
      Object.assign(window, { showDirectoryPicker: () => navigator.storage.getDirectory() }),
    );
    await page.reload();
    const { draw, more } = studio(page);
    await more.click();
    await page.getByRole("button", { name: "Choose a folder" }).click();
    await page.getByRole("checkbox", { name: "Save every picture by itself", checked: true }).waitFor();
    await draw("a pier", { count: "2" });
    await page.getByText("2 drawn").waitFor();
    const names = () =>
      page.evaluate(async () => {
        const found: string[] = [];
        for await (const [name, file] of (await navigator.storage.getDirectory()) as unknown as AsyncIterable<
          [string, FileSystemFileHandle]
        >) {
          if ((await file.getFile()).size > 0) found.push(name);
        }
        return found.toSorted();
      });
    while ((await names()).length < 2) await Bun.sleep(50);
    expect((await names())[0]).toMatch(/^imagine-\d{8}-\d{6}-1\.jpg$/);
    await page.getByRole("button", { name: "Use the downloads again" }).click();
    const saved = page.waitForEvent("download");
    await draw("a pier", { count: "1" });
    await saved;
    expect(offences).toEqual([]);
    await context.close();
  });
});

test("prompts are remembered, settings kept, and Ctrl+Enter begins", async () => {
  const { page, context } = await site.visit("/imagine");
  const { field } = studio(page);
  await page.getByLabel("Ratio").selectOption("16:9");
  await page.getByRole("combobox", { name: "Pictures", exact: true }).selectOption("1");
  await field.fill("a pier at dawn");
  await field.press("Control+Enter");
  await page.getByText("1 drawn").waitFor();
  await page.reload();
  expect(await page.getByLabel("Ratio").inputValue()).toBe("16:9");
  await page.getByRole("button", { name: "Earlier prompts" }).click();
  await page.getByRole("menuitem", { name: "a pier at dawn" }).click();
  expect(await field.inputValue()).toBe("a pier at dawn");
  await context.close();
});

test("adult content is offered only where the operator allows it", async () => {
  const closed = await site.visit("/imagine");
  await studio(closed.page).more.click();
  await closed.page.getByLabel("Hide small pictures").locator("option").nth(2).waitFor({ state: "attached" });
  expect(await closed.page.getByLabel("Adult content").count()).toBe(0);
  await closed.context.close();
  await site.admin("POST", "/config", { image: { nsfw: true } });
  const { page, context } = await site.visit("/imagine");
  const { draw, more } = studio(page);
  await more.click();
  await page.getByLabel("Adult content").check();
  const asked = page.waitForRequest((request) => request.url().endsWith("/imagine/start"));
  await draw("a pier", { count: "1" });
  expect((await asked).postDataJSON()).toMatchObject({ nsfw: true, count: 1, aspect_ratio: "2:3" });
  await site.admin("POST", "/config", { image: { nsfw: false } });
  await context.close();
});

test.each(["light", "dark"])(
  "running and finished, in the %s theme and on a phone, it has no serious finding",
  async (theme) => {
    const { page, context, offences } = await site.visit("/imagine", {
      browser: PHONE,
      kept: { "grok2api.theme": theme, "grok2api.language": theme === "dark" ? "zh" : "en" },
    });
    await page.locator("#imagine-prompt").fill("sim:blocked-picture");
    await page.locator(".studio-go").click();
    await page.locator(".card-box.drawing").first().waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await page.locator(".card-box.bad").waitFor();
    await page.getByText(theme === "dark" ? "更多选项" : "More options").click();
    expect(await seriousFindings(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    expect(offences).toEqual([]);
    await context.close();
  },
);

test("with a key it draws for whoever has it, and the key stands in no address", async () => {
  const keyed = await startPlayground(KEYED);
  try {
    const { page, context, offences } = await keyed.visit("/imagine");
    const addresses: string[] = [];
    page.on("request", (request) => addresses.push(request.url()));
    page.on("websocket", (socket) => addresses.push(socket.url()));
    await page.getByLabel("Playground key").fill(PUBLIC_KEY);
    await page.keyboard.press("Enter");
    await page.waitForURL("**/imagine");
    await studio(page).draw("a pier", { count: "2" });
    await page.getByText("2 drawn").waitFor();
    expect(addresses.some((address) => address.startsWith("ws:"))).toBe(true);
    expect(addresses.filter((address) => decodeURIComponent(address).includes(PUBLIC_KEY))).toEqual([]);
    expect(offences).toEqual([]);
    await context.close();
  } finally {
    await keyed.stop();
  }
});

test("is not there while the playground is off", async () => {
  const off = await startPlayground({ GROK2API_APP_PUBLIC_ENABLED: "false" });
  try {
    for (const path of ["/imagine", "/video", "/voice"]) expect((await fetch(`${off.url}${path}`)).status).toBe(404);
    expect((await fetch(`${off.url}/v1/public/imagine/start`, { method: "POST", body: "{}" })).status).toBe(401);
  } finally {
    await off.stop();
  }
});

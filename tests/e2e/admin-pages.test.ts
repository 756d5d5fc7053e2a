// The other pages of the dashboard as an operator uses them: overview, keys, files, endpoints, dialog, data center, audit.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { pngBytes } from "../support/pictures.ts";
import { type Site, startSite } from "./browser.ts";

setDefaultTimeout(30_000);

const KEY = "sk-of-the-dashboard-tests";

let site: Site;
beforeAll(async () => {
  site = await startSite({ GROK2API_APP_API_KEY: KEY, GROK2API_APP_IMAGE_FORMAT: "url" });
});
afterAll(() => site.stop());

const draw = async (prompt: string): Promise<void> => {
  const response = await fetch(`${site.url}/v1/images/generations`, {
    method: "POST",
    headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "grok-imagine-image", prompt, n: 1, response_format: "url" }),
  });
  expect(response.status).toBe(200);
};

test("the overview tells how the pool stands and how to call the API", async () => {
  const { page, context, offences } = await site.open("/admin");
  await page.getByRole("heading", { name: "Accounts" }).waitFor();
  await page.getByText("ssoBasic 2").waitFor();
  await page.getByText("xai 2").waitFor();
  await page.getByText("Nothing needs a hand.").waitFor();
  await page.getByText(`${site.url}/v1`, { exact: true }).waitFor();
  expect(offences).toEqual([]);
  await context.close();
});

test("the overview warns when nothing can be served, and leads to where that is changed", async () => {
  const { items } = await site.admin<{ items: { id: string }[] }>("GET", "/tokens/list");
  const tokens = items.map(({ id }) => id);
  await site.admin("POST", "/tokens/disabled/batch", { tokens, disabled: true });
  const { page, context } = await site.open("/admin");
  const warning = page.getByRole("listitem").filter({ hasText: "No account is active" });
  await warning.getByRole("link", { name: "Tokens" }).click();
  await page.waitForURL("**/admin/token");
  await site.admin("POST", "/tokens/disabled/batch", { tokens, disabled: false });
  await context.close();
});

test("a key is made, shown once, limited, switched off and removed", async () => {
  const { page, context, offences } = await site.open("/admin/keys");
  await page.getByRole("button", { name: "New key" }).first().click();
  await page.getByLabel("Name", { exact: true }).fill("carol");
  await page.getByRole("button", { name: "Recommended limits" }).click();
  await page.getByRole("button", { name: "Make the key" }).click();
  const shown = page.getByLabel("The new keys");
  const secret = ((await shown.textContent()) ?? "").trim();
  expect(secret).toStartWith("sk-");
  expect((await fetch(`${site.url}/v1/models`, { headers: { authorization: `Bearer ${secret}` } })).status).toBe(200);
  await page.getByRole("button", { name: "Done" }).click();
  const row = page.getByRole("row").filter({ hasText: "carol" });
  await row.getByText("0/300").waitFor();
  expect(await page.content()).not.toContain(secret);
  await row.getByRole("button", { name: "Actions of carol" }).click();
  await page.getByRole("menuitem", { name: "Switch off" }).click();
  await row.getByText("Switched off").waitFor();
  expect((await fetch(`${site.url}/v1/models`, { headers: { authorization: `Bearer ${secret}` } })).status).toBe(401);
  await row.getByRole("button", { name: "Actions of carol" }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await row.waitFor({ state: "hidden" });
  expect(offences).toEqual([]);
  await context.close();
});

test("stored pictures are seen, downloaded and removed", async () => {
  await draw("a lighthouse");
  await draw("a bridge");
  const { page, context, offences } = await site.open("/admin/cache");
  const tiles = page.locator(".files li");
  await tiles.first().waitFor();
  const before = await tiles.count();
  await tiles.first().getByRole("button").click();
  const picture = page.getByRole("dialog").getByRole("img");
  await picture.waitFor();
  expect(await picture.evaluate((img) => (img as HTMLImageElement).naturalWidth)).toBeGreaterThan(0);
  await page.keyboard.press("Escape");
  await page.getByRole("checkbox", { name: "Select this page" }).check();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download" }).click();
  expect((await download).suggestedFilename()).toEndWith(".zip");
  await page.getByRole("checkbox", { name: `${before} selected` }).uncheck();
  await tiles.first().getByRole("checkbox").check();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("1 removed.").waitFor();
  await page.waitForFunction((left) => document.querySelectorAll(".files li").length === left, before - 1);
  expect(offences).toEqual([]);
  await context.close();
});

test("files on the site are counted and cleared as jobs", async () => {
  const { page, context } = await site.open("/admin/cache");
  await page.getByRole("button", { name: /On the site/ }).click();
  await page.getByRole("button", { name: "Count all" }).click();
  await page.getByText("Counting files: 3 ok, 0 failed.").waitFor();
  const row = page.getByRole("row").filter({ hasText: "sim-ok-demo-1" });
  await row.getByRole("button", { name: /^Clear/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Clear" }).click();
  await page.getByText("Clearing files: 1 ok, 0 failed.").waitFor();
  await context.close();
});

test("the files of one account are listed and one is removed", async () => {
  const url = `data:image/png;base64,${pngBytes().toBase64()}`;
  const content = [
    { type: "text", text: "What is this?" },
    { type: "image_url", image_url: { url } },
  ];
  const asked = await fetch(`${site.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "grok-chat-fast", messages: [{ role: "user", content }] }),
  });
  expect(asked.status).toBe(200);
  const { tokens } = await site.admin<{ tokens: { token: string; count: number }[] }>("GET", "/assets");
  const holder = tokens.find(({ count }) => count > 0)?.token ?? "none has a file";
  const { page, context, offences } = await site.open("/admin/cache");
  await page.getByRole("button", { name: /On the site/ }).click();
  const row = page.getByRole("row").filter({ hasText: holder });
  await row.getByRole("button", { name: /^Files of/ }).click();
  const files = page.locator(".asset-list li");
  await files.first().waitFor();
  const before = await files.count();
  await files.first().getByRole("button").click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("1 removed.").waitFor();
  await page.waitForFunction((left) => document.querySelectorAll(".asset-list li").length === left, before - 1);
  expect(offences).toEqual([]);
  await context.close();
});

test("every endpoint says its method and path and has a call to copy", async () => {
  const { page, context } = await site.open("/admin/downstream");
  const card = page.getByRole("region", { name: "/v1/images/generations", exact: true });
  await card.getByText("POST", { exact: true }).waitFor();
  await card.getByText("A call to try it").click();
  const call = (await card.locator("pre").textContent()) ?? "";
  expect(call).toStartWith(`curl ${site.url}/v1/images/generations`);
  const [, body = ""] = /-d '(.*)'/.exec(call) ?? [];
  const answer = await fetch(`${site.url}/v1/images/generations`, {
    method: "POST",
    headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" },
    body,
  });
  expect(answer.status).toBe(200);
  await context.close();
});

test("the overview warns of a public address that is not this one", async () => {
  await site.admin("POST", "/config", { app: { app_url: "https://elsewhere.example.com" } });
  const { page, context } = await site.open("/admin");
  await page.getByText("Links to files begin with https://elsewhere.example.com").waitFor();
  await site.admin("POST", "/config", { app: { app_url: null } });
  await context.close();
});

test("an endpoint is switched off at once, and on again", async () => {
  const { page, context } = await site.open("/admin/downstream");
  const models = async () =>
    (await fetch(`${site.url}/v1/models`, { headers: { authorization: `Bearer ${KEY}` } })).status;
  const box = page.getByRole("checkbox", { name: "/v1/models" });
  await box.uncheck();
  await page.getByText("/v1/models is off.").waitFor();
  expect(await models()).toBe(404);
  await box.check();
  await page.getByText("/v1/models is served.").waitFor();
  expect(await models()).toBe(200);
  await context.close();
});

describe("the dialog", () => {
  const kept = { "grok2api.dialog.key": KEY };

  test("streams an answer with reasoning and Markdown, and shows the raw data", async () => {
    const { page, context, offences } = await site.open("/admin/dialog", { kept });
    await page.waitForFunction(() => (document.querySelector("#dialog-model") as HTMLInputElement)?.value !== "");
    await page.getByRole("textbox", { name: "Message" }).fill("Show me sim:markdown sim:thinking");
    await page.keyboard.press("Enter");
    const answer = page.getByRole("article", { name: "Grok" });
    await answer.getByRole("heading").first().waitFor();
    await answer.locator("pre.code .hljs-keyword").first().waitFor();
    await answer.getByRole("button", { name: "Raw" }).click();
    await answer.getByText("[DONE]").waitFor();
    await answer.getByText("POST /v1/chat/completions").waitFor();
    await answer.getByRole("button", { name: "Reasoning" }).click();
    await answer.locator(".reasoning-text").waitFor();
    expect(offences).toEqual([]);
    await context.close();
  });

  test.each(["responses", "messages"])("speaks %s", async (api) => {
    const { page, context } = await site.open("/admin/dialog", { kept: { ...kept, "grok2api.dialog.api": api } });
    await page.waitForFunction(() => (document.querySelector("#dialog-model") as HTMLInputElement)?.value !== "");
    await page.getByRole("textbox", { name: "Message" }).fill("sim:echo one two three");
    await page.getByRole("button", { name: "Send" }).click();
    const answer = page.getByRole("article", { name: "Grok" });
    await answer.getByText("one two three").waitFor();
    await answer.getByRole("button", { name: "Raw" }).waitFor();
    await context.close();
  });

  test("is stopped in the middle", async () => {
    const { page, context } = await site.open("/admin/dialog", { kept });
    await page.waitForFunction(() => (document.querySelector("#dialog-model") as HTMLInputElement)?.value !== "");
    await page.getByRole("textbox", { name: "Message" }).fill("sim:long-5000");
    await page.keyboard.press("Enter");
    const answer = page.getByRole("article", { name: "Grok" });
    await answer.locator("p").first().waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await answer.getByText("Stopped.").waitFor();
    await page.getByRole("button", { name: "Send" }).waitFor();
    await context.close();
  });

  test("shows pictures that come as links", async () => {
    const { page, context, offences } = await site.open("/admin/dialog", {
      kept: { ...kept, "grok2api.dialog.api": "images" },
    });
    await page.waitForFunction(() => (document.querySelector("#dialog-model") as HTMLInputElement)?.value !== "");
    await page.getByLabel("Sent as").selectOption("url");
    await page.getByRole("textbox", { name: "Message" }).fill("a mill");
    await page.keyboard.press("Enter");
    const picture = page.getByRole("article", { name: "Grok" }).locator("img");
    await picture.waitFor();
    expect(await picture.getAttribute("src")).toStartWith("/v1/files/image/");
    await page.waitForFunction(() => (document.querySelector(".pictures img") as HTMLImageElement)?.naturalWidth > 0);
    expect(offences).toEqual([]);
    await context.close();
  });

  test("shows pictures that the gateway drew", async () => {
    const { page, context, offences } = await site.open("/admin/dialog", {
      kept: { ...kept, "grok2api.dialog.api": "images" },
    });
    await page.waitForFunction(() => (document.querySelector("#dialog-model") as HTMLInputElement)?.value !== "");
    await page.getByRole("textbox", { name: "Message" }).fill("a harbour");
    await page.keyboard.press("Enter");
    const picture = page.getByRole("article", { name: "Grok" }).locator("img");
    await picture.waitFor();
    await page.waitForFunction(() => (document.querySelector(".pictures img") as HTMLImageElement)?.naturalWidth > 0);
    expect(offences).toEqual([]);
    await context.close();
  });

  test("makes itself a key where one is needed", async () => {
    const { page, context } = await site.open("/admin/dialog");
    await page.getByRole("button", { name: "Make a key for this page" }).click();
    await page.getByText("was made").waitFor();
    await page.waitForFunction(() => (document.querySelector("#dialog-model") as HTMLInputElement)?.value !== "");
    const { data } = await site.admin<{ data: { name: string }[] }>("GET", "/keys?search=dashboard");
    expect(data.map(({ name }) => name)).toEqual(["dashboard"]);
    await context.close();
  });
});

test("a request is found in the data center and opened with its attempts", async () => {
  await draw("a tower");
  const { page, context, offences } = await site.open("/admin/datacenter#requests");
  await page.getByRole("searchbox").fill("grok-imagine-image");
  const row = page.getByRole("row").filter({ hasText: "grok-imagine-image" }).first();
  await row.getByRole("button", { name: /^Details of/ }).click();
  await page.getByRole("dialog").getByRole("heading", { name: "Attempts" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Reports" }).click();
  await page.getByRole("region", { name: "Models" }).getByText("grok-imagine-image").waitFor();
  expect(offences).toEqual([]);
  await context.close();
});

test("the audit tells what was changed here", async () => {
  await site.admin("POST", "/config", { token: { wait_ms: 2222 } });
  const { page, context } = await site.open("/admin/audit");
  await page.getByRole("searchbox").fill("settings.");
  const row = page.getByRole("row").filter({ hasText: "token.wait_ms" });
  await row.getByText("Before and after").click();
  await row.getByText('"token.wait_ms": 2222').waitFor();
  await context.close();
});

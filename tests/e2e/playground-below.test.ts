// The playground below a path of a site that has other things too, behind a proxy that takes the path away.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chat, KEYED, type Playground, PUBLIC_KEY, startPlayground } from "./playground-site.ts";

setDefaultTimeout(30_000);

const PREFIX = "/grok";

let site: Playground;
let proxy: Bun.Server<undefined>;
let base: string;
beforeAll(async () => {
  site = await startPlayground(KEYED);
  proxy = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      if (!pathname.startsWith(`${PREFIX}/`)) return new Response("elsewhere", { status: 404 });
      const answer = await fetch(site.url + pathname.slice(PREFIX.length) + search, {
        method: request.method,
        headers: request.headers,
        body: request.body,
        redirect: "manual",
        decompress: false,
        signal: request.signal,
      });
      return new Response(answer.body, answer);
    },
  });
  base = `http://127.0.0.1:${proxy.port}${PREFIX}`;
});
afterAll(async () => {
  await proxy.stop(true);
  await site.stop();
});

test("it lets in, loads its parts, answers with a picture and leads on to the other pages", async () => {
  const { page, context, offences } = await site.visit(`${base}/imagine`);
  await page.waitForURL(`${base}/login?next=%2Fimagine`);
  await page.getByLabel("Playground key").fill(PUBLIC_KEY);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${base}/imagine`);
  await page.getByRole("navigation").getByRole("link", { name: "Chat" }).click();
  await page.waitForURL(`${base}/chat`);
  await chat(page).hear("sim:image of a pier, and $x^2$");
  const picture = chat(page).answers.locator(".picture-button.there img");
  await picture.waitFor();
  expect(await picture.getAttribute("src")).toStartWith(`${PREFIX}/v1/files/image/`);
  expect(await page.getByRole("link", { name: "Admin dashboard" }).getAttribute("href")).toBe(`${PREFIX}/admin`);
  expect(offences).toEqual([]);
  await context.close();
});

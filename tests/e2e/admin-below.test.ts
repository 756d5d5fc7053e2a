// The dashboard below a path of a site that has other things too: behind a proxy that takes the path away, as the files of
// packaging/ do, and behind one that leaves it on.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { emptyFolder, eventually, type Folder, freePort } from "../support/binary.ts";
import { PASSWORD, type Site, startSite } from "./browser.ts";

setDefaultTimeout(30_000);

const nginx = Bun.which("nginx");
const proxyUrl = `http://127.0.0.1:${freePort()}`;

const config = ({ folder, gateway }: { folder: Folder; gateway: string }): string => {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder.path}/${name};`,
  );
  const root = process.getuid?.() === 0 ? "user root;" : "";
  return `${root} daemon off; pid ${folder.path}/pid; error_log stderr; events {}
    http { access_log off; ${temporary.join(" ")}
      server {
        listen ${new URL(proxyUrl).host};
        proxy_http_version 1.1;
        proxy_buffering off;
        proxy_set_header X-Forwarded-Host $http_host;
        location /grok/ { proxy_set_header X-Forwarded-Prefix /grok; proxy_pass ${gateway}/; }
        location /kept/ { proxy_pass ${gateway}; }
      }
    }`;
};

let site: Site;
let folder: Folder;
let proxy: Bun.Subprocess;
beforeAll(async () => {
  if (nginx === null) return;
  site = await startSite({ GROK2API_APP_APP_URL: `${proxyUrl}/kept`, GROK2API_APP_API_KEY: "sk-below" });
  folder = emptyFolder();
  folder.write("nginx.conf", config({ folder, gateway: site.url }));
  const args = ["-p", folder.path, "-e", "stderr", "-c", `${folder.path}/nginx.conf`];
  proxy = Bun.spawn([nginx, ...args], { stdio: ["ignore", "ignore", "inherit"] });
  await eventually("nginx listens", async () => (await fetch(proxyUrl).catch(() => undefined)) && true);
});
afterAll(async () => {
  if (nginx === null) return;
  proxy.kill("SIGTERM");
  await proxy.exited;
  folder[Symbol.dispose]();
  await site.stop();
});

const draw = async (base: string): Promise<void> => {
  const response = await fetch(`${base}/v1/images/generations`, {
    method: "POST",
    headers: { authorization: "Bearer sk-below", "content-type": "application/json" },
    body: JSON.stringify({ model: "grok-imagine-image", prompt: "a pier", n: 1, response_format: "url" }),
  });
  expect(response.status).toBe(200);
};

describe.each([
  ["that takes the path away", "/grok"],
  ["that leaves the path on", "/kept"],
])("a proxy %s", (_, prefix) => {
  const base = `${proxyUrl}${prefix}`;

  test.skipIf(nginx === null)("leads to the login and lets in where it was wanted (needs nginx)", async () => {
    const { page, context, offences } = await site.open(`${base}/manage`, { signedIn: false });
    await page.waitForURL(`${base}/admin/login?next=%2Fadmin%2Ftoken`);
    await page.getByLabel("Admin password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.waitForURL(`${base}/admin/token`);
    await page.locator(".accounts > tbody > tr").first().waitFor();
    await page.reload();
    await page.locator(".accounts > tbody > tr").first().waitFor();
    expect(offences).toEqual([]);
    await context.close();
  });

  test.skipIf(nginx === null)("carries every page, link and file (needs nginx)", async () => {
    await draw(base);
    const { page, context, offences } = await site.open(`${base}/admin/`);
    await page.getByText(`${base}/v1`, { exact: true }).waitFor();
    for (const link of await page.locator(".shell > .side nav a").all()) {
      await link.click();
      const address = await link.evaluate((element) => (element as HTMLAnchorElement).href);
      await page.waitForURL(address);
      expect(address).toStartWith(`${base}/admin`);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await page.waitForLoadState("networkidle");
      expect(await page.getByRole("alert").count()).toBe(0);
    }
    await page.getByRole("link", { name: "Files" }).first().click();
    const picture = page.locator(".files img").first();
    await picture.waitFor();
    expect(await picture.evaluate((image) => (image as HTMLImageElement).src)).toStartWith(`${base}/v1/files/`);
    await page.waitForFunction(() => (document.querySelector(".files img") as HTMLImageElement)?.naturalWidth > 0);
    expect(offences).toEqual([]);
    await context.close();
  });

  test.skipIf(nginx === null)("lets the dialog ask and the jobs run (needs nginx)", async () => {
    const { page, context, offences } = await site.open(`${base}/admin/dialog`, {
      kept: { "grok2api.dialog.key": "sk-below" },
    });
    await page.waitForFunction(() => (document.querySelector("#dialog-model") as HTMLInputElement)?.value !== "");
    await page.getByRole("textbox", { name: "Message" }).fill("sim:echo one two three");
    await page.keyboard.press("Enter");
    await page.getByRole("article", { name: "Grok" }).getByText("one two three").waitFor();
    await page.goto(`${base}/admin/token`);
    await page.getByRole("button", { name: "Refresh all" }).click();
    await page.getByText(/^Refresh of quotas: \d+ ok, 0 failed\.$/).waitFor();
    expect(offences).toEqual([]);
    await context.close();
  });
});

// Links that end, through the whole program: whatever hands a link out hands out one that opens, and nothing else opens.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { PROGRAM_KEY, type Program, startProgram } from "../support/program.ts";

const ADMIN = "signed-links-admin";
let program: Program;
let picture = "";

beforeAll(async () => {
  program = await startProgram({
    simulation: { mediaDelayMs: 0 },
    env: { GROK2API_CACHE_LINK_SECONDS: "3600", GROK2API_APP_APP_KEY: ADMIN, GROK2API_APP_VIDEO_FORMAT: "html" },
  });
  const answer = await program.post("/v1/images/generations", { prompt: "a cat" });
  const { data } = (await answer.json()) as { data: { url: string }[] };
  picture = data[0]?.url ?? "";
});
afterAll(() => program.stop());

const without = (link: string): string => link.split("?")[0] ?? "";
const statusOf = async (link: string, init: RequestInit = {}): Promise<string> => {
  const response = await fetch(link, init);
  const text = await response.text();
  return response.ok ? String(response.status) : `${response.status} ${/"code":"(\w+)"/.exec(text)?.[1]}`;
};
const admin = async (path: string): Promise<unknown> =>
  (await fetch(`${program.url}${path}`, { headers: { authorization: `Bearer ${ADMIN}` } })).json();

describe("a picture's link", () => {
  test("opens whole, in part and without its body, and no copy outlives it", async () => {
    expect(picture).toMatch(/\/v1\/files\/image\/[\w.-]+\?expires=\d+&signature=[\w-]+$/);
    const whole = await fetch(picture);
    expect(whole.status).toBe(200);
    expect(whole.headers.get("cache-control")).toMatch(/^private, max-age=(3600|359\d)$/);
    const bytes = await whole.bytes();
    const part = await fetch(picture, { headers: { range: "bytes=2-9" } });
    expect([part.status, await part.bytes()]).toEqual([206, bytes.slice(2, 10)]);
    expect(await statusOf(picture, { method: "HEAD" })).toBe("200");
    expect(await statusOf(picture, { headers: { "if-none-match": whole.headers.get("etag") ?? "" } })).toContain("304");
  });

  test("without its signature is a 403 that says nothing of the file, on every address", async () => {
    const name = without(picture).split("/").at(-1);
    const bare = [without(picture), `${program.url}/images/${name}`, `${program.url}/v1/files/image?id=${name}`];
    for (const link of [...bare, `${program.url}/v1/files/image/never-there.jpg`]) {
      expect(await statusOf(link), link).toBe("403 invalid_link");
    }
    const query = picture.split("?")[1] ?? "";
    expect(await statusOf(`${program.url}/images/${name}?${query}`)).toBe("200");
    expect(await statusOf(`${program.url}/v1/files/image?id=${name}&${query}`)).toBe("200");
  });

  test("names a picture to be changed, with its signature only", async () => {
    const edit = (url: string) => program.post("/v1/images/edits", { prompt: "add a hat", image: { url } });
    expect((await edit(picture)).status).toBe(200);
    const bare = await edit(without(picture));
    expect([bare.status, ((await bare.json()) as { error: { code: string } }).error.code]).toEqual([
      403,
      "invalid_link",
    ]);
  });
});

test("an upload's link opens", async () => {
  const body = new FormData();
  body.append("file", new File([await (await fetch(picture)).bytes()], "a.jpg"));
  const headers = { authorization: `Bearer ${PROGRAM_KEY}` };
  const answer = await fetch(`${program.url}/v1/uploads/image`, { method: "POST", headers, body });
  const { url } = (await answer.json()) as { url: string };
  expect(await statusOf(url)).toBe("200");
});

test("a clip and its still open from a chat's answer, the clip in ranges", async () => {
  const messages = [{ role: "user", content: "a walking cat" }];
  const answer = await program.post("/v1/chat/completions", { model: "grok-imagine-video", messages, stream: false });
  const { choices } = (await answer.json()) as { choices: { message: { content: string } }[] };
  const html = (choices[0]?.message.content ?? "").replaceAll("&amp;", "&");
  const links = [...html.matchAll(/(?:src|poster)="([^"]+)"/g)].map(([, link = ""]) => link);
  expect(links).toHaveLength(2);
  for (const link of links) {
    expect(await statusOf(link, { headers: { range: "bytes=0-3" } }), link).toBe("206");
    expect(await statusOf(without(link))).toBe("403 invalid_link");
  }
});

test("the admin's lists show pictures that open, and no secret is in the settings", async () => {
  const pictures = (await admin("/api/v1/admin/cache/list?type=image")) as { items: { view_url: string }[] };
  const clips = (await admin("/api/v1/admin/cache/list?type=video")) as {
    items: { view_url: string; preview_url?: string }[];
  };
  const shown = [...pictures.items, ...clips.items].map(({ view_url: link }) => link);
  const previews = clips.items.flatMap(({ preview_url: link }) => (link ? [link] : []));
  expect(shown.length).toBeGreaterThan(1);
  expect(previews.length).toBeGreaterThan(0);
  for (const link of [...shown, ...previews]) expect(await statusOf(program.url + link), link).toBe("200");
  const settings = JSON.stringify(await admin("/api/v1/admin/config"));
  expect(settings).toContain('"link_seconds":3600');
  expect(settings).not.toContain("signature");
  expect(settings).not.toContain('"secrets"');
});

test("a file that is gone is a 404 for who has its link", async () => {
  const name = without(picture).split("/").at(-1);
  const removed = await fetch(`${program.url}/api/v1/admin/cache/item/delete`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN}`, "content-type": "application/json" },
    body: JSON.stringify({ type: "image", name }),
  });
  expect(removed.status).toBe(200);
  expect(await statusOf(picture)).toBe("404 file_not_found");
});

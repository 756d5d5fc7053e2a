// The operator's work on files over the whole program: a task that is watched to its end, what is left upstream, a zip, and
// a folder of an earlier program that is put in place as it was.
import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startProgram } from "../support/program.ts";
import { uploadToSite } from "../support/site-files.ts";

const PASSWORD = "a long enough password";
const ADMIN = { authorization: `Bearer ${PASSWORD}` };
const env = { GROK2API_APP_APP_KEY: PASSWORD };
const PNG = "\x89PNG\r\n\x1a\n";

test("clearing the site's files as a task ends with nothing left there, dated and written down", async () => {
  const tokens = ["sim-ok-files-1", "sim-ok-files-2", "sim-expired-files-3"];
  const program = await startProgram({ pools: { ssoBasic: tokens }, env });
  try {
    const { url } = program.simulator;
    await uploadToSite({ url, token: "sim-ok-files-1" }, 60);
    await uploadToSite({ url, token: "sim-ok-files-2" }, 3);
    const started = await program.post("/api/v1/admin/cache/online/clear/async", { tokens }, ADMIN);
    const { task_id } = (await started.json()) as { task_id: string };
    const watched = await fetch(
      `${program.url}/api/v1/admin/batch/${task_id}/stream?app_key=${encodeURIComponent(PASSWORD)}`,
    );
    const text = await watched.text();
    const events = text
      .split("\n\n")
      .flatMap((block) => (block.startsWith("data: ") ? [JSON.parse(block.slice(6))] : []));
    expect(events[0]).toMatchObject({ type: "snapshot", task_id, total: 3 });
    expect(events.at(-1)).toMatchObject({
      type: "done",
      ok: 2,
      fail: 1,
      result: {
        summary: { total: 3, ok: 2, fail: 1 },
        results: { "sim-ok-files-1": { status: "success", result: { total: 60, success: 60, failed: 0 } } },
      },
    });
    const left = await (await fetch(`${program.url}/api/v1/admin/cache?scope=all`, { headers: ADMIN })).json();
    expect(left).toMatchObject({ online: { count: 0, status: "ok" } });
    expect(program.composed.pool.all().map(({ last_asset_clear_at }) => last_asset_clear_at !== null)).toEqual([
      true,
      true,
      false,
    ]);
    const audit = (await (
      await fetch(`${program.url}/api/v1/admin/audit?action=assets`, { headers: ADMIN })
    ).json()) as { total: number };
    expect(audit.total).toBe(2);
  } finally {
    await program.stop();
  }
});

test("a data folder of an earlier program serves its pictures under the old links from the first start", async () => {
  const folder = mkdtempSync(join(tmpdir(), "grok2api-old-"));
  try {
    mkdirSync(join(folder, "temp/image"), { recursive: true });
    for (const name of ["users-1-a.png", "users-1-b.png"]) {
      writeFileSync(join(folder, "temp/image", name), PNG + name, "latin1");
    }
    writeFileSync(join(folder, "setting.toml"), '[global]\nimage_mode = "base64"\n[grok]\nshow_thinking = false\n');
    const program = await startProgram({ folder, pools: { ssoNormal: ["sim-ok-old-1"] }, env });
    try {
      expect((await fetch(`${program.url}/images/users-1-a.png`)).status).toBe(200);
      expect(readdirSync(join(folder, "temp/image"))).toEqual([]);
      expect(program.composed.config.app).toMatchObject({ image_format: "base64", thinking: false });
      expect(program.composed.pool.all().map(({ pool }) => pool)).toEqual(["ssoBasic"]);
      const names = ["users-1-a.png", "users-1-b.png"];
      const zip = await program.post("/v1/admin/cache/download", { type: "image", names }, ADMIN);
      expect(
        Buffer.from(await zip.arrayBuffer())
          .subarray(0, 4)
          .toString("latin1"),
      ).toBe("PK\x03\x04");
      const cleared = await program.post("/admin/api/cache/clear", { type: "image" }, ADMIN);
      expect(await cleared.json()).toMatchObject({ result: { count: 2 } });
      expect((await fetch(`${program.url}/images/users-1-a.png`)).status).toBe(404);
    } finally {
      await program.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

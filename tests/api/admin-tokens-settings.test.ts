// What an operator states for accounts on the site, from outside: only what was stated is done, under 18 is refused, a birth
// date that is there already is told, and nothing ever runs by itself.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { BASE, startAdmin, type AdminProgram } from "./admin-tokens-program.ts";

const SETTINGS = `${BASE}/tokens/settings`;
const ENABLE = `${BASE}/tokens/nsfw/enable`;

let program: AdminProgram;
beforeEach(async () => {
  program = await startAdmin({
    pools: { ssoBasic: ["sim-ok-1", "sim-ok-2", "sim-ok-3", "sim-dead-1"] },
    env: { GROK2API_TOKEN_FAIL_THRESHOLD: "1", GROK2API_NSFW_RETRIES: "1" },
  });
});
afterEach(() => program.stop());

const flags = (name: string) => program.simulator.accounts().find((account) => account.name === name)?.flags;
const SITE_CALL = /set-birth-date|set-tos-accepted|AuthManagement/;
const siteCalls = () =>
  program.simulator.requests().flatMap(({ path, account }) => (SITE_CALL.test(path) ? [`${account} ${path}`] : []));
const born = (years: number, days = 0): string => {
  const date = new Date(Date.now() + days * 86_400_000);
  date.setUTCFullYear(date.getUTCFullYear() - years);
  return date.toISOString().slice(0, 10);
};
const post = (path: string, body: object) => program.admin("POST", path, body);
const rowsOf = (body: { results: Record<string, unknown> }) => Object.values(body.results);

describe("a statement", () => {
  test("about everything is carried out in order, tagged and written down", async () => {
    const { body } = await post(SETTINGS, {
      ...{ tokens: ["sim-ok-1"], accept_terms: true, birth_date: "1990-03-04", confirm: true, adult_content: true },
    });
    expect(body).toMatchObject({ summary: { total: 1, ok: 1, fail: 0 } });
    expect(body.warning).toBeUndefined();
    expect(rowsOf(body)).toMatchObject([
      {
        ...{ success: true, http_status: 200, grpc_status: 0, error: null },
        done: { terms: "accepted", birth_date: "set", adult_content: "on" },
      },
    ]);
    expect(flags("sim-ok-1")).toMatchObject({ birthDate: "1990-03-04T12:00:00.000Z", nsfw: true });
    expect(program.account("sim-ok-1").tags).toEqual(["nsfw"]);
    expect(siteCalls().map((call) => call.split("/").at(-1))).toEqual([
      "SetTosAcceptedVersion",
      "set-tos-accepted",
      "set-birth-date",
      "UpdateUserFeatureControls",
    ]);
    const { body: audit } = await program.admin("GET", `${BASE}/audit?action=accounts.site_settings`);
    expect(audit.items).toMatchObject([{ after: { birth_date: "set", adult_content: "on" } }]);
    expect(JSON.stringify(audit)).not.toContain("1990");
  });

  test("can be taken back, which takes the tag back", async () => {
    const all = { tokens: ["sim-ok-1"], birth_date: "1990-03-04", confirm: true, adult_content: true };
    await post(SETTINGS, all);
    await post("/admin/api/batch/nsfw?enabled=false", { tokens: ["sim-ok-1"] });
    expect(flags("sim-ok-1")?.nsfw).toBe(false);
    expect(program.account("sim-ok-1").tags).toEqual([]);
  });

  test("a birth date that the site has already is told as locked, and the rest goes on", async () => {
    const all = { tokens: ["sim-ok-1"], birth_date: "1990-03-04", confirm: true, adult_content: true };
    await post(SETTINGS, all);
    const { body } = await post(SETTINGS, { ...all, birth_date: "1991-05-06" });
    expect(rowsOf(body)).toMatchObject([{ success: true, done: { birth_date: "locked", adult_content: "on" } }]);
    expect(flags("sim-ok-1")?.birthDate).toStartWith("1990-03-04");
    expect(program.account("sim-ok-1")).toMatchObject({ status: "active", last_fail_code: null });
  });

  const refused: [string, object, string][] = [
    ["seventeen", { birth_date: born(18, 2), confirm: true }, "birth_date"],
    ["a child", { birth_date: born(9), confirm: true }, "birth_date"],
    ["not born yet", { birth_date: born(-1), confirm: true }, "birth_date"],
    ["long dead", { birth_date: "1850-01-01", confirm: true }, "birth_date"],
    ["no calendar date", { birth_date: "1990-02-30", confirm: true }, "birth_date"],
    ["a time", { birth_date: "1990-02-03T00:00:00Z", confirm: true }, "birth_date"],
    ["random", { birth_date: "random", confirm: true }, "birth_date"],
    ["unconfirmed", { birth_date: "1990-02-03" }, "confirm"],
    ["confirmed by a word", { birth_date: "1990-02-03", confirm: "true" }, "confirm"],
    ["nothing stated", {}, "adult_content"],
    ["a word for a switch", { adult_content: "yes" }, "adult_content"],
  ];
  test.each(refused)("%s is refused by name, and nobody is called", async (_name, statement, param) => {
    for (const path of [SETTINGS, `${SETTINGS}/async`]) {
      const answer = await post(path, { tokens: ["sim-ok-1"], ...statement });
      expect(answer).toMatchObject({ status: 400, body: { error: { code: "invalid_value", param } } });
    }
    expect(siteCalls()).toEqual([]);
  });

  test("somebody who turned 18 the day before yesterday is of age", async () => {
    const { body } = await post(SETTINGS, { tokens: ["sim-ok-1"], birth_date: born(18, -2), confirm: true });
    expect(body).toMatchObject({ summary: { ok: 1 } });
  });

  test("without names is refused, but for all when it says so", async () => {
    expect(await post(SETTINGS, { accept_terms: true })).toMatchObject({
      status: 400,
      body: { error: { param: "tokens" } },
    });
    expect(siteCalls()).toEqual([]);
    const { body } = await post(SETTINGS, { all: true, accept_terms: true });
    expect(body).toMatchObject({ summary: { total: 4, ok: 3, fail: 1 } });
  });
});

describe("the routes of earlier gateways", () => {
  test.each([ENABLE, `${BASE}/tokens/nsfw/refresh`])("%s does what was stated and says what it left", async (path) => {
    const { body } = await post(path, { tokens: ["sim-ok-1"] });
    expect(body.warning).toMatch(/accept_terms: true.*birth_date and confirm: true/);
    expect(siteCalls().map((call) => call.split("/").at(-1))).toEqual(["UpdateUserFeatureControls"]);
    expect(flags("sim-ok-1")).toMatchObject({ birthDate: null, nsfw: false });
    expect(program.account("sim-ok-1").tags).toEqual([]);
  });

  test("a refused switch is told with the site's words", async () => {
    const { body } = await post(ENABLE, { token: "sim-ok-1" });
    expect(rowsOf(body)).toMatchObject([
      {
        ...{ success: false, step: "nsfw", grpc_status: 9, grpc_message: "Birth date and terms first", attempts: 1 },
        error: expect.stringContaining("Birth date and terms first"),
      },
    ]);
  });

  test("a dead session counts as a failure of the account, a failing edge does not", async () => {
    const { body } = await post(`${BASE}/tokens/nsfw/refresh`, { tokens: ["sim-dead-1", "sim-ok-1"], retries: 0 });
    expect(body).toMatchObject({ summary: { total: 2, success: 0, failed: 2, invalidated: 1 } });
    expect(body.failed).toContainEqual(expect.objectContaining({ step: "nsfw", invalidated: true }));
    expect(program.account("sim-dead-1").status).toBe("expired");
    expect(program.account("sim-ok-1").status).toBe("active");
    await program.admin("POST", `${BASE}/tokens/add`, { tokens: ["sim-5xx-1"] });
    const shut = await post(ENABLE, { token: "sim-5xx-1" });
    expect(rowsOf(shut.body)).toMatchObject([{ success: false, http_status: 502, attempts: 2, invalidated: false }]);
    expect(program.account("sim-5xx-1").status).toBe("active");
  });

  test("in bulk it is a task; tagged accounts can be left out", async () => {
    const statement = { birth_date: "1990-03-04", confirm: true };
    await post(ENABLE, { token: "sim-ok-1", ...statement });
    const { body: started } = await post(`${ENABLE}/async`, { ...statement, skip_tagged: true });
    expect(started).toMatchObject({ status: "success", total: 3 });
    const events = await program.follow(started.task_id);
    expect(events.at(-1)).toMatchObject({
      type: "done",
      result: { summary: { total: 3, ok: 2, fail: 1, skipped: 1 } },
    });
    expect(JSON.stringify(events)).not.toMatch(/sim-|1990/);
    const { body: none } = await post(`${ENABLE}/async`, { tokens: ["sim-ok-1", "sim-ok-2"], skip_tagged: true });
    expect(none).toMatchObject({ status: "success", message: expect.any(String), skipped: 2 });
    expect(none.task_id).toBeUndefined();
  });
});

test("nothing of this runs by an import, a refresh, a chat or a restart", async () => {
  await post(`${BASE}/tokens/import`, { text: "sim-ok-8\nsim-ok-9" });
  await post(`${BASE}/tokens`, {
    ssoBasic: ["sim-ok-1", "sim-ok-2", "sim-ok-3", "sim-dead-1", "sim-ok-8", "sim-ok-9"],
  });
  await post(`${BASE}/tokens/refresh`, { tokens: ["sim-ok-1", "sim-ok-8"] });
  await program.chat();
  expect(siteCalls()).toEqual([]);
});

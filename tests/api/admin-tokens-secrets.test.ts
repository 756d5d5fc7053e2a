// A session that looks like a real one goes through every route about accounts: it is in the answers whose shape promises it,
// and in nothing else, neither in the log nor in an error nor in the events of a task.
import { expect, test } from "bun:test";
import { startTrial } from "../support/trial.ts";

const PASSWORD = "a long enough password";
const BASE = "/api/v1/admin";
const sessionOf = (name: string) =>
  `eyJhbGciOiJIUzI1NiJ9.${Buffer.from(name.repeat(8)).toString("base64url")}.c2lnbmVk-${name}`;
const [ALIVE, DEAD, NEW] = [sessionOf("alive"), sessionOf("dead"), sessionOf("new")];
const MIDDLES = [ALIVE, DEAD, NEW].map((session) => session.slice(20, -12));
const holdsSecret = (text: string): boolean => MIDDLES.some((middle) => text.includes(middle));

test("a session is shown where it is promised and nowhere else", async () => {
  await using trial = await startTrial({
    ...{ transport: "rest", accounts: [ALIVE, DEAD] },
    simulated: [
      { name: "alive", token: ALIVE, tier: "super" },
      { name: "dead", token: DEAD, tier: "super", kind: "dead" },
    ],
    settings: { app: { app_key: PASSWORD }, grok: { http_client: "fetch" } },
  });
  const send = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${trial.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${PASSWORD}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text() };
  };
  const both = { tokens: [ALIVE, DEAD] };

  const masked: [string, string, unknown?][] = [
    ["GET", `${BASE}/tokens/list`],
    ["POST", `${BASE}/tokens/add`, { tokens: [NEW], pool: "auto" }],
    ["PUT", `${BASE}/tokens/edit`, { old_token: NEW, pool: "ssoSuper", note: "n" }],
    ["PUT", `${BASE}/tokens/pool`, { ...both, pool: "ssoSuper" }],
    ["POST", `${BASE}/tokens/tags`, { token: ALIVE, tags: ["x"] }],
    ["POST", `${BASE}/tokens/tags`, { token: `${ALIVE}typo`, tags: ["x"] }],
    ["POST", `${BASE}/tokens/test`, { token: ALIVE, capability: "chat" }],
    ["POST", `${BASE}/tokens/test`, { token: DEAD, capability: "stream" }],
    ["POST", `${BASE}/tokens/test`, { token: DEAD }],
    ["POST", `${BASE}/tokens/nsfw/enable`, both],
    ["POST", `${BASE}/tokens/nsfw/refresh`, both],
    ["POST", `${BASE}/tokens/settings`, { ...both, accept_terms: true }],
    ["POST", `${BASE}/batch/refresh`, both],
    ["POST", `${BASE}/tokens/disabled/batch`, { tokens: [`${DEAD}typo`], disabled: true }],
    ["POST", `${BASE}/tokens`, { ssoSuper: [`${ALIVE} ${DEAD}`] }],
    ["POST", `${BASE}/tokens/import`, { text: `${ALIVE}\n${DEAD} ${NEW}` }],
    ["DELETE", `${BASE}/tokens`, [NEW, `${DEAD}typo`]],
    ["GET", `${BASE}/tokens/snapshots`],
    ["GET", `${BASE}/audit?page_size=100`],
  ];
  for (const [method, path, body] of masked) {
    const { status, text } = await send(method, path, body);
    expect({ path, status, shown: holdsSecret(text) ? text : "" }).toMatchObject({ path, shown: "" });
    expect(status).toBeLessThan(500);
  }
  for (const path of [`${BASE}/tokens/refresh-all`, `${BASE}/tokens/nsfw/enable/async`]) {
    const started = JSON.parse((await send("POST", path, {})).text) as { task_id: string };
    expect(holdsSecret((await send("GET", `${BASE}/batch/${started.task_id}/stream`)).text)).toBe(false);
  }
  for (const path of [`${BASE}/tokens`, "/admin/api/tokens", "/api/tokens", `${BASE}/tokens/export`]) {
    expect(holdsSecret((await send("GET", path)).text)).toBe(true);
  }
  expect(trial.lines.length).toBeGreaterThan(40);
  expect(trial.lines.filter((line) => holdsSecret(JSON.stringify(line)))).toEqual([]);
});

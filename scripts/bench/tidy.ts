// The journal's clean-up beside chats: two gateways with the same million rows, one of them cleaning up, asked in turns.
// Whoever is not asked is stopped meanwhile, so that the clean-up costs only its own gateway's requests.
// Invariant: the clean-up goes on through all rounds, or the lane says that it measured nothing.
import { Database } from "bun:sqlite";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { openSqlite } from "../../src/storage/sqlite.ts";
import { parseJson } from "./json.ts";
import { drive } from "./load.ts";
import { readRssMb } from "./measure.ts";
import { merge } from "./memory.ts";
import { median, quantile } from "./samples.ts";
import { shotFor, startGateway, type Rig, type Target } from "./targets.ts";

export interface TidyRound {
  p50Us: number;
  p99Us: number;
  /** each of them adds a row */
  chats: number;
}
export interface TidyResult {
  rows: number;
  /** how many rows the clean-up removed while it was watched */
  removed: number;
  idle: TidyRound[];
  cleaning: TidyRound[];
  /** resident megabytes before, and the median meanwhile: a peak belongs to the collector, not to the clean-up */
  memoryMb: { cleaning: [number | null, number | null]; idle: [number | null, number | null] };
  errors: Record<string, number>;
}

const DATABASE = "grok2api.db";
const DAYS = 25;
const DAY_MS = 86_400_000;
const WARM_UP_MS = 2500;
const WINDOW_MS = 2500;
/** after a stopped process was let go on */
const SETTLE_MS = 300;
const CONNECTIONS = 4;

/** Rows as requests leave them, made by the database itself. */
async function fill(path: string, rows: number): Promise<void> {
  await openSqlite({ path }).close();
  using database = new Database(path);
  database.run("PRAGMA synchronous = OFF");
  const startMs = Date.now() - DAYS * DAY_MS;
  const endMs = `CAST(${startMs} + i * ${(DAYS * DAY_MS) / rows} AS INTEGER)`;
  const account = "'acc_' || ((i * 104729) % 1000)";
  const attempts = `'[{"account":"' || ${account} || '","startMs":0.3,"ms":1234.5,"code":null,"reason":null}]'`;
  database.run(`WITH RECURSIVE counter(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM counter WHERE i < ${rows - 1})
    INSERT INTO requests (seq, id, end_ms, route, key, model, served, mode, account, stream, status, outcome, code, tries,
      attempts, first_byte_ms, total_ms, tokens_in, tokens_out, tokens_reasoning, tokens_estimated, images, videos)
    SELECT ${endMs} * 1000, 'req_' || lower(hex(randomblob(16))), ${endMs}, '/v1/chat/completions',
      'key_' || ((i * 7919) % 200), 'grok-4', 'grok-4', 'auto', ${account}, i % 2, 200, 'finished', NULL, 1,
      ${attempts}, 321.5, 1234.5, 100, 200, 50, 1, 0, 0 FROM counter`);
  database.run("PRAGMA wal_checkpoint(TRUNCATE)");
}

const admin = (target: Target, path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${target.child.port}/api/v1/admin${path}`, {
    ...init,
    headers: { authorization: "Bearer bench-admin", "content-type": "application/json" },
  });

async function rowsOf(target: Target): Promise<number> {
  return parseJson<{ rows: number }>(await (await admin(target, "/journal")).text()).rows;
}

async function ask(target: Target, windowMs: number, errors: Record<string, number>): Promise<TidyRound> {
  const {
    totalUs,
    requests,
    errors: own,
  } = await drive({
    shot: shotFor(target, { plan: { n: 8 }, stream: true, stamps: false }),
    connections: CONNECTIONS,
    rampMs: 0,
    loop: true,
    windowStartMs: SETTLE_MS,
    windowMs,
    maxRequests: Infinity,
    deadlineMs: SETTLE_MS + windowMs + 5000,
  });
  merge(errors, own);
  return { p50Us: quantile(totalUs, 0.5), p99Us: quantile(totalUs, 0.99), chats: requests };
}

export async function runTidyLane(rig: Rig, options: { rows: number; rounds: number }): Promise<TidyResult> {
  const start = (label: string) => startGateway(rig, { client: "wreq", mock: rig.h1, label });
  const folderOf = (label: string) => join(rig.folder, `gateway-wreq-h1-${label}`);
  const labels = ["journal", "journal-idle"] as const;
  // Once each without rows, so that everything but the rows is there.
  for (const label of labels) await (await start(label)).child.stop();
  await fill(join(folderOf(labels[0]), DATABASE), options.rows);
  cpSync(join(folderOf(labels[0]), DATABASE), join(folderOf(labels[1]), DATABASE));
  const [cleaning, idle] = [await start(labels[0]), await start(labels[1])];
  const result: TidyResult = {
    rows: options.rows,
    removed: 0,
    idle: [],
    cleaning: [],
    memoryMb: { cleaning: [null, null], idle: [null, null] },
    errors: {},
  };
  const turn = async (target: Target, other: Target, windowMs: number) => {
    process.kill(other.child.pid, "SIGSTOP");
    const round = await ask(target, windowMs, result.errors);
    process.kill(other.child.pid, "SIGCONT");
    return round;
  };
  await turn(idle, cleaning, WARM_UP_MS);
  await turn(cleaning, idle, WARM_UP_MS);
  const before = await rowsOf(cleaning);
  result.memoryMb.cleaning[0] = readRssMb(cleaning.child.pid);
  result.memoryMb.idle[0] = readRssMb(idle.child.pid);
  const memory = { cleaning: [] as number[], idle: [] as number[] };
  const watch = setInterval(() => {
    memory.cleaning.push(readRssMb(cleaning.child.pid) ?? Number.NaN);
    memory.idle.push(readRssMb(idle.child.pid) ?? Number.NaN);
  }, 100);
  const changed = await admin(cleaning, "/config", {
    method: "POST",
    body: JSON.stringify({ journal: { retention_days: 0.01 } }),
  });
  if (!changed.ok) throw new Error(`the clean-up could not be begun: ${changed.status} ${await changed.text()}`);
  for (let round = 0; round < options.rounds; round++) {
    const turns = [
      async () => result.idle.push(await turn(idle, cleaning, WINDOW_MS)),
      async () => result.cleaning.push(await turn(cleaning, idle, WINDOW_MS)),
    ];
    for (const next of round % 2 === 0 ? turns : turns.toReversed()) await next();
  }
  clearInterval(watch);
  for (const name of ["cleaning", "idle"] as const) {
    const middle = median(memory[name]);
    result.memoryMb[name][1] = Number.isNaN(middle) ? null : middle;
  }
  const left = await rowsOf(cleaning);
  const added = result.cleaning.reduce((sum, { chats }) => sum + chats, 0);
  result.removed = Math.max(0, before + added - left);
  if (left < options.rows / 100) merge(result.errors, { "the clean-up ended before the last round": 1 });
  await cleaning.child.stop();
  await idle.child.stop();
  return result;
}

// The journal with a million rows: how long each report takes, how long it holds the event loop, and what a clean-up does to
// memory. Prints and asserts nothing: `bun scripts/bench/journal.ts [rows]`. Invariant: leaves no file behind.
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JournalRow } from "../../src/storage/port.ts";
import { openSqlite } from "../../src/storage/sqlite.ts";

const DAY_MS = 86_400_000;
const DAYS = 30;
const BATCH = 200;
const KEYS = 200;
const ACCOUNTS = 1_000;
const MODELS = ["grok-4", "grok-3", "grok-4-heavy"];
const FOREVER = { beforeMs: 0, maxBytes: 1e12, hoursBeforeMs: 0, daysBeforeMs: 0 };

const rssMb = (): number => Math.round(process.memoryUsage().rss / 1024 / 1024);

const rowAt = (index: number, endMs: number): JournalRow => {
  const account = `acc_${(index * 104_729) % ACCOUNTS}`;
  const failed = index % 50 === 0;
  const model = MODELS[index % MODELS.length] ?? "grok-4";
  return {
    id: `req_${crypto.randomUUID().replaceAll("-", "")}`,
    endMs: Math.floor(endMs),
    ...{
      route: "/v1/chat/completions",
      key: `key_${(index * 7_919) % KEYS}`,
      model,
      served: model,
      mode: "auto",
      account,
    },
    ...{ stream: index % 2 === 0, status: failed ? 502 : 200, outcome: failed ? "upstream-cut" : "finished" },
    code: failed ? "upstream_error" : null,
    attempts: [{ account, startMs: 0.3, ms: 1_234.5, code: failed ? "upstream_error" : null, reason: null }],
    ...{ firstByteMs: 321.5, totalMs: 1_234.5 + (index % 1_000), tokensIn: 100, tokensOut: 200, tokensReasoning: 50 },
    ...{ tokensEstimated: true, images: 0, videos: 0, costTicks: 0 },
  };
};

/** The longest time that nothing else could run, seen by a timer. */
const watchLoop = () => {
  let last = performance.now();
  let longest = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last - 2);
    last = now;
  }, 2);
  return {
    take() {
      const taken = longest;
      longest = 0;
      last = performance.now();
      return taken;
    },
    stop: () => clearInterval(timer),
  };
};

const main = async (rows: number): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "journal-bench-"));
  const path = join(folder, "a.db");
  const store = openSqlite({ path });
  const { journal } = store;
  const endMs = Date.now();
  const startMs = endMs - DAYS * DAY_MS;
  const fileMb = () => Math.round(statSync(path).size / 1024 / 1024);

  const fillStart = performance.now();
  for (let first = 0; first < rows; first += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, rows - first) }, (_, offset) =>
      rowAt(first + offset, startMs + ((first + offset) / rows) * DAYS * DAY_MS),
    );
    await journal.append(batch, { dayOffsetMs: 0 });
  }
  const perRow = ((performance.now() - fillStart) / rows) * 1_000;
  console.log(`${rows} rows in ${fileMb()} MB, ${perRow.toFixed(1)} µs a row with its roll-ups; RSS ${rssMb()} MB`);

  const loop = watchLoop();
  const time = async (name: string, work: () => Promise<unknown>) => {
    await Bun.sleep(20);
    loop.take();
    const began = performance.now();
    await work();
    const ms = performance.now() - began;
    await Bun.sleep(5);
    const held = loop.take().toFixed(1);
    console.log(
      `${name.padEnd(44)} ${ms.toFixed(1).padStart(9)} ms, loop held ${held.padStart(6)} ms, RSS ${rssMb()} MB`,
    );
  };
  const month = { fromMs: startMs - DAY_MS, toMs: endMs + 1 };
  const day = { fromMs: endMs - DAY_MS, toMs: endMs + 1 };
  const byRequests = { by: "requests", limit: 10 } as const;
  await time("course of 30 days by hour", () =>
    journal.series({ span: "hour", dimension: "all", value: "", ...month }),
  );
  await time("course of one key by day", () =>
    journal.series({ span: "day", dimension: "key", value: "key_3", ...month }),
  );
  await time("top accounts of 30 days", () =>
    journal.top({ span: "day", dimension: "account", ...byRequests, ...month }),
  );
  await time("top accounts of 24 hours", () =>
    journal.top({ span: "hour", dimension: "account", ...byRequests, ...day }),
  );
  await time("totals of 30 days", () => journal.top({ span: "day", dimension: "all", ...byRequests, ...month }));
  await time("newest 50 requests", () => journal.search({}, { limit: 50 }));
  await time("newest 50 of one key", () => journal.search({ key: "key_3" }, { limit: 50 }));
  await time("search that finds nothing", () => journal.search({ code: "none_such" }, { limit: 50 }));
  await time("search in every text that finds nothing", () => journal.search({ text: "no such text" }, { limit: 50 }));
  await time("one request by its id", () => journal.search({ id: "req_none" }, { limit: 50 }));
  await time("size", () => journal.size());
  const before = rssMb();
  await time("clean-up: half by age", () => journal.prune({ ...FOREVER, beforeMs: endMs - (DAYS / 2) * DAY_MS }));
  await time("clean-up: the rest down to 30 MB", () =>
    journal.prune({ ...FOREVER, maxBytes: 30e6, hoursBeforeMs: endMs - 7 * DAY_MS }),
  );
  loop.stop();
  await store.close();
  console.log(`RSS ${before} → ${rssMb()} MB by the clean-up; the file has ${fileMb()} MB`);
  rmSync(folder, { recursive: true, force: true });
};

await main(Number(Bun.argv[2] ?? 1_000_000));

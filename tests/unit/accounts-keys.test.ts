// Keys of the official API in the pool: waiting beside sessions that have a model of the same id, and keys of the settings.
import { describe, expect, test } from "bun:test";
import { accountId } from "../../src/accounts/account.ts";
import { createConfiguredKeys } from "../../src/accounts/configured-keys.ts";
import type { Lease, Need } from "../../src/accounts/pool.ts";
import { GatewayError } from "../../src/core/errors.ts";
import type { Model } from "../../src/core/models.ts";
import { silentLog } from "../../src/lib/log.ts";
import { createMemoryDocuments } from "../../src/storage/memory.ts";
import { rejection } from "../support/events.ts";
import { item, manualClock, model, newPool, settings, settle } from "./accounts-fixtures.ts";

const KEY = "xai-sim-ok-alpha-1";
const ID = "grok-imagine-video";

const needOf = (wanted: Model): Need => ({ model: wanted, exclude: new Set() });
const site = needOf(model(ID));
const official = needOf({
  ...model(ID),
  upstream: "xai",
  xai: { contextLength: null, prices: null, longContext: null, imagePrice: null, efforts: null },
});

describe("waiting", () => {
  test("for a key is not kept from its turn by those who wait for a session", async () => {
    const pool = newPool({ clock: manualClock() });
    await pool.upsert([item("sim-a"), item(KEY)]);
    const take = (need: Need, count: number): Lease[] =>
      Array.from({ length: count }, () => pool.acquire(need)).filter((lease) => lease !== null);
    take(site, settings.max_inflight);
    const keys = take(official, settings.max_inflight_per_key);
    const signal = new AbortController().signal;
    const served: string[] = [];
    for (const need of [site, official]) {
      void pool.waitForFree(need, { signal, ms: 2000 }).then((lease) => served.push(lease?.credential.token ?? "-"));
    }
    await settle();
    keys[0]?.report({ kind: "served" });
    await settle();
    expect(served).toEqual([KEY]);
  });
});

describe("the team's own time", () => {
  test("is no longer than the longest that the settings allow", async () => {
    const clock = manualClock();
    const pool = newPool({ clock });
    await pool.upsert([item(KEY)]);
    const retryAfterMs = 400 * 86_400_000;
    const error = new GatewayError("upstream_rate_limited", "Too many.", { retryAfterMs });
    pool.acquire(official)?.report({ kind: "failed", error });
    expect(pool.acquire(official)).toBeNull();
    await clock.advance(settings.max_retry_after_seconds * 1000);
    expect(pool.acquire(official)).not.toBeNull();
  });
});

describe("keys of the settings", () => {
  test("are taken over although an earlier change could not be stored", async () => {
    const documents = createMemoryDocuments();
    let broken = true;
    const pool = newPool({
      clock: manualClock(),
      documents: {
        ...documents,
        write: (changes) => (broken ? Promise.reject(new Error("the disk is full")) : documents.write(changes)),
      },
    });
    const keys = createConfiguredKeys({ pool, log: silentLog });
    await rejection(keys.apply([KEY]));
    broken = false;
    await keys.apply([KEY, "xai-sim-ok-beta-1"]);
    expect(pool.get(accountId("xai-sim-ok-beta-1"))?.from_config).toBe(true);
  });
});

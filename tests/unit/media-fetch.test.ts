// A finished file that cannot be had at once: the account that made it asks again until its limit, and nobody else is troubled.
import { describe, expect, test } from "bun:test";
import { configSchema } from "../../src/config/schema.ts";
import { type ErrorCode, GatewayError } from "../../src/core/errors.ts";
import { createPictures } from "../../src/gateway/pictures.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import type { FileBody } from "../../src/providers/port.ts";
import { rejection } from "../support/events.ts";

const LIMIT_SECONDS = 20;
const config = configSchema.parse({ asset: { download_timeout: LIMIT_SECONDS } });
const BYTES = new Uint8Array([1, 2, 3]);

const refused = (code: ErrorCode, status?: number): GatewayError =>
  new GatewayError(code, "refused", status === undefined ? {} : { upstream: { status, text: "" } });

/** Time that passes only while somebody waits. */
const createTime = () => {
  let ms = 0;
  const sleep = async (pause: number, signal?: AbortSignal) => {
    signal?.throwIfAborted();
    ms += pause;
  };
  const clock = { now: () => ms, monotonic: () => ms, sleep, every: () => () => {} } satisfies Clock;
  return { clock, passed: () => ms };
};

/** What the upstream answers, one after the other; the last for ever. "cut" is a body that breaks off. */
const setUp = (answers: readonly (GatewayError | "cut" | "whole")[]) => {
  const { clock, passed } = createTime();
  let asked = 0;
  let cancelled = 0;
  const next = () => answers[Math.min(asked++, answers.length - 1)] ?? "whole";
  const bodyOf = (answer: "cut" | "whole"): FileBody => {
    const left: (Uint8Array | null)[] = [BYTES, null];
    const read = async () => {
      if (answer === "cut" && left.length === 1) throw refused("upstream_cut");
      return left.shift() ?? null;
    };
    return { length: null, read, cancel: () => void cancelled++ };
  };
  const pictures = createPictures({
    provider: {
      async download() {
        const answer = next();
        if (answer instanceof GatewayError) throw answer;
        return { bytes: BYTES, mime: "image/png" };
      },
      async openFile() {
        const answer = next();
        if (answer instanceof GatewayError) throw answer;
        return bodyOf(answer);
      },
    },
    config: () => config,
    clock,
    keep: async () => ({ name: "a.png", mime: "image/png" }),
    async keepBody({ body }) {
      for (let chunk = await body.read(); chunk !== null; chunk = await body.read());
      return { name: "a.mp4", mime: "video/mp4" };
    },
    link: (base, { name }) => `${base}/${name}`,
  });
  const leaving = new AbortController();
  const call = {
    credential: { accountId: "acc_1", token: "t", tier: "super" as const },
    signal: leaving.signal,
    log: silentLog,
    learn: () => {},
    baseUrl: "http://g",
  };
  return {
    keep: (isExtra = false) => pictures.keep({ url: "https://files/a.png" }, { ...call, isExtra }),
    preview: () => pictures.fetch({ url: "https://files/p.png" }, call),
    keepClip: () => pictures.keepClip({ url: "https://files/a.mp4" }, call),
    leaving,
    passed,
    asked: () => asked,
    cancelled: () => cancelled,
  };
};

const NO = refused("account_blocked", 403);

describe("a finished file", () => {
  test("that is refused for a while is had by the same account", async () => {
    const trial = setUp([NO, NO, refused("upstream_error", 500), NO, "whole"]);
    expect(await trial.keep()).toMatchObject({ link: "http://g/a.png" });
    expect(trial.asked()).toBe(5);
  });

  test("that is refused for ever ends with the limit's name, and blames no account", async () => {
    for (const kind of ["keep", "keepClip"] as const) {
      const trial = setUp([NO]);
      const thrown = await rejection(trial[kind]());
      expect(thrown).toMatchObject({ code: "upstream_error" });
      expect(String(thrown)).toContain(`asset.download_timeout (${LIMIT_SECONDS} s)`);
      expect(trial.passed()).toBeWithin(LIMIT_SECONDS * 500, LIMIT_SECONDS * 1000 + 1);
      expect(trial.asked()).toBe(7);
    }
  });

  test("that breaks off is begun again, and the broken body is let go", async () => {
    const trial = setUp(["cut", NO, "cut", "whole"]);
    expect(await trial.keepClip()).toMatchObject({ link: "http://g/a.mp4" });
    expect([trial.asked(), trial.cancelled()]).toEqual([4, 2]);
  });

  test.each<[string, GatewayError, ErrorCode]>([
    ["too large or of another type", refused("upstream_malformed"), "upstream_error"],
    ["gone for good", refused("upstream_error", 410), "upstream_error"],
    ["refused because the session has ended", refused("account_auth", 401), "upstream_error"],
    ["without room here", refused("storage_full"), "storage_full"],
  ])("that is %s is not asked for again", async (_, error, code) => {
    const trial = setUp([error]);
    expect(await rejection(trial.keep())).toMatchObject({ code });
    expect(trial.asked()).toBe(1);
  });

  test("that is an extra is not waited for long", async () => {
    const still = setUp([NO]);
    expect(await rejection(still.keep(true))).toMatchObject({ code: "upstream_error" });
    const preview = setUp([NO]);
    expect(await rejection(preview.preview())).toMatchObject({ code: "upstream_error" });
    expect([still.passed(), preview.passed()]).toEqual([2450, 2450]);
  });

  test("waits for its turn, and a refused one gives its turn back", async () => {
    const most = { now: 0, ever: 0 };
    const { clock } = createTime();
    let asked = 0;
    const pictures = createPictures({
      provider: {
        async download() {
          most.ever = Math.max(most.ever, ++most.now);
          await Bun.sleep(2);
          most.now--;
          if (asked++ < 3) throw NO;
          return { bytes: BYTES, mime: "image/png" };
        },
        openFile: () => Promise.reject(new Error("not asked for")),
      },
      config: () => configSchema.parse({ asset: { download_concurrent: 2 } }),
      clock,
      keep: async () => ({ name: "a.png", mime: "image/png" }),
      keepBody: () => Promise.reject(new Error("not asked for")),
      link: () => "link",
    });
    const call = {
      credential: { accountId: "acc_1", token: "t", tier: "super" as const },
      signal: new AbortController().signal,
      log: silentLog,
      learn: () => {},
      baseUrl: "",
    };
    await Promise.all(Array.from({ length: 6 }, () => pictures.keep({ url: "https://files/a.png" }, call)));
    expect([most.ever, asked]).toEqual([2, 9]);
  });

  test("is not asked for once the caller has left", async () => {
    const trial = setUp([NO]);
    trial.leaving.abort(refused("client_closed"));
    expect(await rejection(trial.keep())).toMatchObject({ code: "client_closed" });
    expect(trial.asked()).toBe(0);
  });
});

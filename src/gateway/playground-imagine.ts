// A picture run of the playground: batches of pictures, one after the other, until somebody stops it, its count is full, its
// time is over or the upstream has refused. Knows no wire format. Invariants: a verdict on the content ends the run; once the
// signal has aborted nothing more is asked of the upstream; every batch has a record of its own, which is closed once.
import { asGatewayError, GatewayError } from "../core/errors.ts";
import type { PictureRequest } from "../core/media-request.ts";
import type { ImagineEvent, ImagineWish, RunEnd } from "../core/playground.ts";
import { type Clock, unixSeconds } from "../lib/clock.ts";
import { hexId } from "../lib/ids.ts";
import type { MediaGateway } from "./media-port.ts";
import type { RequestRecord } from "./record.ts";

export interface ImagineDeps {
  readonly media: MediaGateway;
  readonly clock: Clock;
}

export interface ImagineRun {
  readonly wish: ImagineWish;
  /** Aborts when the reader leaves or somebody stops the run. */
  readonly signal: AbortSignal;
  readonly baseUrl: string;
  /** How long the run may go on. */
  readonly limitMs: number;
  /** The number of the next picture. */
  readonly number: () => number;
  readonly openRecord: () => RequestRecord;
  readonly closeRecord: (record: RequestRecord) => void;
}

export type Imagine = (run: ImagineRun) => AsyncGenerator<ImagineEvent, void, void>;

const FAST = "grok-imagine-1.0";
const QUALITY = "grok-imagine-image-2.0";
/** Pictures that the site draws at once. */
const BATCH = 6;
const NO_ACCOUNT_PAUSE_MS = 2_000;
const ERROR_PAUSE_MS = 1_500;
const LONGEST_PAUSE_MS = 15_000;
/** A run that fails this often in a row goes nowhere. */
const MOST_FAILURES = 5;

const stopped = (): GatewayError => new GatewayError("client_closed", "The run was stopped.");

const nothingDrawn = (): GatewayError =>
  new GatewayError("upstream_empty", "The upstream ended its answer without a picture.");

const requestFor = ({ prompt, ratio, adult, quality }: ImagineWish, count: number): PictureRequest => ({
  ...{ model: quality ? QUALITY : FAST, prompt, ratio, count },
  ...{ references: [], previews: 0, concurrency: 1, stream: true, inline: true },
  adult: adult === true,
  ...(adult === false ? { tame: true } : {}),
});

/** The upstream has looked at what was asked and will say the same again. */
const isRefusal = ({ row }: GatewayError): boolean => row.blame === "request";

const pauseAfter = (error: GatewayError, failures: number): number => {
  const base = error.row.status === 429 || error.row.status === 503 ? NO_ACCOUNT_PAUSE_MS : ERROR_PAUSE_MS;
  return Math.min(LONGEST_PAUSE_MS, base * 2 ** (failures - 1));
};

export const createImagine = ({ media, clock }: ImagineDeps): Imagine => {
  /** One call for pictures; returns how it failed, or null. */
  async function* batch(
    run: ImagineRun,
    about: { count: number; signal: AbortSignal; runId: string },
  ): AsyncGenerator<ImagineEvent, GatewayError | null, void> {
    const { runId } = about;
    const { ratio } = run.wish;
    const record = run.openRecord();
    const own = new AbortController();
    const context = {
      id: hexId("img_"),
      created: unixSeconds(clock),
      signal: AbortSignal.any([about.signal, own.signal]),
      abort: (reason: GatewayError) => own.abort(reason),
      record,
      baseUrl: run.baseUrl,
    };
    const startedMs = clock.monotonic();
    let failure: GatewayError | null = null;
    let over = false;
    let drawn = 0;
    let keptBack = false;
    const tells = run.wish.batches === true;
    try {
      if (tells) yield { type: "batch-begun", runId, count: about.count };
      for await (const events of await media.pictures(requestFor(run.wish, about.count), context)) {
        for (const event of events) {
          if (event.type === "failure") failure = event.error;
          if (event.type === "finish") keptBack = event.reason === "content-filter";
          if (event.type !== "image" || event.partial || !event.source.base64) continue;
          drawn++;
          yield {
            ...{ type: "picture", runId, ratio, sequence: run.number(), createdMs: clock.now() },
            base64: event.source.base64,
            link: event.source.link ?? "",
            elapsedMs: Math.round(clock.monotonic() - startedMs),
          };
        }
      }
      const short = about.count - drawn;
      if (tells && failure === null && short > 0 && drawn > 0) {
        yield { type: "batch-over", runId, withheld: keptBack ? short : 0, missing: keptBack ? 0 : short };
      }
      over = true;
    } catch (thrown) {
      failure = asGatewayError(thrown);
      over = true;
    } finally {
      // Closed by a reader who left: the upstream is told, whether or not it has noticed yet.
      if (!over) own.abort(stopped());
      record.error = failure ?? record.error;
      run.closeRecord(record);
    }
    return failure;
  }

  /** A batch as it comes, with its pictures counted. */
  async function* counted(pictures: ReturnType<typeof batch>, count: () => void): ReturnType<typeof batch> {
    try {
      let step = await pictures.next();
      for (; !step.done; step = await pictures.next()) {
        if (step.value.type === "picture") count();
        yield step.value;
      }
      return step.value;
    } finally {
      await pictures.return(null);
    }
  }

  return async function* imagine(run) {
    const runId = hexId("");
    const { count: wanted } = run.wish;
    const wall = new AbortController();
    const done = new AbortController();
    const signal = AbortSignal.any([run.signal, wall.signal]);
    clock.sleep(run.limitMs, done.signal).then(
      () => wall.abort(stopped()),
      () => {},
    );
    let told = 0;
    let failures = 0;
    let reason: RunEnd | undefined;
    try {
      yield { type: "running", runId, wish: run.wish };
      while (!signal.aborted && (wanted === null || told < wanted)) {
        const before = told;
        const pictures = batch(run, { count: Math.min(BATCH, (wanted ?? BATCH + told) - told), signal, runId });
        const failed = yield* counted(pictures, () => told++);
        if (signal.aborted) break;
        failures = told > before ? 0 : failures + 1;
        // Without either the run would ask again at once, for ever.
        const error = failed ?? (told === before ? nothingDrawn() : null);
        if (!error) continue;
        yield { type: "failed", runId, error };
        if (isRefusal(error)) {
          reason = "refused";
          break;
        }
        if (failures >= MOST_FAILURES) {
          reason = "errors";
          break;
        }
        await clock.sleep(pauseAfter(error, Math.max(1, failures)), signal).catch(() => {});
      }
      if (wall.signal.aborted) reason = "time_limit";
      const how = wanted !== null && told >= wanted ? "completed" : "stopped";
      yield { type: "ended", runId, how, ...(reason ? { reason } : {}) };
    } finally {
      done.abort();
    }
  };
};

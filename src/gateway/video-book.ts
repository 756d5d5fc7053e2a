// All video jobs: in memory for reading, in storage for restarts. Knows neither the upstream nor who runs a job.
// Invariant: a job is only seen by its owner, and what is seen has been handed to storage.
import { GatewayError } from "../core/errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Documents } from "../storage/port.ts";
import { isEnded, readJob, type VideoJob } from "./video-job.ts";

export interface VideoPage {
  readonly jobs: readonly VideoJob[];
  readonly more: boolean;
}

export interface PageQuery {
  readonly after: string | null;
  readonly limit: number;
  readonly order: "asc" | "desc";
}

export interface VideoBook {
  load(): Promise<readonly VideoJob[]>;
  add(job: VideoJob): Promise<void>;
  /** Throws `video_not_found` for a job that is not there or belongs to somebody else. */
  get(id: string, owner: string): VideoJob;
  /** Whatever its owner. */
  find(id: string): VideoJob | undefined;
  /** The owner's job whose clip is stored under the name. */
  ofFile(name: string, owner: string): VideoJob | undefined;
  list(owner: string, query: PageQuery): VideoPage;
  /** Changes a job that is there; `keep` writes it down, else the change lives until the next one that is. */
  change(id: string, change: Partial<VideoJob>, keep?: "keep" | "memory"): void;
  remove(id: string): Promise<void>;
  readonly waiting: number;
  /** Removes ended jobs that are older than so long. */
  prune(olderThanMs: number): Promise<void>;
  /** Everything so far is in storage once this resolves. */
  flush(): Promise<void>;
}

const COLLECTION = "video_jobs";

const notFound = (id: string): GatewayError =>
  new GatewayError("video_not_found", `No video job '${id.slice(0, 80)}'.`, { param: "video_id" });

export const createVideoBook = (deps: { documents: Documents; clock: Clock; log: Log }): VideoBook => {
  const { documents, clock, log } = deps;
  const jobs = new Map<string, VideoJob>();
  /** Writes go one after the other, so that an older state never lands on a newer one. */
  let writing: Promise<unknown> = Promise.resolve();

  const write = (job: VideoJob): Promise<void> => {
    const { id, ...body } = job;
    const next = writing.then(() => documents.write([{ collection: COLLECTION, id, body }]));
    writing = next.catch((error: unknown) => log.error("a video job could not be written", { id, error }));
    return next.then(() => undefined);
  };
  const erase = (ids: readonly string[]): Promise<void> => {
    if (ids.length === 0) return Promise.resolve();
    const next = writing.then(() =>
      documents.write(ids.map((id) => ({ collection: COLLECTION, id, remove: true as const }))),
    );
    writing = next.catch((error: unknown) => log.error("video jobs could not be removed", { error }));
    return next.then(() => undefined);
  };
  const get: VideoBook["get"] = (id, owner) => {
    const job = jobs.get(id);
    if (!job || job.owner !== owner) throw notFound(id);
    return job;
  };

  return {
    get,
    find: (id) => jobs.get(id),
    ofFile: (name, owner) => [...jobs.values()].find((job) => job.owner === owner && job.file?.name === name),
    async load() {
      for (const { id, body } of await documents.list(COLLECTION)) {
        const job = readJob(id, body);
        if (job) jobs.set(id, job);
        else log.error("a stored video job cannot be read and is left alone", { id });
      }
      return [...jobs.values()];
    },
    async add(job) {
      jobs.set(job.id, job);
      await write(job).catch((thrown: unknown) => {
        jobs.delete(job.id);
        throw thrown;
      });
    },
    list(owner, { after, limit, order }) {
      const sign = order === "asc" ? 1 : -1;
      const own = [...jobs.values()]
        .filter((job) => job.owner === owner)
        .toSorted((a, b) => sign * (a.createdMs - b.createdMs || (a.id < b.id ? -1 : 1)));
      const from = after === null ? 0 : own.indexOf(get(after, owner)) + 1;
      return { jobs: own.slice(from, from + limit), more: own.length > from + limit };
    },
    change(id, change, keep = "keep") {
      const job = jobs.get(id);
      if (!job) return;
      const next = { ...job, ...change };
      jobs.set(id, next);
      if (keep === "keep") write(next).catch(() => {});
    },
    async remove(id) {
      jobs.delete(id);
      await erase([id]);
    },
    get waiting() {
      let count = 0;
      for (const job of jobs.values()) if (job.status === "queued") count++;
      return count;
    },
    async prune(olderThanMs) {
      const before = clock.now() - olderThanMs;
      const old = [...jobs.values()].filter((job) => isEnded(job) && (job.completedMs ?? job.createdMs) < before);
      for (const { id } of old) jobs.delete(id);
      await erase(old.map(({ id }) => id));
    },
    async flush() {
      await writing;
    },
  };
};

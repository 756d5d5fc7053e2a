// Which clip a request is about that changes one or carries it on: a job of the caller's by its id or its link, a clip that lies
// elsewhere, or a file that came along. Knows no upstream. Invariant: another's job is never found.
import type { Pool } from "../accounts/pool.ts";
import { upstreamOf } from "../core/credential.ts";
import { GatewayError } from "../core/errors.ts";
import type { SourceClip } from "../core/media-request.ts";
import type { ReceivedFile } from "../core/request.ts";
import type { VideoBook } from "./video-book.ts";
import type { VideoJob } from "./video-job.ts";

export type NamedClip = { readonly job: string } | { readonly url: string };
export type SentClip = { readonly file: Pick<ReceivedFile, "content" | "keep"> };

export interface VideoSourceDeps {
  readonly book: Pick<VideoBook, "get" | "ofFile">;
  readonly pool: Pick<Pool, "credential">;
  /** A stored clip; null when it is gone. */
  readonly clipFile: (name: string) => Promise<Blob | null>;
}

/** A job that is done, whose clip its account can be asked for. */
export interface Carried {
  readonly base: VideoJob & { readonly account: string; readonly clipId: string };
  readonly byKey: boolean;
  readonly content: Blob | null;
}

/** The address of a clip of ours, under whatever name this gateway is reached. */
const OWN_FILE = /\/v1\/files\/video\/([^/?#]+)/;

export const createVideoSources = ({ book, pool, clipFile }: VideoSourceDeps) => {
  /** Undefined for a clip that lies elsewhere. Throws `video_not_found`. */
  const ours = (video: NamedClip, owner: string): VideoJob | undefined => {
    if ("job" in video) return book.get(video.job, owner);
    const name = OWN_FILE.exec(video.url)?.[1];
    return name === undefined ? undefined : book.ofFile(name, owner);
  };
  const stored = async ({ file }: VideoJob): Promise<Blob | null> => (file ? clipFile(file.name) : null);
  const isKeys = (account: string | null): boolean => {
    const maker = account === null ? null : pool.credential(account);
    return maker !== null && upstreamOf(maker.token) === "xai";
  };

  return {
    /** Throws GatewayError for what cannot be carried on. */
    async carried(video: NamedClip, owner: string): Promise<Carried> {
      const base = ours(video, owner);
      if (!base) {
        const message = "Only videos that were made here can be carried on; send the id or the address of one.";
        throw new GatewayError("unsupported_parameter", message, { param: "video.url" });
      }
      const { account, clipId } = base;
      if (base.status !== "completed" || account === null || clipId === null) throw notReady(base, "carried on");
      return { base: { ...base, account, clipId }, byKey: isKeys(account), content: await stored(base) };
    },

    /** Throws GatewayError for what cannot be changed. */
    async changed(
      video: NamedClip | SentClip,
      owner: string,
    ): Promise<{ clip: SourceClip; base: VideoJob | undefined }> {
      if ("file" in video) return { clip: video.file, base: undefined };
      const base = ours(video, owner);
      if (!base) return { clip: "url" in video ? { url: video.url } : {}, base };
      if (base.status !== "completed") throw notReady(base, "changed");
      const { account, clipId } = base;
      const content = await stored(base);
      const own = account !== null && clipId !== null && isKeys(account) ? { accountId: account, clipId } : {};
      return { clip: { ...own, ...(content ? { content } : {}) }, base };
    },
  };
};

const notReady = ({ id }: VideoJob, what: string): GatewayError =>
  new GatewayError("video_not_ready", `The video '${id}' is not complete and cannot be ${what}.`, { param: "video" });

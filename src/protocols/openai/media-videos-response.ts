// The response half of the video endpoints: a job, a page of jobs, a deletion. Pure. Invariant: nothing of a job's upstream side
// (account, ids, addresses) is ever in an answer.

/** What an answer shows of a job. */
export interface ShownVideo {
  readonly id: string;
  readonly model: string;
  readonly prompt: string;
  readonly seconds: number;
  readonly size: string;
  readonly quality: string;
  readonly resolution: string;
  readonly preset: string;
  readonly extends: string | null;
  readonly edits: string | null;
  readonly status: "queued" | "in_progress" | "completed" | "failed";
  readonly progress: number;
  readonly createdMs: number;
  readonly completedMs: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly delivered: string | null;
  /** What the upstream charged, where it says. */
  readonly costTicks: number | null;
}

const seconds = (ms: number | null): number | null => (ms === null ? null : Math.floor(ms / 1000));

export const videoBody = (job: ShownVideo): object => ({
  id: job.id,
  object: "video",
  created_at: seconds(job.createdMs),
  completed_at: seconds(job.completedMs),
  expires_at: null,
  status: job.status,
  model: job.model,
  progress: job.progress,
  prompt: job.prompt,
  seconds: String(job.seconds),
  size: job.size,
  quality: job.quality,
  preset: job.preset,
  // What was delivered, once that is known.
  resolution_name: job.delivered ?? job.resolution,
  error: job.error,
  remixed_from_video_id: job.edits,
  extended_from_video_id: job.extends,
  ...(job.costTicks === null ? {} : { cost_in_usd_ticks: job.costTicks }),
});

export const videoPage = (page: { readonly jobs: readonly ShownVideo[]; readonly more: boolean }): object => ({
  object: "list",
  data: page.jobs.map(videoBody),
  first_id: page.jobs[0]?.id ?? null,
  last_id: page.jobs.at(-1)?.id ?? null,
  has_more: page.more,
});

export const videoDeleted = (id: string): object => ({ id, object: "video.deleted", deleted: true });

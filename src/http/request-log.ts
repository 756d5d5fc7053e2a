// One wide line a request, written when its body has ended. Never holds a body, a prompt or a credential.
// Invariant: the level follows from the error table, so that a caller's mistake never looks like a fault of ours.
import { ERROR_TABLE } from "../core/errors.ts";
import type { RequestRecord } from "../gateway/record.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log, LogLevel } from "../lib/log.ts";

export interface LoggedRequest {
  readonly record: RequestRecord;
  readonly route: string;
  /** Asked so often that it would drown the rest. */
  readonly quiet: boolean;
}

export const logRequest = (deps: { clock: Pick<Clock, "monotonic">; log: Log }, request: LoggedRequest): void => {
  const { record, route, quiet } = request;
  deps.log.at(levelOf(record, quiet), "request", {
    id: record.id,
    method: record.method,
    path: record.path,
    route: route === record.path ? undefined : route,
    status: record.status,
    outcome: record.outcome,
    ms: round(deps.clock.monotonic() - record.startedMs),
    first_byte_ms: record.firstByteMs === null ? undefined : round(record.firstByteMs),
    key: record.key ?? undefined,
    model: record.model ?? undefined,
    ...(record.model === null ? {} : { stream: record.stream }),
    account: record.account ?? undefined,
    mode: record.mode ?? undefined,
    ...(record.attempts.length === 0 ? {} : attemptFields(record)),
    finish: record.finish ?? undefined,
    tokens_in: record.usage?.inputTokens,
    tokens_out: record.usage?.outputTokens,
    tokens_reasoning: record.usage?.reasoningTokens,
    ...errorFields(record),
  });
};

const levelOf = (record: RequestRecord, quiet: boolean): LogLevel => {
  if (record.outcome === "client-closed") return ERROR_TABLE.client_closed.log;
  if (record.error) return record.error.row.log;
  return quiet ? "debug" : "info";
};

const attemptFields = (record: RequestRecord) => ({
  attempts: record.attempts.length,
  failed_attempts: record.attempts
    .filter(({ code }) => code !== null)
    .map(({ account, code, reason }) => `${account} ${code}${reason === null ? "" : ` (${reason})`}`),
});

const errorFields = ({ error }: RequestRecord) =>
  error === null
    ? {}
    : {
        code: error.code,
        message: error.message,
        upstream_status: error.detail.upstream?.status,
        upstream_text: error.detail.upstream?.text,
        cause: error.detail.cause,
      };

const round = (ms: number): number => Math.round(ms * 10) / 10;

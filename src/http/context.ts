// What a route handler works with: the request, its record, who sent it, and the use cases behind the HTTP side.
// Knows no framework and no route. Invariant: a call is closed exactly once, when its body has ended.
import type { ApiKeys, Principal } from "../access/api-keys.ts";
import type { AdminAccess } from "../access/admin-session.ts";
import type { PublicAccess } from "../access/public-access.ts";
import type { SocketSecrets } from "../access/socket-secrets.ts";
import type { Audit } from "../access/audit.ts";
import type { ClientLimits } from "../access/limits-client.ts";
import type { KeyUsage } from "../access/usage.ts";
import type { AccountRefresh } from "../admin/account-refresh.ts";
import type { SiteSettings } from "../admin/account-settings.ts";
import type { AccountTest } from "../admin/account-test.ts";
import type { AccountAdmin } from "../admin/accounts.ts";
import type { AssetAdmin } from "../admin/assets.ts";
import type { MediaAdmin } from "../admin/media.ts";
import type { LogFiles } from "../admin/log-files.ts";
import type { KeyAdmin } from "../admin/keys.ts";
import type { OldReports } from "../admin/reports-legacy.ts";
import type { Reports } from "../admin/reports.ts";
import type { SettingsAdmin } from "../admin/settings.ts";
import type { Tasks } from "../admin/tasks.ts";
import type { Config } from "../config/schema.ts";
import { GatewayError } from "../core/errors.ts";
import type { Catalogue } from "../core/models.ts";
import type { ReceivedFile } from "../core/request.ts";
import type { MediaGateway } from "../gateway/media-port.ts";
import type { MediaChat } from "../gateway/media-chat.ts";
import type { Imagine } from "../gateway/playground-imagine.ts";
import type { PlaygroundTasks } from "../gateway/playground-tasks.ts";
import type { ChatGateway } from "../gateway/port.ts";
import type { RequestRecord } from "../gateway/record.ts";
import type { UploadedPictures } from "../gateway/uploaded-pictures.ts";
import type { VideoJobs } from "../gateway/video-jobs.ts";
import type { Responses } from "../gateway/responses.ts";
import type { Speech } from "../gateway/speech.ts";
import type { Voice } from "../gateway/voice.ts";
import type { ImagineWish } from "../core/playground.ts";
import type { GenerationRequest } from "../core/request.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { MediaKind, MediaLinks } from "../media/links.ts";
import type { Admission } from "./admission.ts";
import type { SocketPeer } from "./socket-peer.ts";
import type { StreamServer, Streams } from "./streaming.ts";

/**
 * Who may call a route: anybody, visitors of the playground, holders of an API key, the operator, whoever may read metrics, or
 * anybody who knows a file's unguessable name.
 */
export type AuthClass = "public" | "visitor" | "api" | "admin" | "metrics" | "file";

export type Method = "GET" | "POST" | "PUT" | "DELETE";
export type Toggle = keyof Config["downstream"];

export interface Route {
  readonly method: Method;
  readonly path: string;
  /** Other paths of the same handler. */
  readonly aliases?: readonly string[];
  readonly auth: AuthClass;
  readonly toggle?: Toggle;
  /** The credential may stand in the query: for EventSource, which cannot send headers. */
  readonly queryCredential?: boolean;
  /** A WebSocket: whoever may not open it is told so by its closing code, because a browser sees nothing else. */
  readonly socket?: boolean;
  /** How such a route refuses an upgrade, where its clients know another way. May throw the error. */
  readonly refuse?: (call: Call, error: GatewayError) => Response;
  /** Counts against `server.max_streams` until its body has ended. */
  readonly generates?: boolean;
  /** Quiet routes are logged at debug. */
  readonly quiet?: boolean;
  /** One line for the documentation. */
  readonly summary: string;
  readonly handle: (call: Call) => Response | Promise<Response>;
}

/** What is needed of Bun's server. */
export interface HttpServer extends StreamServer {
  requestIP(request: Request): { readonly address: string } | null;
  /** Absent where no socket can be opened, as in tests without a listening server. */
  upgrade?(request: Request, options: { data: SocketPeer; headers?: Record<string, string> }): boolean;
}

/** What the playground's visitors have begun, by kind. */
export interface PlaygroundBook {
  readonly imagine: PlaygroundTasks<ImagineWish>;
  readonly video: PlaygroundTasks<GenerationRequest>;
}

/** A stored picture or clip, as the media room finds it by its public name. */
export interface StoredFile {
  readonly path: string;
  readonly mime: string;
  readonly bytes: number;
  /** Strong entity tag without quotes. */
  readonly etag: string;
  readonly modifiedMs: number;
}

export interface MediaFiles {
  find(kind: MediaKind, name: string): Promise<StoredFile | null>;
}

/** Takes what callers send along to the disk while it comes. */
export interface IncomingFiles {
  receive(name: string, chunks: AsyncIterable<Uint8Array>): Promise<ReceivedFile>;
}

export interface Readiness {
  /** Component name to "ok" or to one sentence about what is wrong. */
  components(): Promise<Readonly<Record<string, string>>>;
}

/** The route that a record belongs to, under a name that does not grow with the addresses that are asked for. */
export interface RecordPlace {
  readonly route: string;
  readonly auth: AuthClass;
}

/** What the composition gives to the HTTP side. */
export interface ServerDeps {
  readonly config: () => Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: { readonly version: string; readonly commit: string };
  /** Monotonic milliseconds of the start. */
  readonly startedMs: number;
  readonly apiKeys: ApiKeys;
  readonly limits: ClientLimits;
  readonly keyUsage: Pick<KeyUsage, "headers">;
  readonly keyAdmin: KeyAdmin;
  readonly reports: Reports;
  readonly oldReports: OldReports;
  readonly logFiles: LogFiles;
  /** The text for Prometheus, with the numbers that only this side knows. */
  readonly exposition: (live: { readonly running: number; readonly streams: number }) => Promise<string>;
  readonly adminAccess: AdminAccess;
  readonly publicAccess: PublicAccess;
  readonly catalogue: Catalogue;
  readonly gateway: ChatGateway;
  readonly pictures: MediaGateway;
  readonly videoJobs: VideoJobs;
  readonly checkClip: MediaChat["checkClip"];
  readonly uploads: UploadedPictures;
  readonly imagine: Imagine;
  readonly voice: Voice;
  readonly speech: Speech;
  readonly socketSecrets: SocketSecrets;
  readonly playground: PlaygroundBook;
  readonly incoming: IncomingFiles;
  readonly responses: Responses;
  readonly settings: SettingsAdmin;
  readonly accounts: AccountAdmin;
  readonly accountRefresh: AccountRefresh;
  readonly siteSettings: SiteSettings;
  readonly accountTest: AccountTest;
  readonly tasks: Tasks;
  readonly audit: Pick<Audit, "list">;
  readonly media: MediaFiles;
  readonly links: MediaLinks;
  readonly mediaAdmin: MediaAdmin;
  readonly assetAdmin: AssetAdmin;
  readonly readiness: Readiness;
  /** Told of every closed record; for statistics. */
  readonly recorded?: (record: RequestRecord, place: RecordPlace) => void;
}

/** The same and what the server makes for itself. */
export interface HttpDeps extends ServerDeps {
  readonly admission: Admission;
  readonly streams: Streams;
}

export interface Call {
  readonly request: Request;
  readonly server: HttpServer | undefined;
  readonly deps: HttpDeps;
  /** One reading of the settings for the whole request. */
  readonly config: Config;
  readonly url: URL;
  readonly params: Readonly<Record<string, string>>;
  readonly principal: Principal;
  readonly record: RequestRecord;
  /** Aborts when the client leaves or the server gives up waiting. */
  readonly signal: AbortSignal;
  abort(reason: GatewayError): void;
  /** The handler's body outlives the handler: whoever calls this calls `close` later. */
  hold(): void;
  /** Runs when the call is closed. */
  onClose(run: () => void): void;
  close(): void;
}

export interface CallStart {
  readonly request: Request;
  readonly server: HttpServer | undefined;
  readonly deps: HttpDeps;
  readonly record: RequestRecord;
}

export interface OpenCall extends Omit<Call, "params" | "principal"> {
  params: Readonly<Record<string, string>>;
  principal: Principal;
  readonly held: boolean;
  /** Why the call was ended from outside, if it was. */
  readonly abortReason: unknown;
}

/** How many accounts were tried. */
export const ATTEMPTS_HEADER = "x-grok2api-attempts";

/** Whether the conversation stayed with its account: new, kept or moved. */
export const SESSION_HEADER = "x-grok2api-session";

/** What the official API charged for a whole answer; 10,000,000,000 ticks are one US dollar. Streams tell it in their usage. */
export const COST_HEADER = "x-grok2api-cost-in-usd-ticks";

/** Whether the upstream's own conversation was gone on with, or told anew. Only for requests that continue something. */
export const CONTINUATION_HEADER = "x-grok2api-continuation";

export const ANYBODY: Principal = { kind: "anybody", id: "-", name: "anybody" };

export const openCall = (start: CallStart): OpenCall => {
  const closers: (() => void)[] = [];
  let controller: AbortController | undefined;
  let url: URL | undefined;
  let held = false;
  let closed = false;
  const onGone = () => controller?.abort(new GatewayError("client_closed", "The client closed the connection."));
  return {
    ...start,
    config: start.deps.config(),
    params: {},
    principal: ANYBODY,
    get url() {
      url ??= new URL(start.request.url);
      return url;
    },
    // Made on first use: most requests need none.
    get signal() {
      if (!controller) {
        controller = new AbortController();
        if (start.request.signal.aborted) onGone();
        else start.request.signal.addEventListener("abort", onGone, { once: true });
        closers.push(() => start.request.signal.removeEventListener("abort", onGone));
      }
      return controller.signal;
    },
    abort(reason) {
      controller?.abort(reason);
    },
    get abortReason(): unknown {
      const reason: unknown = controller?.signal.reason;
      return reason;
    },
    hold() {
      held = true;
    },
    get held() {
      return held;
    },
    onClose(run) {
      closers.push(run);
    },
    close() {
      if (closed) return;
      closed = true;
      for (const run of closers) run();
    },
  };
};

// What a provider is to the rest of the program: something that turns a GenerationRequest into events with one account's
// credential. Providers know neither the pool nor any downstream protocol; what they learn about an account they report.
import type { Credential } from "../core/credential.ts";
import type { GenerationStream, MediaSource, Usage } from "../core/events.ts";
import type { Model, Upstream, XaiModel } from "../core/models.ts";
import type { QuotaReport } from "../core/quota.ts";
import type { ClipRequest } from "../core/media-request.ts";
import type { PictureQuality, PictureResolution } from "../core/media-wishes.ts";
import type { VoiceSession, VoiceWish } from "../core/playground.ts";
import type { GenerationRequest, UploadFile } from "../core/request.ts";
import type { Frame, RealtimeWish, SocketEnd, SpeechTask, Transcript, TranscriptionTask } from "../core/speech.ts";
import type { Log } from "../lib/log.ts";

/** Facts a call found out; the caller stores them with the account. */
export interface Learned {
  readonly userId?: string;
  readonly teamId?: string;
}

export interface ProviderCall {
  readonly credential: Credential;
  readonly signal: AbortSignal;
  readonly log: Log;
  learn(facts: Learned): void;
}

export interface ChatCall<M extends Model = Model> extends ProviderCall {
  readonly model: M;
  /** Id that the answer carries downstream. */
  readonly id: string;
  readonly created: number;
  /** Fetched and checked attachments of `request`, in order. */
  readonly files: readonly UploadFile[];
}

export interface FetchedMedia {
  readonly bytes: Uint8Array;
  readonly mime: string;
}

/** A file on its way: must be read to the end or cancelled. */
export interface FileBody {
  /** As the upstream says; null when it does not. */
  readonly length: number | null;
  /** The next chunk, or null at the end. */
  read(): Promise<Uint8Array | null>;
  cancel(): void;
}

export interface Provider<M extends Model = Model> {
  /** Yields batches until `finish` or `failure`; ends as soon as the signal aborts. Never throws. */
  generate(request: GenerationRequest, call: ChatCall<M>): GenerationStream;
  /** Asks the upstream for the account's counters, or whether it takes the key. Throws GatewayError. */
  quota(call: ProviderCall): Promise<QuotaReport>;
  /** Downloads a picture or clip that the account made. Throws GatewayError. */
  download(source: MediaSource, call: ProviderCall & { maxBytes: number }): Promise<FetchedMedia>;
  /** The same without holding it, for what may be large. Throws GatewayError. */
  openFile(source: MediaSource, call: ProviderCall): Promise<FileBody>;
  /** Opens new connections to this upstream from now on: the edge refused the present ones. */
  resetEgress(upstream: Upstream): void;
}

/** What the official API tells of a key. */
export interface ModelLister {
  /** The models that the key may use. Throws GatewayError. */
  models(call: ProviderCall): Promise<readonly XaiModel[]>;
}

export interface MediaCall<M extends Model = Model> extends ProviderCall {
  readonly model: M;
  /** Id that the answer carries downstream. */
  readonly id: string;
  readonly created: number;
  /** Fetched and checked pictures that the request carries, in order. */
  readonly files: readonly UploadFile[];
}

/** One call for pictures; a request may take several. */
export interface PictureTask {
  readonly prompt: string;
  readonly count: number;
  readonly ratio: string | null;
  readonly resolution?: PictureResolution;
  readonly fineness?: PictureQuality;
  /** Earlier stages wanted of each picture. */
  readonly previews: number;
  readonly adult: boolean;
}

export type ClipTask = Omit<ClipRequest, "model" | "references" | "stream">;

/** A clip that an account made, found again by its id. */
export interface FoundClip {
  readonly withheld: boolean;
  readonly source: MediaSource;
  readonly thumbnail?: MediaSource;
  /** What the upstream charged for it. */
  readonly costTicks?: number;
}

/**
 * Pictures and clips. The streams obey the same grammar as a chat's and never throw. A picture comes as its previews and
 * then itself, in one go and only once the upstream has let it pass: what is withheld never appears in any form. A call in
 * which something was withheld ends with `content-filter`, or with `content_policy_violation` when nothing is left.
 */
export interface MediaProvider<M extends Model = Model> {
  /** How many pictures one call may be asked for. */
  picturesPerCall(model: M): number;
  images(task: PictureTask, call: MediaCall<M>): GenerationStream;
  edit(task: PictureTask, call: MediaCall<M>): GenerationStream;
  video(task: ClipTask, call: MediaCall<M>): GenerationStream;
  /** A clip in a higher resolution. Throws GatewayError. */
  upscale(clipId: string, call: ProviderCall): Promise<MediaSource>;
  /** Null while there is no such file. Throws GatewayError: there will be none. */
  findClip(clipId: string, call: ProviderCall): Promise<FoundClip | null>;
}

/** "locked": the site has a birth date already and keeps it. */
export type BirthDateOutcome = "set" | "locked";

/** What an operator may state for an account on the site. Nothing here is ever called by the program itself. Throws GatewayError. */
export interface AccountSettings {
  acceptTerms(call: ProviderCall): Promise<void>;
  /** `date` as YYYY-MM-DD, as the operator typed it. */
  setBirthDate(date: string, call: ProviderCall): Promise<BirthDateOutcome>;
  setAdultContent(on: boolean, call: ProviderCall): Promise<void>;
}

/** A file that the site keeps for an account. */
export interface RemoteAsset {
  readonly id: string;
  readonly name: string;
  readonly mime: string;
  readonly bytes: number;
  /** As the site writes it. */
  readonly createdAt: string | null;
  /** Path on the site's file host. */
  readonly key: string;
}

/** The files of an account on the site. Throws GatewayError. */
export interface RemoteAssets {
  /** All of them, newest use first. */
  list(call: ProviderCall): Promise<RemoteAsset[]>;
  /** False when it had gone already. */
  remove(assetId: string, call: ProviderCall): Promise<boolean>;
}

/** Voice sessions that a browser joins by itself. Throws GatewayError. */
export interface VoiceProvider {
  voiceSession(wish: VoiceWish, call: ProviderCall): Promise<VoiceSession>;
}

/** A conversation in speech that is going on; its frames are the upstream's own. */
export interface Conversation {
  /** The next frame, or null once the upstream has closed. */
  read(): Promise<Frame | null>;
  /** False when the upstream takes frames too slowly for this one. */
  send(frame: Frame): boolean;
  /** Closes at once, or after a moment when the upstream does not close as well. */
  close(end: SocketEnd): void;
  /** Resolves when the connection is gone, whoever ended it. */
  readonly ended: Promise<SocketEnd>;
  /** What the upstream has counted so far. */
  usage(): Usage | null;
}

/** Speech in both directions. */
export interface SpeechProvider {
  /** `audio` events and an end; never throws. */
  speak(task: SpeechTask, call: ProviderCall): GenerationStream;
  /** Throws GatewayError. */
  transcribe(task: TranscriptionTask, call: ProviderCall): Promise<{ transcript: Transcript; usage: Usage }>;
  /** The voices as the upstream lists them, or one of them. Throws GatewayError. */
  voices(id: string | null, call: ProviderCall): Promise<Readonly<Record<string, unknown>>>;
  /** Throws GatewayError while the connection does not stand. */
  converse(wish: RealtimeWish, call: ProviderCall): Promise<Conversation>;
}

// The LiveKit room: joined with a token, one microphone in, one voice out, what is said as text. In a file of its own because
// the client library is large. Knows no page. Invariant: whoever leaves stops the microphone and closes every connection.
import { DisconnectReason, LogLevel, Room, RoomEvent, setLogLevel, Track } from "livekit-client";

// What goes wrong is told in the page.
setLogLevel(LogLevel.silent);

export interface Line {
  readonly id: string;
  readonly who: "you" | "grok";
  readonly text: string;
  readonly isFinal: boolean;
}

export interface RoomStart {
  readonly url: string;
  readonly token: string;
  readonly microphone: MediaStreamTrack;
  /** The server has let us in; sound is not there yet. */
  readonly onJoined: () => void;
  readonly onLine: (line: Line) => void;
  readonly onSpeaking: (who: "you" | "grok" | null) => void;
  /** The browser wants a click before it plays. */
  readonly onSilenced: (silenced: boolean) => void;
  readonly onReconnecting: (is: boolean) => void;
  /** Ended by the other side, or broken off. */
  readonly onGone: (reason: string) => void;
}

export interface Joined {
  mute(muted: boolean): Promise<void>;
  /** Plays after a click where the browser demands one. */
  unsilence(): Promise<void>;
  leave(): Promise<void>;
}

const SOUND_TIMEOUT_MS = 15_000;

/** Rejects where the room cannot be joined; `leave` of `signal` breaks off the joining. */
export const joinRoom = async (start: RoomStart, signal: AbortSignal): Promise<Joined> => {
  const room = new Room({ stopLocalTrackOnUnpublish: true });
  const sounds = new Map<string, HTMLMediaElement>();
  let isLeft = false;
  const leave = async () => {
    isLeft = true;
    start.microphone.stop();
    for (const element of sounds.values()) element.remove();
    await room.disconnect();
  };
  signal.addEventListener("abort", () => void leave());
  const whoOf = (identity: string | undefined): Line["who"] =>
    identity === room.localParticipant.identity ? "you" : "grok";
  room
    .on(RoomEvent.SignalConnected, start.onJoined)
    .on(RoomEvent.TrackSubscribed, (track) => {
      if (track.kind !== Track.Kind.Audio || track.sid === undefined) return;
      const element = track.attach();
      element.hidden = true;
      document.body.append(element);
      sounds.set(track.sid, element);
    })
    .on(RoomEvent.TrackUnsubscribed, (track) => {
      for (const element of track.detach()) element.remove();
      if (track.sid !== undefined) sounds.delete(track.sid);
    })
    .on(RoomEvent.TranscriptionReceived, (segments, participant) => {
      for (const { id, text, final } of segments) {
        start.onLine({ id, text, isFinal: final, who: whoOf(participant?.identity) });
      }
    })
    .on(RoomEvent.ActiveSpeakersChanged, (speakers) => {
      const [loudest] = speakers;
      start.onSpeaking(loudest ? whoOf(loudest.identity) : null);
    })
    .on(RoomEvent.AudioPlaybackStatusChanged, () => start.onSilenced(!room.canPlaybackAudio))
    .on(RoomEvent.Reconnecting, () => start.onReconnecting(true))
    .on(RoomEvent.Reconnected, () => start.onReconnecting(false))
    .on(RoomEvent.Disconnected, (reason) => {
      if (!isLeft) start.onGone(reason === undefined ? "" : (DisconnectReason[reason] ?? ""));
    });
  // Newer servers write what is said as a stream of text.
  room.registerTextStreamHandler("lk.transcription", (reader, from) => {
    const read = async () => {
      const { id, attributes } = reader.info;
      const own = attributes?.["lk.segment_id"] ?? id;
      let text = "";
      for await (const piece of reader) {
        text += piece;
        start.onLine({ id: own, text, isFinal: false, who: whoOf(from.identity) });
      }
      start.onLine({ id: own, text, isFinal: true, who: whoOf(from.identity) });
    };
    void read();
  });
  try {
    await room.connect(start.url, start.token, { peerConnectionTimeout: SOUND_TIMEOUT_MS, maxRetries: 0 });
    const { track } = await room.localParticipant.publishTrack(start.microphone, { source: Track.Source.Microphone });
    return {
      leave,
      unsilence: () => room.startAudio(),
      mute: async (muted) => void (await (muted ? track?.mute() : track?.unmute())),
    };
  } catch (thrown) {
    await leave();
    throw thrown;
  }
};

// The microphone: asked for, measured, let go. Knows no room.
// Invariant: why it cannot be had is named so that the page can say what to do about it.

export type MicrophoneTrouble = "insecure" | "refused" | "none" | "busy";

export class MicrophoneError extends Error {
  readonly trouble: MicrophoneTrouble;
  constructor(trouble: MicrophoneTrouble) {
    super(trouble);
    this.trouble = trouble;
  }
}

/** Browsers give a microphone to pages of https and of this very machine only. */
export const canListen = (): boolean => isSecureContext && typeof navigator.mediaDevices?.getUserMedia === "function";

const TROUBLES: Readonly<Record<string, MicrophoneTrouble>> = {
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotFoundError: "none",
  OverconstrainedError: "none",
};

export const openMicrophone = async (): Promise<MediaStreamTrack> => {
  if (!canListen()) throw new MicrophoneError("insecure");
  const wish = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: wish });
    const [track] = stream.getAudioTracks();
    if (track) return track;
  } catch (thrown) {
    throw new MicrophoneError(TROUBLES[thrown instanceof DOMException ? thrown.name : ""] ?? "busy");
  }
  throw new MicrophoneError("none");
};

/** Tells the loudness from 0 to 1, as often as the screen is drawn, until the result is called. */
export const measure = (track: MediaStreamTrack, tell: (level: number) => void): (() => void) => {
  const audio = new AudioContext();
  const analyser = audio.createAnalyser();
  analyser.fftSize = 512;
  audio.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let frame = 0;
  const look = () => {
    analyser.getFloatTimeDomainData(samples);
    let sum = 0;
    for (const sample of samples) sum += sample * sample;
    // Loudness is heard in powers: a quiet voice is still a third of the bar.
    const decibels = 10 * Math.log10(sum / samples.length + 1e-9);
    tell(Math.min(1, Math.max(0, (decibels + 60) / 50)));
    frame = requestAnimationFrame(look);
  };
  look();
  return () => {
    cancelAnimationFrame(frame);
    tell(0);
    void audio.close();
  };
};

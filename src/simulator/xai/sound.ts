// Makes short sound files without an encoder: silence as MP3, a soft tone as WAV and raw samples.
// Knows no route. Invariant: the same seconds and codec give the same file.

export const CODECS = {
  mp3: "audio/mpeg",
  wav: "audio/wav",
  pcm: "audio/pcm",
  mulaw: "audio/basic",
  alaw: "audio/alaw",
};
export type Codec = keyof typeof CODECS;

export function isCodec(name: string): name is Codec {
  return name in CODECS;
}

export function soundOf(codec: Codec, wish: { seconds: number; sampleRate: number }): Uint8Array {
  const samples = Math.round(wish.seconds * wish.sampleRate);
  switch (codec) {
    case "mp3":
      return silentMp3(wish.seconds);
    case "wav":
      return wave(tone(samples, wish.sampleRate), wish.sampleRate);
    case "pcm":
      return new Uint8Array(tone(samples, wish.sampleRate).buffer);
    case "mulaw":
      return new Uint8Array(samples).fill(0xff);
    case "alaw":
      return new Uint8Array(samples).fill(0xd5);
  }
}

/** How long a WAV lasts; other files are taken to have 16 000 bytes a second. */
export function secondsOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isWave = bytes.length > 44 && Buffer.from(bytes.subarray(0, 4)).toString() === "RIFF";
  const perSecond = isWave ? view.getUint32(28, true) : 16_000;
  return perSecond === 0 ? 0 : Math.round(((bytes.length - (isWave ? 44 : 0)) / perSecond) * 100) / 100;
}

const FRAME_BYTES = 192;
const FRAME_SECONDS = 0.024;

/** MPEG 2 layer III, 64 kbit/s, 24 kHz, mono: a frame whose side information is zero is silence. */
function silentMp3(seconds: number): Uint8Array {
  const frames = Math.max(1, Math.ceil(seconds / FRAME_SECONDS));
  const file = new Uint8Array(frames * FRAME_BYTES);
  for (let frame = 0; frame < frames; frame++) file.set([0xff, 0xf3, 0x84, 0xc4], frame * FRAME_BYTES);
  return file;
}

function tone(samples: number, sampleRate: number): Int16Array<ArrayBuffer> {
  return Int16Array.from({ length: samples }, (_, index) =>
    Math.round(1_500 * Math.sin((index / sampleRate) * 2 * Math.PI * 440)),
  );
}

function wave(samples: Int16Array<ArrayBuffer>, sampleRate: number): Uint8Array {
  const file = Buffer.alloc(44 + samples.byteLength);
  file.write("RIFF", 0);
  file.writeUInt32LE(36 + samples.byteLength, 4);
  file.write("WAVEfmt ", 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(sampleRate, 24);
  file.writeUInt32LE(sampleRate * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write("data", 36);
  file.writeUInt32LE(samples.byteLength, 40);
  file.set(new Uint8Array(samples.buffer), 44);
  return new Uint8Array(file);
}

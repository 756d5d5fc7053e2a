// Makes a small MP4: one second per picture, H.264 with uncompressed macroblocks, so that no encoder is needed
// and players show it. Knows no route. Invariant: the same seed and length give the same file.

const WIDTH_BLOCKS = 4;
const HEIGHT_BLOCKS = 6;
const WIDTH = WIDTH_BLOCKS * 16;
const HEIGHT = HEIGHT_BLOCKS * 16;

export function stillVideo(wish: { seed: string; seconds: number }): Uint8Array {
  const seconds = Math.max(1, Math.min(60, Math.round(wish.seconds)));
  const hash = Number(Bun.hash.wyhash(wish.seed) & 0xffffffn);
  const frames = Array.from({ length: seconds }, (_, index) => withLength(pictureUnit(hash, index)));
  const fileType = box("ftyp", ascii("isom"), u32(0x200), ascii("isomiso2avc1mp41"));
  // The index precedes the data; its size does not depend on the offset, so it is built twice.
  const sizes = frames.map((frame) => frame.length);
  const draft = movieBox(sizes, 0);
  const movie = movieBox(sizes, fileType.length + draft.length + 8);
  return concat([fileType, movie, box("mdat", ...frames)]);
}

/** A free box at the end makes the file larger without changing the clip. */
export function padVideo(video: Uint8Array, megabytes: number): Uint8Array {
  const missing = megabytes * 1024 * 1024 - video.length;
  if (missing < 8) return video;
  const padded = new Uint8Array(video.length + missing);
  padded.set(video);
  padded.set(concat([u32(missing), ascii("free")]), video.length);
  return padded;
}

// --- H.264 ------------------------------------------------------------------------------------------------

/** Constrained baseline, level 3, picture order type 2. */
function sequenceUnit(): Uint8Array {
  const bits = createBits();
  bits.put(66, 8).put(0xc0, 8).put(30, 8);
  bits.ue(0).ue(0).ue(2).ue(0).put(0, 1);
  bits
    .ue(WIDTH_BLOCKS - 1)
    .ue(HEIGHT_BLOCKS - 1)
    .put(1, 1)
    .put(1, 1)
    .put(0, 1)
    .put(0, 1);
  return unit(0x67, bits.finish());
}

/** CAVLC, one slice group, deblocking control present. */
function pictureSetUnit(): Uint8Array {
  const bits = createBits();
  bits.ue(0).ue(0).put(0, 1).put(0, 1).ue(0).ue(0).ue(0).put(0, 1).put(0, 2).ue(0).ue(0).ue(0);
  bits.put(1, 1).put(0, 1).put(0, 1);
  return unit(0x68, bits.finish());
}

/** An IDR picture whose macroblocks are all I_PCM. */
function pictureUnit(hash: number, index: number): Uint8Array {
  const bits = createBits();
  // first_mb, slice type I, parameter set, frame_num, idr_pic_id, two reference flags, qp delta, no deblocking.
  bits
    .ue(0)
    .ue(7)
    .ue(0)
    .put(0, 4)
    .ue(index % 2)
    .put(0, 1)
    .put(0, 1)
    .ue(0)
    .ue(1);
  for (let block = 0; block < WIDTH_BLOCKS * HEIGHT_BLOCKS; block++) {
    bits.ue(25).align();
    const row = Math.floor(block / WIDTH_BLOCKS);
    for (let pixel = 0; pixel < 256; pixel++) bits.byte(luma(row * 16 + (pixel >> 4), index));
    for (let pixel = 0; pixel < 64; pixel++) bits.byte(80 + ((hash + index * 9) % 96));
    for (let pixel = 0; pixel < 64; pixel++) bits.byte(80 + (((hash >> 8) + index * 5) % 96));
  }
  return unit(0x65, bits.finish());
}

function luma(line: number, index: number): number {
  return 60 + (((line * 140) / HEIGHT + index * 10) % 160);
}

/** Adds the header byte and the bytes that keep start codes out of the payload. */
function unit(header: number, payload: Uint8Array): Uint8Array {
  const out = [header];
  let zeros = 0;
  for (const byte of payload) {
    if (zeros >= 2 && byte <= 3) {
      out.push(3);
      zeros = 0;
    }
    out.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return Uint8Array.from(out);
}

interface Bits {
  put(value: number, count: number): Bits;
  ue(value: number): Bits;
  align(): Bits;
  byte(value: number): Bits;
  finish(): Uint8Array;
}

function createBits(): Bits {
  const bytes: number[] = [];
  let current = 0;
  let filled = 0;
  const bits: Bits = {
    put(value, count) {
      for (let shift = count - 1; shift >= 0; shift--) {
        current = (current << 1) | ((value >> shift) & 1);
        if (++filled < 8) continue;
        bytes.push(current);
        current = 0;
        filled = 0;
      }
      return bits;
    },
    ue(value) {
      const width = 32 - Math.clz32(value + 1);
      return bits.put(0, width - 1).put(value + 1, width);
    },
    align() {
      while (filled !== 0) bits.put(0, 1);
      return bits;
    },
    byte(value) {
      bytes.push(value & 255);
      return bits;
    },
    finish() {
      bits.put(1, 1).align();
      return Uint8Array.from(bytes);
    },
  };
  return bits;
}

// --- MP4 --------------------------------------------------------------------------------------------------

function movieBox(sizes: number[], dataOffset: number): Uint8Array {
  const duration = sizes.length * 1000;
  const header = box(
    "mvhd",
    u32(0),
    u32(0),
    u32(0),
    u32(1000),
    u32(duration),
    u32(0x10000),
    u16(0x100),
    zeros(10),
    MATRIX,
    zeros(24),
    u32(2),
  );
  const track = box(
    "tkhd",
    u32(3),
    u32(0),
    u32(0),
    u32(1),
    u32(0),
    u32(duration),
    zeros(8),
    zeros(8),
    MATRIX,
    u32(WIDTH << 16),
    u32(HEIGHT << 16),
  );
  const media = box("mdhd", u32(0), u32(0), u32(0), u32(1000), u32(duration), u16(0x55c4), u16(0));
  const handler = box("hdlr", u32(0), u32(0), ascii("vide"), zeros(12), ascii("video"), zeros(1));
  const reference = box("dinf", box("dref", u32(0), u32(1), box("url ", u32(1))));
  const information = box("minf", box("vmhd", u32(1), zeros(8)), reference, sampleTable(sizes, dataOffset));
  return box("moov", header, box("trak", track, box("mdia", media, handler, information)));
}

function sampleTable(sizes: number[], dataOffset: number): Uint8Array {
  const sequence = sequenceUnit();
  const pictureSet = pictureSetUnit();
  const config = box(
    "avcC",
    Uint8Array.from([1, 66, 0xc0, 30, 0xff, 0xe1]),
    u16(sequence.length),
    sequence,
    Uint8Array.from([1]),
    u16(pictureSet.length),
    pictureSet,
  );
  const entry = box(
    "avc1",
    zeros(6),
    u16(1),
    zeros(16),
    u16(WIDTH),
    u16(HEIGHT),
    u32(0x480000),
    u32(0x480000),
    zeros(4),
    u16(1),
    zeros(32),
    u16(24),
    u16(0xffff),
    config,
  );
  return box(
    "stbl",
    box("stsd", u32(0), u32(1), entry),
    box("stts", u32(0), u32(1), u32(sizes.length), u32(1000)),
    box("stsc", u32(0), u32(1), u32(1), u32(sizes.length), u32(1)),
    box("stsz", u32(0), u32(0), u32(sizes.length), ...sizes.map(u32)),
    box("stco", u32(0), u32(1), u32(dataOffset)),
  );
}

const MATRIX = concat([0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000].map(u32));

function box(type: string, ...parts: Uint8Array[]): Uint8Array {
  const payload = concat(parts);
  return concat([u32(payload.length + 8), ascii(type), payload]);
}

function withLength(data: Uint8Array): Uint8Array {
  return concat([u32(data.length), data]);
}

function u32(value: number): Uint8Array {
  return Uint8Array.from([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]);
}

function u16(value: number): Uint8Array {
  return Uint8Array.from([(value >> 8) & 255, value & 255]);
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function zeros(count: number): Uint8Array {
  return new Uint8Array(count);
}

function concat(parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

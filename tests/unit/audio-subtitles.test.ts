// Transcripts as subtitles: where they are cut, and that no word and no sign is lost.
import { expect, test } from "bun:test";
import type { HeardWord, Transcript } from "../../src/core/speech.ts";
import { piecesOf, srtOf, vttOf } from "../../src/protocols/openai/audio-subtitles.ts";

/** Half a second a word, one after the other; a number is a pause in seconds. */
const heard = (text: string, words: readonly (string | number)[], speakers: readonly number[] = []): Transcript => {
  let at = 0;
  const list = words.flatMap((word): Omit<HeardWord, "speaker">[] => {
    if (typeof word === "number") {
      at += word;
      return [];
    }
    const start = at;
    at += 0.5;
    return [{ text: word, start, end: at }];
  });
  const spoken = list.map((word, index) => ({
    ...word,
    ...(speakers[index] === undefined ? {} : { speaker: speakers[index] }),
  }));
  return { text, language: "en", seconds: at, words: spoken, raw: {} };
};

test("sentences, pauses and speakers end a piece; signs stay with their word", () => {
  const text = "Good morning, Ada. How are you? Fine.";
  const transcript = heard(text, ["Good", "morning", "Ada.", "How", 2, "are", "you", "Fine"], [0, 0, 0, 0, 0, 0, 1]);
  expect(piecesOf(transcript)).toEqual([
    { start: 0, end: 1.5, text: "Good morning, Ada." },
    { start: 1.5, end: 2, text: "How" },
    { start: 4, end: 5, text: "are you?" },
    { start: 5, end: 5.5, text: "Fine." },
  ]);
});

test("a piece is no longer than can be read, and all of them are the text", () => {
  const words = Array.from({ length: 200 }, (_, index) => `word${index}`);
  const transcript = heard(words.join(" "), words);
  const pieces = piecesOf(transcript);
  expect(Math.max(...pieces.map(({ text }) => text.length))).toBeLessThanOrEqual(84);
  expect(Math.max(...pieces.map(({ start, end }) => end - start))).toBeLessThanOrEqual(7);
  expect(pieces.map(({ text }) => text).join(" ")).toBe(transcript.text);
});

test("writing without spaces stays so; words that are not in the text are joined", () => {
  expect(piecesOf(heard("你好世界。再见。", ["你好", "世界。", "再见"])).map(({ text }) => text)).toEqual([
    "你好世界。",
    "再见。",
  ]);
  expect(piecesOf(heard("something else", ["not", "this"])).map(({ text }) => text)).toEqual(["not this"]);
});

test("times are written as players read them", () => {
  const late: Transcript = {
    ...heard("late word", []),
    words: [{ text: "late", start: 3661.0004, end: 3661.9996 }],
  };
  expect(srtOf(late)).toBe("1\n01:01:01,000 --> 01:01:02,000\nlate word\n");
  expect(vttOf(late)).toBe("WEBVTT\n\n01:01:01.000 --> 01:01:02.000\nlate word\n");
});

test("without words the whole is one piece, and silence none", () => {
  const whole = { text: " All of it. ", language: null, seconds: 3, words: [], raw: {} };
  expect(piecesOf(whole)).toEqual([{ start: 0, end: 3, text: "All of it." }]);
  expect(srtOf({ ...whole, text: "" })).toBe("");
});

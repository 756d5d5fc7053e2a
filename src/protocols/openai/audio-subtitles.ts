// A transcript cut into pieces that can be read while they are heard, and written as subtitles. Pure.
// Invariant: every word is in exactly one piece, in order.
import type { HeardWord, Transcript } from "../../core/speech.ts";

export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Two lines of a subtitle, and as long as one is shown. */
const MOST_CHARACTERS = 84;
const MOST_SECONDS = 7;
/** A pause that ends a piece. */
const PAUSE_SECONDS = 1;
const SENTENCE_END = /[.!?…。！？]["'”’)\]]*$/;

/** Where each word stands in the whole text; null when the two do not fit together. */
const placesOf = ({ text, words }: Transcript): readonly { from: number; to: number }[] | null => {
  let cursor = 0;
  const places: { from: number; to: number }[] = [];
  for (const word of words) {
    const from = text.indexOf(word.text, cursor);
    if (from < 0) return null;
    cursor = from + word.text.length;
    places.push({ from, to: cursor });
  }
  return places;
};

const endsBefore = (word: HeardWord, piece: readonly HeardWord[]): boolean => {
  const [first] = piece;
  const last = piece.at(-1);
  if (!first || !last) return false;
  const characters = piece.reduce((sum, { text }) => sum + text.length + 1, 0);
  return (
    SENTENCE_END.test(last.text) ||
    word.start - last.end >= PAUSE_SECONDS ||
    word.end - first.start > MOST_SECONDS ||
    characters + word.text.length > MOST_CHARACTERS ||
    word.speaker !== last.speaker
  );
};

export const piecesOf = (transcript: Transcript): readonly Piece[] => {
  const { text, words, seconds } = transcript;
  if (words.length === 0) return text.trim() === "" ? [] : [{ start: 0, end: seconds ?? 0, text: text.trim() }];
  const groups: { first: number; words: HeardWord[] }[] = [];
  for (const [index, word] of words.entries()) {
    const current = groups.at(-1);
    if (!current || endsBefore(word, current.words)) groups.push({ first: index, words: [word] });
    else current.words.push(word);
  }
  const places = placesOf(transcript);
  return groups.map(({ first, words: own }, index) => {
    const next = groups[index + 1];
    // Punctuation between two words belongs to the first.
    const to = next ? places?.[next.first]?.from : text.length;
    const said = places ? text.slice(places[first]?.from, to) : own.map((word) => word.text).join(" ");
    return { start: own[0]?.start ?? 0, end: own.at(-1)?.end ?? 0, text: said.trim() };
  });
};

const two = (value: number): string => String(value).padStart(2, "0");

/** `00:01:02,345` */
const timeOf = (seconds: number, point: "," | "."): string => {
  const ms = Math.max(0, Math.round(seconds * 1000));
  const whole = Math.floor(ms / 1000);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  return `${two(hours)}:${two(minutes)}:${two(whole % 60)}${point}${String(ms % 1000).padStart(3, "0")}`;
};

export const srtOf = (transcript: Transcript): string =>
  piecesOf(transcript)
    .map(({ start, end, text }, index) => `${index + 1}\n${timeOf(start, ",")} --> ${timeOf(end, ",")}\n${text}\n`)
    .join("\n");

export const vttOf = (transcript: Transcript): string =>
  `WEBVTT\n\n${piecesOf(transcript)
    .map(({ start, end, text }) => `${timeOf(start, ".")} --> ${timeOf(end, ".")}\n${text}\n`)
    .join("\n")}`;

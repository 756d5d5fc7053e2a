import { describe, expect, test } from "bun:test";
import { sniffBytes, sniffMedia, uploadType } from "../../src/media/sniff.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));
const iso = (...brands: string[]): Uint8Array => {
  const [main = "", ...others] = brands;
  return bytes(`\0\0\0${String.fromCharCode(16 + others.length * 4)}ftyp${main}\0\0\0\0${others.join("")}moov`);
};

describe("what may be served", () => {
  test.each([
    ["image/png", bytes("\x89PNG\r\n\x1a\n…")],
    ["image/jpeg", bytes("\xff\xd8\xff\xe0")],
    ["image/gif", bytes("GIF89a")],
    ["image/gif", bytes("GIF87a")],
    ["image/webp", bytes("RIFF\0\0\0\0WEBPVP8 ")],
    ["video/mp4", iso("isom")],
    ["video/mp4", iso("mp42", "isom")],
    ["video/mp4", iso("XXXX", "iso6", "mp41")],
  ])("%s", (type, content) => {
    expect(sniffMedia(content)).toBe(type as ReturnType<typeof sniffMedia>);
    expect(sniffBytes(content)).toBe(type);
    expect(sniffMedia(content.subarray(0, 3))).toBe(type === "image/jpeg" ? "image/jpeg" : null);
  });

  test.each([
    ["nothing", new Uint8Array()],
    ["html", bytes("<!doctype html><script>")],
    ["svg", bytes('<svg xmlns="http://www.w3.org/2000/svg">')],
    ["html with a picture's name inside", bytes("x\x89PNG\r\n\x1a\n")],
    ["WAVE", bytes("RIFF\0\0\0\0WAVE")],
    ["HEIC", iso("heic", "mif1", "isom")],
    ["AVIF", iso("avif", "mif1", "isom")],
    ["QuickTime", iso("qt  ", "isom")],
    ["M4A", iso("M4A ", "isom")],
    ["an unknown brand", iso("XXXX")],
    ["PDF", bytes("%PDF-1.7")],
  ])("not %s", (_name, content) => {
    expect(sniffMedia(content)).toBeNull();
  });

  test("reads at the right place inside a larger buffer", () => {
    const around = bytes("junk\0\0\0\x14ftypXXXX\0\0\0\0isomjunk");
    expect(sniffMedia(around.subarray(4))).toBe("video/mp4");
  });
});

test.each([
  ["application/pdf", bytes("%PDF-1.7")],
  ["audio/wav", bytes("RIFF\0\0\0\0WAVEfmt ")],
  ["audio/flac", bytes("fLaC")],
  ["audio/ogg", bytes("OggS")],
  ["audio/mp4", iso("M4A ", "isom")],
  ["audio/mpeg", bytes("ID3\x04")],
  ["audio/mpeg", bytes("\xff\xfb\x90")],
  [null, bytes("\xff\xf1\x50")],
  [null, bytes("plain")],
])("proven by bytes: %s", (type, content) => {
  expect(sniffBytes(content)).toBe(type);
});

test.each([
  ["image/png", "\x89PNG\r\n\x1a\n", "text/html"],
  ["text/csv", "a,b", "text/csv; charset=utf-8"],
  ["application/zip", "PK\x03\x04", "Application/Zip"],
  ["text/plain", "hello", null],
  ["text/plain", "hello", "application/octet-stream"],
  ["text/plain", "hello", "not a type"],
  ["application/octet-stream", "a\0b", null],
  ["application/octet-stream", "\xff\xf1\x50", null],
  ["application/octet-stream", "", null],
])("upload type %s", (type, content, declared) => {
  expect(uploadType(bytes(content), declared)).toBe(type);
});

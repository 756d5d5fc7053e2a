import { describe, expect, test } from "bun:test";
import {
  checkFileName,
  dataLink,
  isFileName,
  mediaLink,
  publicBase,
  type RequestFacts,
} from "../../src/media/links.ts";

const PROXIES = ["127.0.0.0/8", "::1", "10.0.0.0/8"];
const plain: RequestFacts = {
  host: "192.168.1.5:8000",
  proto: "http",
  remoteAddress: "8.8.8.8",
  forwardedHost: null,
  forwardedProto: null,
  forwardedPrefix: null,
};
const forwarded: Partial<RequestFacts> = {
  remoteAddress: "10.0.0.2",
  forwardedHost: "grok.example.com",
  forwardedProto: "https",
};
const base = (facts: Partial<RequestFacts>, appUrl = "") =>
  publicBase({ appUrl, request: { ...plain, ...facts }, trustedProxies: PROXIES });

describe("public base", () => {
  const cases: [name: string, facts: Partial<RequestFacts>, expected: string][] = [
    ["the Host header", {}, "http://192.168.1.5:8000"],
    ["what a trusted proxy says", forwarded, "https://grok.example.com"],
    ["a mapped proxy address", { ...forwarded, remoteAddress: "::ffff:127.0.0.1" }, "https://grok.example.com"],
    ["nothing a stranger says", { ...forwarded, remoteAddress: "8.8.8.8" }, "http://192.168.1.5:8000"],
    ["nothing without a connection", { ...forwarded, remoteAddress: null }, "http://192.168.1.5:8000"],
    ["the client's side of a list", { ...forwarded, forwardedHost: "a.example, b.example" }, "https://a.example"],
    [
      "a port and a prefix",
      { ...forwarded, forwardedHost: "a.example:8443", forwardedPrefix: "/grok/" },
      "https://a.example:8443/grok",
    ],
    ["the scheme alone", { ...forwarded, forwardedHost: null }, "https://192.168.1.5:8000"],
    ["no injected host", { ...forwarded, forwardedHost: "evil.example/x?" }, "https://192.168.1.5:8000"],
    ["no other scheme", { ...forwarded, forwardedProto: "javascript" }, "http://grok.example.com"],
    ["no odd prefix", { ...forwarded, forwardedPrefix: '/a"><b' }, "https://grok.example.com"],
    ["an IPv6 host", { host: "[::1]:8000" }, "http://[::1]:8000"],
  ];
  test.each(cases)("%s", (_name, facts, expected) => {
    expect(base(facts)).toBe(expected);
  });

  test("the operator's setting wins over everything", () => {
    expect(base(forwarded, " https://gw.example/sub// ")).toBe("https://gw.example/sub");
  });

  test("a malformed Host header is refused", () => {
    expect(() => base({ host: "a b" })).toThrow("Host header");
  });
});

test("links", () => {
  expect(mediaLink("https://gw.example/sub/", { kind: "image", name: "a-b.jpg" })).toBe(
    "https://gw.example/sub/v1/files/image/a-b.jpg",
  );
  expect(mediaLink("http://h", { kind: "video", name: "c.mp4" })).toBe("http://h/v1/files/video/c.mp4");
  expect(dataLink("image/png", new Uint8Array([1, 2, 3]))).toBe("data:image/png;base64,AQID");
});

describe("file names", () => {
  test.each(["a", "a.jpg", "users-1-generated-2-image.jpg", "A_b-c.D", "-x", `${"a".repeat(196)}.jpg`, "a..jpg"])(
    "%s is allowed",
    (name) => {
      expect(isFileName(name)).toBe(true);
      expect(() => checkFileName(name)).not.toThrow();
    },
  );
  test.each([
    "",
    ".",
    "..",
    ".part-1",
    "../a",
    "a/b",
    "a\\b",
    "/etc/passwd",
    "a\0.jpg",
    "a%2fb",
    "a b",
    "é.jpg",
    "a\n",
    "a:b",
    "a".repeat(201),
  ])("%j is refused", (name) => {
    expect(isFileName(name)).toBe(false);
    expect(() => checkFileName(name)).toThrow("file name");
  });
});

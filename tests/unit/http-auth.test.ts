import { describe, expect, test } from "bun:test";
import { configSchema } from "../../src/config/schema.ts";
import { credentialOf, queryCredentialOf } from "../../src/http/auth.ts";
import { baseUrl, clientAddress } from "../../src/http/client-address.ts";

describe("the credential of a request", () => {
  test.each([
    [{ authorization: "Bearer abc" }, "abc"],
    [{ authorization: "bEARER   abc  " }, "abc"],
    [{ authorization: "Bearer" }, null],
    [{ authorization: "abc" }, null],
    [{ "x-api-key": " abc " }, "abc"],
    [{ "x-api-key": "" }, null],
    [{ authorization: "Basic x", "x-api-key": "abc" }, "abc"],
    [{ authorization: "Bearer one", "x-api-key": "two" }, "one"],
    [{}, null],
  ] as readonly [Record<string, string>, string | null][])("of %j is %p", (headers, expected) => {
    expect(credentialOf(new Request("http://localhost/", { headers }))).toBe(expected);
  });

  test.each([
    ["?api_key=abc", "abc"],
    ["?app_key=Bearer%20abc", "abc"],
    ["?access_token=abc", "abc"],
    ["?token=abc", "abc"],
    ["?api_key=&token=abc", "abc"],
    ["?key=abc", null],
    ["", null],
  ])("in the query %s is %p, for routes that cannot have headers", (query, expected) => {
    expect(queryCredentialOf(new URL(`http://localhost/${query}`))).toBe(expected);
  });
});

const arrival = (about: { peer: string; headers?: Record<string, string>; app_url?: string }) => {
  const { peer, headers = {}, app_url = "" } = about;
  const request = new Request("http://10.0.0.1:8000/v1/x", { headers: { host: "10.0.0.1:8000", ...headers } });
  const server = { timeout: () => {}, requestIP: () => (peer === "" ? null : { address: peer }) };
  return { request, server, config: configSchema.parse({ app: { app_url } }), url: new URL(request.url) };
};

describe("the caller's address", () => {
  test.each([
    ["203.0.113.9", undefined, "203.0.113.9"],
    ["203.0.113.9", "198.51.100.1", "203.0.113.9"],
    ["127.0.0.1", "198.51.100.1", "198.51.100.1"],
    ["127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"],
    ["::1", "198.51.100.1, 10.0.0.7", "198.51.100.1"],
    ["::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"],
    ["127.0.0.1", "[2001:db8::5]:4711", "2001:db8::5"],
    ["127.0.0.1", "203.0.113.9:55123", "203.0.113.9"],
    ["127.0.0.1", "nonsense, <script>", "127.0.0.1"],
    ["127.0.0.1", undefined, "127.0.0.1"],
    ["", "198.51.100.1", "unknown"],
  ])("from %s with %p is %s", (peer, forwarded, expected) => {
    const headers: Record<string, string> = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
    expect(clientAddress(arrival({ peer, headers }))).toBe(expected);
  });
});

describe("the base of links", () => {
  const forwarded = { "x-forwarded-host": "chat.example.com", "x-forwarded-proto": "https" };
  test.each([
    [
      "the operator's",
      { peer: "127.0.0.1", headers: forwarded, app_url: "https://own.example.com/" },
      "https://own.example.com",
    ],
    ["a trusted proxy's", { peer: "127.0.0.1", headers: forwarded }, "https://chat.example.com"],
    ["the request's, for a stranger", { peer: "203.0.113.9", headers: forwarded }, "http://10.0.0.1:8000"],
  ])("is %s", (_name, about, expected) => {
    expect(baseUrl(arrival(about))).toBe(expected);
  });
});

// The path of a proxy that leaves it on is taken away, and nothing else is.
import { expect, test } from "bun:test";
import { withoutPrefix } from "../../src/http/below.ts";

test.each([
  ["/kept/v1/models", "https://host/kept", "/v1/models"],
  ["/kept/v1/models", "https://host/kept/", "/v1/models"],
  ["/kept", "https://host/kept", "/"],
  ["/keptsake/x", "https://host/kept", "/keptsake/x"],
  ["/v1/models", "https://host/kept", "/v1/models"],
  ["/a/b/admin", "https://host/a/b", "/admin"],
  ["/kept/admin", "https://host", "/kept/admin"],
  ["/kept/admin", "", "/kept/admin"],
])("%s with %s is %s", (path, appUrl, expected) => {
  expect(withoutPrefix(path, appUrl)).toBe(expected);
});

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
  // An address that somebody has copied from a client or from the browser must not lock anybody out.
  ["/v1/chat/completions", "https://host/v1", "/v1/chat/completions"],
  ["/v1/admin/config", "https://host/v1/", "/v1/admin/config"],
  ["/admin/login", "https://host/admin", "/admin/login"],
  ["/admin/config", "https://host/admin/config", "/admin/config"],
  ["/chat", "https://host/chat", "/chat"],
  ["/v1beta/v1/models", "https://host/v1beta", "/v1/models"],
])("%s with %s is %s", (path, appUrl, expected) => {
  expect(withoutPrefix(path, appUrl)).toBe(expected);
});

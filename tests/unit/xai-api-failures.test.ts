// What the official API's errors become: every known body of both eras, its code, whom it blames, how long to wait; and that
// neither a key nor a team's id leaves with them. Bodies observed 2026-02…2026-10, ids invented.
import { describe, expect, test } from "bun:test";
import { classifyAnswer, classifyInBand, isErrorBody, refusesSealed } from "../../src/providers/xai-api/failures.ts";

const TEAM = "0b1c2d3e-aaaa-4bbb-8ccc-ddddeeeeffff";
const NOW = Date.UTC(2026, 10, 1);

const answer = (status: number, body: unknown, retryAfter: string | null = null) =>
  classifyAnswer({ status, body: typeof body === "string" ? body : JSON.stringify(body), retryAfter, now: NOW });

const flat = (code: string, error: string) => ({ code, error });
const nested = (message: string, rest: object = {}) => ({ error: { message, ...rest } });

const CREDITS = `Your team ${TEAM} has either used all available credits or reached its monthly spending limit. To continue making API requests, please purchase more credits or raise your spending limit.`;
const SAFETY = "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_CYBER";
const CAPACITY =
  "Service temporarily unavailable. The model is at capacity and currently cannot serve this request. Please try again later.";
const PER_SECOND = `Too many requests for team ${TEAM} and model grok-4.3. Your team's rate limit is — Requests per Second (actual/limit): 2/2.`;
const PER_MINUTE = `Too many requests for team ${TEAM} and model grok-4.3. Requests per Minute (actual/limit): 101/60.`;
const MISSING = `The model grok-99 does not exist or your team ${TEAM} does not have access to it. Please ensure you're using the correct API key.`;
const OLD_DENIED = "The caller does not have permission to execute the specified operation";
const OLD_INVALID = "Client specified an invalid argument";
const OLD_EXHAUSTED = "Some resource has been exhausted";

const ROWS = [
  // The key
  [
    400,
    flat("invalid-argument", "Incorrect API key provided. You can obtain an API key from https://console.x.ai."),
    "account_key_invalid",
    "dead",
  ],
  [
    400,
    flat(OLD_INVALID, "Incorrect API key provided: xa***9Z. You can obtain an API key from https://console.x.ai."),
    "account_key_invalid",
    "dead",
  ],
  [401, flat("unauthenticated:bad-credentials", "Bad credentials"), "account_key_invalid", "dead"],
  // A key was sent, so that one which is not accepted for an unknown reason is the key's matter.
  [401, { error: "Unauthorized" }, "account_auth", "suspect"],
  [401, "", "account_auth", "suspect"],
  [403, flat("unauthorized:blocked-user", "User is blocked"), "account_blocked", "dead"],
  [403, flat("permission-denied", `Your team ${TEAM} is blocked.`), "account_blocked", "dead"],
  [403, flat("permission-denied", "API key xai-...b14o is disabled."), "account_blocked", "dead"],
  // Rights
  [
    403,
    flat("permission-denied", "API key xai-...b14o does not have permission to call this endpoint."),
    "account_model_denied",
    "model-denied",
  ],
  [403, flat(OLD_DENIED, "Your API key may not access the model grok-4.6."), "account_model_denied", "model-denied"],
  [404, flat("not-found", MISSING), "account_model_denied", "model-denied"],
  [404, flat("Some requested entity was not found", MISSING), "account_model_denied", "model-denied"],
  [400, flat("invalid-argument", "Model not found: grok-99"), "account_model_denied", "model-denied"],
  // Money
  [403, flat("permission-denied", CREDITS), "account_no_credits", "no-credits"],
  [403, flat(OLD_DENIED, CREDITS), "account_no_credits", "no-credits"],
  [429, flat(OLD_EXHAUSTED, CREDITS), "account_no_credits", "no-credits"],
  [429, flat("subscription:free-usage-exhausted", "Free usage exhausted"), "account_no_credits", "no-credits"],
  // Content
  [403, flat("permission-denied", SAFETY), "content_policy_violation", "none"],
  [403, flat(OLD_DENIED, SAFETY), "content_policy_violation", "none"],
  [403, nested(SAFETY, { type: "permission_error" }), "content_policy_violation", "none"],
  // Limits
  [429, flat("resource-exhausted", PER_SECOND), "upstream_rate_limited", "rate-limited"],
  [429, flat(OLD_EXHAUSTED, PER_MINUTE), "upstream_rate_limited", "rate-limited"],
  [429, nested(PER_MINUTE), "upstream_rate_limited", "rate-limited"],
  // The upstream itself
  [503, flat("The service is currently unavailable", CAPACITY), "upstream_unavailable", "none"],
  [200, flat("The service is currently unavailable", CAPACITY), "upstream_unavailable", "none"],
  [
    200,
    flat("The service is currently unavailable", "Timed out waiting for first token"),
    "upstream_unavailable",
    "none",
  ],
  [500, flat("internal", "Internal error"), "upstream_unavailable", "none"],
  [502, "<html><head><title>502 Bad Gateway</title></head></html>", "upstream_unavailable", "none"],
  [504, "", "upstream_timeout", "none"],
  [403, "<!DOCTYPE html><title>Just a moment...</title>", "egress_blocked", "none"],
  // The caller
  [
    400,
    flat("invalid-argument", "This model does not support `reasoning_effort` value `none`."),
    "upstream_rejected",
    "none",
  ],
  [
    400,
    flat(OLD_INVALID, "Invalid request content: Each message must have at least one content element."),
    "upstream_rejected",
    "none",
  ],
  [
    422,
    {
      error:
        "Failed to deserialize the JSON body into the target type: data did not match any variant of untagged enum ModelInput",
    },
    "upstream_rejected",
    "none",
  ],
  [400, nested("Unsupported image format.", { code: "invalid_argument" }), "upstream_rejected", "none"],
  [404, flat("not-found", "Response with id=abc not found."), "upstream_rejected", "none"],
  [
    400,
    flat("invalid-argument", "This model's maximum prompt length is 500000 but the request contains 600001 tokens."),
    "context_too_long",
    "none",
  ],
  // Words of the caller's that a refusal repeats accuse nobody
  [422, { error: "unknown variant `incorrect api key`, expected one of `auto`, `low`" }, "upstream_rejected", "none"],
  [400, flat("invalid-argument", "Tool choice 'Incorrect API key provided' not found."), "upstream_rejected", "none"],
  [
    400,
    flat("invalid-argument", "Could not fetch https://x.test/my user is disabled.png"),
    "upstream_rejected",
    "none",
  ],
  [400, flat("invalid-argument", `Unknown tool '${CREDITS}'.`), "upstream_rejected", "none"],
  [400, flat("invalid-argument", "Unknown tool 'too many requests'."), "upstream_rejected", "none"],
  [422, { error: "unknown variant `model x does not exist`, expected one of `a`" }, "upstream_rejected", "none"],
  [400, flat("invalid-argument", "Could not fetch https://x.test/overloaded.png"), "upstream_rejected", "none"],
  [413, "", "request_too_large", "none"],
  // Ours
  [
    401,
    flat("unauthenticated:no-credentials", "No credentials were provided. [WKE=unauthenticated:no-credentials]"),
    "internal_error",
    "none",
  ],
  [
    401,
    flat(
      "The request does not have valid authentication credentials for the operation",
      "No credentials. [WKE=unauthenticated:no-credentials]",
    ),
    "internal_error",
    "none",
  ],
  [405, { error: "Method not allowed." }, "internal_error", "none"],
  [410, { error: "Live search is deprecated. Please switch to the Agent Tools API" }, "internal_error", "none"],
  [415, { error: "Expected request with `Content-Type: application/json`" }, "internal_error", "none"],
  // Nobody knows
  [403, { reason: "policy", message: "Request denied by policy." }, "account_refused", "error"],
  [418, "{}", "upstream_error", "none"],
] as const;

describe("every known body", () => {
  test.each(ROWS)("%i %o → %s", (status, body, code, signal) => {
    const error = answer(status, body);
    expect({ code: error.code, signal: error.row.signal }).toEqual({ code, signal });
    expect(error.detail.upstream?.status).toBe(status);
    const told = JSON.stringify([error.message, error.detail]);
    expect(told).not.toContain(TEAM);
    expect(told).not.toMatch(/xa\*\*\*|xai-\.\.\./);
  });

  test("of the account says to callers nothing that the upstream said", () => {
    for (const [status, body, code] of ROWS) {
      const error = answer(status, body);
      if (error.row.blame === "account" && code !== "account_refused") {
        expect(error.message, code).not.toMatch(/console\.x\.ai|purchase|grok-4|Too many/);
      }
    }
  });

  test("of the caller is told in the upstream's own words", () => {
    const error = answer(400, flat("invalid-argument", "This model does not support `reasoning_effort` value `none`."));
    expect(error.message).toBe(
      "The upstream rejected the request (400): This model does not support `reasoning_effort` value `none`.",
    );
  });
});

describe("how long to wait", () => {
  test.each([
    [PER_SECOND, null, 2000],
    [PER_MINUTE, null, 60_000],
    [`${PER_MINUTE} Resets in: 3m 4s`, null, 184_000],
    [`${PER_MINUTE} Resets in: 1h 2m 3.5s`, null, 3_723_500],
    [`${PER_MINUTE} Resets in: 250ms`, "9", 250],
    [PER_SECOND, "7", 7000],
    [PER_SECOND, new Date(NOW + 30_000).toUTCString(), 30_000],
    ["Too many requests", null, undefined],
    ["Too many requests", "0", 0],
  ])("%s, Retry-After %s → %p ms", (text, header, ms) => {
    expect(answer(429, flat("resource-exhausted", text), header).detail.retryAfterMs).toBe(ms);
  });
});

describe("the field at fault", () => {
  test.each([
    ["This model does not support `reasoning_effort` value `none`.", "reasoning_effort"],
    ["Model grok-4.6 does not support parameter presencePenalty.", "presence_penalty"],
    ["Model grok-4.6 does not support parameter stop.", "stop"],
    ["Argument not supported: instructions cannot be used with previous_response_id.", "instructions"],
    ["Invalid value for `max_output_tokens`: must be at least 1.", "max_output_tokens"],
    ["Failed to deserialize the JSON body into the target type: missing field `input`", "input"],
    ["tool_choice: unknown variant `x`", "tool_choice"],
    ["Unsupported image format. Use jpg, png or webp.", null],
    ["Invalid request content: Each message must have at least one content element.", null],
  ])("%s → %p", (text, param) => {
    expect(answer(400, flat("invalid-argument", text)).param).toBe(param);
  });

  test("is what the body names, and never set for what is not the caller's", () => {
    expect(answer(400, nested("Bad", { param: "tools.0" })).param).toBe("tools.0");
    expect(answer(429, nested("Too many requests", { param: "model" })).param).toBeNull();
  });
});

describe("inside a stream", () => {
  test("the same words mean the same", () => {
    expect(classifyInBand({ type: "error", code: "unavailable", message: CAPACITY }).code).toBe("upstream_unavailable");
    expect(classifyInBand({ code: "permission-denied", message: SAFETY }).code).toBe("content_policy_violation");
    expect(classifyInBand({ code: "resource-exhausted", message: PER_SECOND }).detail.retryAfterMs).toBe(2000);
    expect(classifyInBand({ code: "invalid-argument", message: "no" }).code).toBe("upstream_rejected");
    expect(classifyInBand({}).code).toBe("upstream_error");
  });
});

test("sealed reasoning that cannot be read is known by its words", () => {
  const words = [
    "Could not decrypt the provided encrypted_content. Ensure the value is unmodified.",
    "Could not decode the compaction blob. Ensure the value is unmodified.",
  ];
  for (const text of words) expect(refusesSealed(answer(400, flat("invalid-argument", text))), text).toBe(true);
  expect(refusesSealed(answer(400, flat("invalid-argument", "Could not read the image.")))).toBe(false);
});

test("an answer that carries an empty error is no error body", () => {
  expect(isErrorBody({ object: "response", status: "completed", error: null })).toBe(false);
  expect(isErrorBody({ status: "failed", error: { message: "x" } })).toBe(false);
  expect(isErrorBody({ data: [] })).toBe(false);
  expect(isErrorBody(flat("x", "y"))).toBe(true);
  expect(isErrorBody(nested("y"))).toBe(true);
});

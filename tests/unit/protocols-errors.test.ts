import { describe, expect, test } from "bun:test";
import { ERROR_TABLE, type ErrorCode, GatewayError } from "../../src/core/errors.ts";
import { anthropicErrorFrame, openAiErrorFrame, toAnthropicError, toOpenAiError } from "../../src/protocols/errors.ts";

const CODES = Object.keys(ERROR_TABLE) as ErrorCode[];

describe("OpenAI envelope", () => {
  test.each(CODES)("%s has the table's status and all four keys", (code) => {
    const { status, body } = toOpenAiError(new GatewayError(code, "what happened", { param: "messages.0" }));
    expect(status).toBe(ERROR_TABLE[code].status);
    expect(body).toEqual({
      error: {
        message: code === "internal_error" ? "The gateway hit an internal error." : "what happened",
        type: ERROR_TABLE[code].type,
        param: "messages.0",
        code,
      },
    });
  });

  test("param is null when no field is at fault", () => {
    expect(JSON.stringify(toOpenAiError(new GatewayError("upstream_error", "x")).body)).toBe(
      '{"error":{"message":"x","type":"server_error","param":null,"code":"upstream_error"}}',
    );
  });

  test("an internal fault shows neither its message nor its cause", () => {
    const error = new GatewayError("internal_error", "secret path /x", { cause: new Error("secret cause") });
    const texts = [
      JSON.stringify(toOpenAiError(error)),
      JSON.stringify(toAnthropicError(error, "req_1")),
      openAiErrorFrame(error),
      anthropicErrorFrame(error),
    ];
    for (const text of texts) expect(text).not.toContain("secret");
  });

  test("a blank message falls back to the table's sentence", () => {
    expect(toOpenAiError(new GatewayError("upstream_empty", " ")).body.error.message).toBe(
      ERROR_TABLE.upstream_empty.meaning,
    );
  });

  test.each([
    [0, "0"],
    [1, "1"],
    [1000, "1"],
    [1001, "2"],
    [-5, "0"],
  ])("Retry-After of %d ms is %s", (retryAfterMs, seconds) => {
    const error = new GatewayError("no_available_account", "x", { retryAfterMs });
    expect(toOpenAiError(error).headers).toEqual({ "Retry-After": seconds });
    expect(toAnthropicError(error, "req_1").headers).toEqual({ "Retry-After": seconds });
  });

  test("x-should-retry says what the failure knows, and stops SDKs from repeating a conflict", () => {
    const header = (error: GatewayError) => toOpenAiError(error).headers["x-should-retry"];
    expect(header(new GatewayError("account_quota", "x", { shouldRetry: false }))).toBe("false");
    expect(header(new GatewayError("upstream_error", "x", { shouldRetry: true }))).toBe("true");
    expect(header(new GatewayError("conflict", "x"))).toBe("false");
    expect(header(new GatewayError("upstream_error", "x"))).toBeUndefined();
    // Over a minute a client would wait in silence, or come back in vain.
    expect(header(new GatewayError("upstream_rate_limited", "x", { retryAfterMs: 60_000 }))).toBeUndefined();
    expect(header(new GatewayError("upstream_rate_limited", "x", { retryAfterMs: 60_001 }))).toBe("false");
  });
});

describe("Anthropic envelope", () => {
  test.each(CODES)("%s", (code) => {
    const { status, body } = toAnthropicError(new GatewayError(code, "m"), "req_9");
    expect(status).toBe(ERROR_TABLE[code].status === 503 ? 529 : ERROR_TABLE[code].status);
    expect(body.request_id).toBe("req_9");
    expect(body.type).toBe("error");
    expect(body.error.type).toBe(ERROR_TABLE[code].anthropic);
  });
});

test("frames inside a stream", () => {
  const error = new GatewayError("upstream_cut", "Ended\nearly.");
  const json = '{"error":{"message":"Ended\\nearly.","type":"server_error","param":null,"code":"upstream_cut"}}';
  expect(openAiErrorFrame(error)).toBe(`data: ${json}\n\n`);
  expect(openAiErrorFrame(error, "named")).toBe(`event: error\ndata: ${json}\n\n`);
  expect(anthropicErrorFrame(error)).toBe(
    'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"Ended\\nearly."}}\n\n',
  );
});

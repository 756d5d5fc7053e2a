// A body over a thin line: as long as bytes come, no limit of the connection cuts it, on any route that takes one.
import { expect, test } from "bun:test";
import { connect } from "node:net";
import { serve } from "../../src/http/serve.ts";
import { createHarness } from "./harness.ts";

test("a start of the playground that takes longer than a quiet connection may last", async () => {
  const { server } = createHarness({ settingsTree: { app: { public_enabled: true } } });
  // The server rounds its limit up to a few seconds.
  const listening = serve({ server, host: "127.0.0.1", port: 0, idleTimeoutSeconds: 1 });
  try {
    const body = JSON.stringify({ prompt: "a cat" });
    const socket = connect(listening.port, "127.0.0.1");
    const { promise: answer, resolve } = Promise.withResolvers<string>();
    socket.on("data", (chunk) => resolve(chunk.toString()));
    socket.on("close", () => resolve("cut off"));
    socket.on("error", () => {});
    const head = ["POST /v1/public/imagine/start HTTP/1.1", "Host: gateway", `Content-Length: ${body.length}`];
    socket.write(`${[...head, "Content-Type: application/json"].join("\r\n")}\r\n\r\n`);
    for (const letter of body) {
      socket.write(letter);
      await Bun.sleep(450);
    }
    expect(await answer).toStartWith("HTTP/1.1 200");
    socket.destroy();
  } finally {
    await listening.stop(0);
  }
}, 20_000);

// A stop in the middle of the day: SIGTERM with 50 streams open, of every protocol and over both transports. Half of them end
// by themselves in the grace time, half never would. Each must end as its protocol ends, and each must be in the journal.
// The same for the plain executable and for the container's root folder, mounted read-only for a user without rights.
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chownSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { emptyFolder, type Folder, type Gateway, type Start, startGateway, startUpstream } from "../support/binary.ts";
import { buildImageRoot, readOnlyImageLacks, readDockerfile, readOnlyLauncher } from "../support/image.ts";
import { mergeSettings, tokenFile, tomlOf, upstreamAt } from "../support/trial.ts";

const STREAMS = 50;
const GRACE_SECONDS = 5;
/** What the process may take beyond the grace time to end the streams, write the journal and close. */
const CLOSING_MS = 2_000;
const KEY = "sk-stopping-test-0001";
const IMAGE_USER = 10001;

const ACCOUNTS = Array.from({ length: 10 }, (_, index) => `sim-heavy-ok-stop-${index}`);

interface Protocol {
  readonly path: string;
  readonly body: (words: string) => object;
  /** How a whole answer ends, and how one ends that the stop has cut. */
  readonly finished: RegExp;
  readonly cut: RegExp;
}

const protocols: readonly Protocol[] = [
  {
    path: "/v1/chat/completions",
    body: (content) => ({ messages: [{ role: "user", content }] }),
    finished: /"finish_reason":"stop"[\s\S]*\ndata: \[DONE\]\n\n$/,
    cut: /\ndata: \{"error":\{[^\n]*"code":"shutting_down"[^\n]*\n\ndata: \[DONE\]\n\n$/,
  },
  {
    path: "/v1/responses",
    body: (input) => ({ input }),
    finished: /\nevent: response\.completed\ndata: [^\n]*\n\n$/,
    cut: /\nevent: response\.failed\ndata: [^\n]*"message":"The gateway is stopping[^\n]*\n\n$/,
  },
  {
    path: "/v1/messages",
    body: (content) => ({ max_tokens: 4000, messages: [{ role: "user", content }] }),
    finished: /\nevent: message_stop\ndata: [^\n]*\n\n$/,
    cut: /\nevent: error\ndata: [^\n]*"message":"The gateway is stopping[^\n]*\n\n$/,
  },
];

interface OpenStream {
  readonly id: string;
  readonly protocol: Protocol;
  readonly hangs: boolean;
  /** Everything, once the stream has ended. */
  readonly text: Promise<string>;
}

/** Resolves when the first words of the answer are here. */
async function openStream(gateway: Gateway, turn: number): Promise<OpenStream> {
  const protocol = protocols[turn % protocols.length] as Protocol;
  const hangs = turn % 2 === 0;
  const words = hangs ? `sim:hang-mid ${turn}` : `sim:long-40 sim:slow-60 ${turn}`;
  const answer = await fetch(`${gateway.url}${protocol.path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "grok-4-fast", stream: true, ...protocol.body(words) }),
  });
  expect(answer.status).toBe(200);
  const reader = (answer.body ?? new Blob().stream()).getReader();
  const decoder = new TextDecoder();
  const spoken = /"content":"\w|output_text\.delta|text_delta/;
  let text = "";
  while (!spoken.test(text)) {
    const part = await reader.read();
    if (part.done) throw new Error(`ended before its first words:\n${text}`);
    text += decoder.decode(part.value, { stream: true });
  }
  const rest = async (): Promise<string> => {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      text += decoder.decode(part.value, { stream: true });
    }
    return text;
  };
  return { id: answer.headers.get("x-request-id") ?? "", protocol, hangs, text: rest() };
}

async function stopInTheMiddle(start: Start, data: string): Promise<void> {
  await using gateway = await startGateway(start);
  const streams = await Promise.all(Array.from({ length: STREAMS }, (_, turn) => openStream(gateway, turn)));
  const startedMs = performance.now();
  gateway.signal("SIGTERM");
  const [exitCode, ...texts] = await Promise.all([gateway.exited, ...streams.map(({ text }) => text)]);
  const tookMs = performance.now() - startedMs;
  expect(exitCode).toBe(0);
  // Those that never end have used all of the grace time, and nothing has used more.
  expect(tookMs).toBeGreaterThan(GRACE_SECONDS * 1000 - 100);
  expect(tookMs).toBeLessThan(GRACE_SECONDS * 1000 + CLOSING_MS);
  for (const [index, { protocol, hangs }] of streams.entries()) {
    const end = texts[index]?.slice(-2_000) ?? "";
    expect(end).toMatch(hangs ? protocol.cut : protocol.finished);
    if (hangs) expect(end).not.toMatch(protocol.finished);
  }
  expect(journalOf(data)).toEqual(
    streams
      .map(({ id, protocol, hangs }) => ({
        id,
        route: protocol.path,
        stream: 1,
        outcome: hangs ? "failed" : "finished",
        code: hangs ? "shutting_down" : null,
      }))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  );
  expect(gateway.output()).not.toContain("reported twice");
}

function journalOf(data: string): unknown[] {
  using database = new Database(join(data, "grok2api.db"), { readonly: true });
  using rows = database.query("SELECT id, route, stream, outcome, code FROM requests ORDER BY id");
  return rows.all();
}

function writeData(folder: Folder, { upstream, transport }: { upstream: Gateway; transport: string }): string {
  const settings = mergeSettings(upstreamAt(upstream.url), {
    app: { api_key: [KEY] },
    server: { grace_seconds: GRACE_SECONDS },
    chat: { transport },
    token: { max_inflight: 50 },
  });
  folder.write("data/config.toml", tomlOf(settings));
  folder.write("data/token.json", tokenFile(ACCOUNTS));
  return join(folder.path, "data");
}

describe(`a stop with ${STREAMS} open streams loses none of them`, () => {
  let upstreamFolder: Folder;
  let upstream: Gateway;
  beforeAll(async () => {
    upstreamFolder = emptyFolder();
    upstream = await startUpstream(upstreamFolder);
  });
  afterAll(async () => {
    await upstream[Symbol.asyncDispose]();
    upstreamFolder[Symbol.dispose]();
  });

  test.each(["rest", "socket"] as const)(
    "the executable, over %s",
    async (transport) => {
      using folder = emptyFolder();
      const data = writeData(folder, { upstream, transport });
      await stopInTheMiddle({ folder }, data);
    },
    60_000,
  );

  describe.skipIf(readOnlyImageLacks !== "")(
    `the container's root, read-only, as user ${IMAGE_USER}${readOnlyImageLacks}`,
    () => {
      let place: Folder;
      let root: string;
      beforeAll(() => {
        place = emptyFolder();
        root = buildImageRoot(place.path);
      }, 120_000);
      afterAll(() => place[Symbol.dispose]());

      const startIn = async (folder: Folder, data: string): Promise<Start> => {
        const image = await readDockerfile();
        for (const path of [data, join(data, "config.toml"), join(data, "token.json")]) {
          chownSync(path, IMAGE_USER, IMAGE_USER);
        }
        const [program = ""] = image.entrypoint;
        const { SERVER_HOST: _host, SERVER_PORT: _port, ...env } = image.env;
        return {
          folder,
          program,
          launcher: readOnlyLauncher(root, { volume: data, user: image.user }),
          env: { ...env, HOME: "/app" },
        };
      };

      test("nothing can be written there but the volume and /tmp", async () => {
        using folder = emptyFolder();
        const data = writeData(folder, { upstream, transport: "rest" });
        const start = await startIn(folder, data);
        await using gateway = await startGateway(start);
        const status = readFileSync(`/proc/${gateway.pid}/status`, "utf8");
        expect(status).toMatch(
          new RegExp(`^Uid:\\t${IMAGE_USER}\\t${IMAGE_USER}\\t${IMAGE_USER}\\t${IMAGE_USER}$`, "m"),
        );
        expect(status).toMatch(/^CapEff:\t0+$/m);
        expect(status).toMatch(/^NoNewPrivs:\t1$/m);
        const seen = readFileSync(`/proc/${gateway.pid}/mounts`, "utf8").trim().split("\n");
        const options = Object.fromEntries(
          seen.map((line) => line.split(" ")).map(([, at = "", kind = "", flags = ""]) => [at, { kind, flags }]),
        );
        expect(Object.keys(options).toSorted()).toEqual(["/", "/app/data", "/tmp"]);
        expect(options["/"]?.flags).toMatch(/^ro\b/);
        expect(options["/tmp"]).toMatchObject({ kind: "tmpfs", flags: expect.stringMatching(/^rw\b/) });
        expect(() => mkdirSync(join(`/proc/${gateway.pid}`, "root", "app/elsewhere"))).toThrow("EROFS");
        expect(await gateway.stop()).toBe(0);
      });

      test.each(["rest", "socket"] as const)(
        "stops over %s",
        async (transport) => {
          using folder = emptyFolder();
          const data = writeData(folder, { upstream, transport });
          await stopInTheMiddle(await startIn(folder, data), data);
        },
        60_000,
      );
    },
  );
});

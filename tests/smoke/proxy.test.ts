// The reverse-proxy files of packaging/ as they are, with the real proxies before the executable: streams arrive as they are
// written, links follow the address under which the caller came, below a path too, and nothing is too large or too slow.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { createSimulator, type Simulator } from "../../src/simulator/server.ts";
import { emptyFolder, eventually, type Folder, freePort, type Gateway, startGateway } from "../support/binary.ts";

const packaging = join(import.meta.dir, "../../packaging");
const key = "smoke-proxy-key";
const tokenDelayMs = 120;
const openssl = Bun.which("openssl");

/** A changed file must still hold each line that a test moves to a free port. */
function replaceOnce(text: string, line: string, by: string): string {
  expect(text.split(line)).toHaveLength(2);
  return text.replace(line, () => by);
}

interface Site {
  readonly folder: Folder;
  readonly upstreamPort: number;
  readonly port: number;
  readonly tlsPort: number;
}

interface ProxyProgram {
  readonly name: string;
  readonly path: string | null;
  /** Writes the configuration and says how to start it. */
  prepare(site: Site): Promise<string[]>;
}

const nginx: ProxyProgram = {
  name: "nginx",
  path: Bun.which("nginx"),
  async prepare({ folder, upstreamPort, port, tlsPort }) {
    let text = await Bun.file(join(packaging, "nginx.conf")).text();
    text = replaceOnce(text, "listen 80;", `listen 127.0.0.1:${port};`);
    text = replaceOnce(text, "listen [::]:80;", "");
    text = replaceOnce(text, "server 127.0.0.1:8000;", `server 127.0.0.1:${upstreamPort};`);
    if (openssl !== null) {
      makeCertificate(folder);
      text = replaceOnce(text, "# listen 443 ssl http2;", `listen 127.0.0.1:${tlsPort} ssl http2;`);
      text = text.replace(
        /# (ssl_certificate(?:_key)?) +\S+\/(\w+\.pem);/g,
        (_, name, file) => `${name} ${folder.path}/${file};`,
      );
    }
    folder.write("site.conf", text);
    const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (name) => `${name}_temp_path ${folder.path}/${name};`,
    );
    const worker = process.getuid?.() === 0 ? "user root;" : "";
    folder.write(
      "nginx.conf",
      `${worker} daemon off; pid ${folder.path}/pid; error_log stderr; events {} http { access_log off; ${paths.join(" ")} include site.conf; }`,
    );
    return ["-p", folder.path, "-e", "stderr", "-c", `${folder.path}/nginx.conf`];
  },
};

const caddy: ProxyProgram = {
  name: "caddy",
  path: Bun.which("caddy"),
  async prepare({ folder, upstreamPort, port }) {
    let text = await Bun.file(join(packaging, "Caddyfile")).text();
    text = replaceOnce(text, "grok.example.com {", `http://:${port} {\n\tbind 127.0.0.1`);
    expect(text.split("127.0.0.1:8000")).toHaveLength(3);
    text = text.replaceAll("127.0.0.1:8000", `127.0.0.1:${upstreamPort}`);
    folder.write("Caddyfile", `{\n\tadmin off\n}\n${text}`);
    return ["run", "--config", `${folder.path}/Caddyfile`, "--adapter", "caddyfile"];
  },
};

function makeCertificate(folder: Folder): void {
  const made = Bun.spawnSync(
    [
      "openssl",
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-days",
      "1",
    ].concat([
      "-subj",
      "/CN=grok.example.com",
      "-keyout",
      `${folder.path}/privkey.pem`,
      "-out",
      `${folder.path}/fullchain.pem`,
    ]),
    { stderr: "pipe" },
  );
  if (made.exitCode !== 0) throw new Error(made.stderr.toString());
}

interface StartedProxy {
  readonly url: string;
  readonly tlsUrl: string;
  [Symbol.asyncDispose](): Promise<void>;
}

async function startProxy(program: ProxyProgram, upstreamPort: number): Promise<StartedProxy> {
  const folder = emptyFolder();
  const site = { folder, upstreamPort, port: freePort(), tlsPort: freePort() };
  const args = await program.prepare(site);
  const child = Bun.spawn([program.path ?? program.name, ...args], {
    cwd: folder.path,
    env: { PATH: process.env.PATH ?? "", HOME: folder.path },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const complaints = new Response(child.stderr).text();
  const url = `http://127.0.0.1:${site.port}`;
  await eventually(`${program.name} listens`, async () => {
    if (child.exitCode !== null) throw new Error(`${program.name} ended:\n${await complaints}`);
    return (await fetch(url).catch(() => undefined)) === undefined ? undefined : true;
  });
  return {
    url,
    tlsUrl: `https://127.0.0.1:${site.tlsPort}`,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.exited;
      folder[Symbol.dispose]();
    },
  };
}

const call = (url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
    tls: { rejectUnauthorized: false },
  });

const chat = (content: string) => ({ model: "grok-chat-fast", stream: true, messages: [{ role: "user", content }] });

async function pictureLink(base: string, headers: Record<string, string> = {}): Promise<string> {
  const wish = { model: "grok-imagine-image", prompt: "a lighthouse", n: 1, response_format: "url" };
  const answer = await call(`${base}/v1/images/generations`, wish, headers);
  expect(answer.status).toBe(200);
  const { data } = await answer.json();
  return data[0].url;
}

async function isPicture(url: string): Promise<boolean> {
  const answer = await fetch(url, { tls: { rejectUnauthorized: false } });
  return answer.status === 200 && (answer.headers.get("content-type") ?? "").startsWith("image/");
}

describe.each([nginx, caddy].map((program) => [program.name, program] as const))("behind %s", (name, program) => {
  const missing = program.path === null;
  let folder: Folder;
  let simulator: Simulator;
  let gateway: Gateway;
  let proxy: StartedProxy;

  beforeAll(async () => {
    if (missing) return;
    folder = emptyFolder();
    simulator = createSimulator({ port: 0, tokenDelayMs, mediaDelayMs: 0 });
    const addresses = ["base_url", "assets_url", "accounts_url"].map((part) => `${part} = "${simulator.url}"`);
    folder.write("data/config.toml", [`[app]\napi_key = "${key}"`, "[grok]", ...addresses, ""].join("\n"));
    folder.write("data/token.json", JSON.stringify({ ssoBasic: ["sim-ok-proxy"], ssoSuper: ["sim-super-ok-proxy"] }));
    gateway = await startGateway({ folder });
    proxy = await startProxy(program, Number(new URL(gateway.url).port));
  });
  afterAll(async () => {
    if (missing) return;
    await proxy[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
    await simulator.stop(true);
    folder[Symbol.dispose]();
  });

  test.skipIf(missing)(`a stream arrives as it is written (needs ${name})`, async () => {
    const answer = await call(`${proxy.url}/v1/chat/completions`, chat("Count slowly, please."));
    expect(answer.status).toBe(200);
    const arrivals: number[] = [];
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of answer.body ?? new Blob().stream()) {
      text += decoder.decode(chunk, { stream: true });
      arrivals.push(performance.now());
    }
    expect(text.trimEnd().endsWith("data: [DONE]")).toBe(true);
    expect(arrivals.length).toBeGreaterThan(3);
    const [first = 0] = arrivals;
    expect((arrivals.at(-1) ?? 0) - first).toBeGreaterThan(2 * tokenDelayMs);
  });

  test.skipIf(missing)(`links follow the name that the caller used (needs ${name})`, async () => {
    const host = "grok.example.com:8443";
    const link = await pictureLink(proxy.url, { host });
    expect(link).toStartWith(`http://${host}/v1/files/image/`);
    const own = await pictureLink(proxy.url);
    expect(own).toStartWith(`${proxy.url}/v1/files/image/`);
    expect(await isPicture(own)).toBe(true);
  });

  test.skipIf(missing)(`a sub-path is taken away on the way in and is back in links (needs ${name})`, async () => {
    const health = await fetch(`${proxy.url}/grok/health`);
    expect(await health.json()).toMatchObject({ status: "ok" });
    const link = await pictureLink(`${proxy.url}/grok`);
    expect(link).toStartWith(`${proxy.url}/grok/v1/files/image/`);
    expect(await isPicture(link)).toBe(true);
  });

  test.skipIf(missing)(`a caller cannot choose the prefix of links (needs ${name})`, async () => {
    const link = await pictureLink(proxy.url, { "x-forwarded-prefix": "/elsewhere" });
    expect(link).toStartWith(`${proxy.url}/v1/files/image/`);
  });

  test.skipIf(missing)(`a request of several megabytes goes through (needs ${name})`, async () => {
    const picture = `data:image/png;base64,${"A".repeat(6 * 1024 * 1024)}`;
    const content = [{ type: "image_url", image_url: { url: picture } }];
    const body = { model: "grok-chat-fast", messages: [{ role: "user", content }] };
    const answer = await call(`${proxy.url}/v1/chat/completions`, body);
    // The bytes are no picture, and only the gateway can know that.
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { type: "invalid_request_error" } });
  });

  test.skipIf(missing)(`a WebSocket is passed on (needs ${name})`, async () => {
    using echo = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request, server) => (server.upgrade(request) ? undefined : new Response("no socket")),
      websocket: { message: (socket, message) => void socket.send(`echo ${message.toString()}`) },
    });
    await using own = await startProxy(program, echo.port ?? 0);
    const socket = new WebSocket(own.url.replace("http", "ws"));
    const answered = Promise.withResolvers<string>();
    socket.onopen = () => socket.send("hello");
    socket.onmessage = ({ data }) => answered.resolve(String(data));
    socket.onerror = () => answered.reject(new Error("the socket broke"));
    expect(await answered.promise).toBe("echo hello");
    socket.close();
  });

  // Caddy's certificates are its own affair, and one slow trial is enough.
  if (program !== nginx) return;
  test.skipIf(missing)(
    "the trial that operators run passes, and fails with another key (needs nginx)",
    async () => {
      const trial = async (given: string) => {
        const child = Bun.spawn(
          [process.execPath, "scripts/smoke.ts", "--base-url", proxy.url, "--api-key", given, "--skip", "readiness"],
          { cwd: join(import.meta.dir, "../.."), stdio: ["ignore", "pipe", "inherit"] },
        );
        const text = await new Response(child.stdout).text();
        return { exitCode: await child.exited, text };
      };
      const good = await trial(key);
      expect(good.text).toMatch(/\n10 passed, 0 failed, 1 left out\n$/);
      expect(good.exitCode).toBe(0);
      const bad = await trial("another-key");
      expect(bad.exitCode).toBe(1);
      expect(bad.text).toMatch(/FAIL {6}chat: status 401/);
      expect(bad.text).toMatch(/pass {6}health/);
    },
    90_000,
  );

  test.skipIf(missing || openssl === null)("over https links are https (needs nginx and openssl)", async () => {
    const link = await pictureLink(proxy.tlsUrl);
    expect(link).toStartWith(`${proxy.tlsUrl}/v1/files/image/`);
    expect(await isPicture(link)).toBe(true);
  });

  test.skipIf(missing || openssl === null)(
    "below a path over https every kind of link and file opens (needs nginx and openssl)",
    async () => {
      const base = `${proxy.tlsUrl}/grok`;
      const filed = `${base}/v1/files/`;
      const said = async (model: string, content: string) => {
        const body = { model, stream: false, messages: [{ role: "user", content }] };
        const { choices } = await (await call(`${base}/v1/chat/completions`, body)).json();
        return String(choices[0].message.content);
      };
      const [, drawn = ""] = /!\[image\]\((\S+)\)/.exec(await said("grok-chat-fast", "sim:image a lighthouse")) ?? [];
      expect(drawn).toStartWith(`${filed}image/`);
      expect(await isPicture(drawn)).toBe(true);
      const [clip = ""] = /https:[^\s")]+/.exec(await said("grok-imagine-video", "a lighthouse")) ?? [];
      expect(clip).toStartWith(`${filed}video/`);
      const read = (url: string) =>
        fetch(url, { headers: { authorization: `Bearer ${key}` }, tls: { rejectUnauthorized: false } });
      expect((await read(clip)).headers.get("content-type")).toBe("video/mp4");

      const job = await (
        await call(`${base}/v1/videos`, { model: "grok-imagine-video", prompt: "a lighthouse" })
      ).json();
      const at = `${base}/v1/videos/${job.id}`;
      await eventually("the clip is filmed", async () =>
        (await (await read(at)).json()).status === "completed" ? true : undefined,
      );
      expect((await read(`${at}/content`)).headers.get("content-type")).toBe("video/mp4");
      expect((await read(`${at}/content?variant=thumbnail`)).headers.get("content-type")).toBe("image/jpeg");
    },
  );
});

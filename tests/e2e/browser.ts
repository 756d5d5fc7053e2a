// A browser with one gateway behind it, for tests of what people see and do. The gateway is the executable in its demo form
// with the simulated upstream inside, or one that starts for the first time beside one. Knows no page. Invariant: a page that breaks its policy, asks another host or throws
// fails the test that opened it.
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { emptyFolder, type Gateway, startGateway, startUpstream } from "../support/binary.ts";

export const PASSWORD = "a long enough password";

export interface Opened {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the page did that it must not do. */
  readonly offences: string[];
}

export interface Site {
  readonly url: string;
  readonly gateway: Gateway;
  /** A fresh browser profile at the path, or at a whole address; with a session unless said otherwise. */
  open(path: string, options?: OpenOptions): Promise<Opened>;
  admin<T>(method: string, path: string, body?: unknown): Promise<T>;
  stop(): Promise<void>;
}

export interface OpenOptions {
  readonly signedIn?: boolean;
  readonly browser?: BrowserContextOptions;
  /** Kept choices of an earlier visit. */
  readonly kept?: Record<string, string>;
}

const SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"];

const browserPath = (): string => {
  const path = process.env.GROK2API_CHROMIUM ?? Bun.which("chromium");
  if (!path) throw new Error("no chromium found; install it or name it in GROK2API_CHROMIUM");
  return path;
};

export interface SiteOptions {
  /** A gateway that has never been started before, instead of the demo with its accounts and its key. */
  readonly isNew?: boolean;
  /** More switches for the browser, such as a microphone that is none. */
  readonly switches?: readonly string[];
}

export const startSite = async (
  env: Record<string, string> = {},
  { isNew = false, switches = [] }: SiteOptions = {},
): Promise<Site> => {
  const folder = emptyFolder();
  const password = env["GROK2API_APP_APP_KEY"] ?? PASSWORD;
  const upstream = isNew ? await startUpstream(folder) : null;
  const addresses = upstream
    ? Object.fromEntries(["BASE", "ASSETS", "ACCOUNTS"].map((part) => [`GROK2API_GROK_${part}_URL`, upstream.url]))
    : {};
  const gateway = await startGateway({
    folder,
    args: [isNew ? "serve" : "demo"],
    env: { GROK2API_APP_APP_KEY: password, ...addresses, ...env },
  });
  const browser = await chromium.launch({ executablePath: browserPath(), args: [...SWITCHES, ...switches] });
  const { url } = gateway;
  const admin: Site["admin"] = async (method, path, body) => {
    const response = await fetch(`${url}/api/v1/admin${path}`, {
      method,
      headers: { authorization: `Bearer ${password}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  return {
    url,
    gateway,
    admin,
    async open(place, { signedIn = true, browser: options = {}, kept = {} } = {}) {
      const address = new URL(place, url);
      const context = await browser.newContext({ locale: "en-GB", reducedMotion: "reduce", ...options });
      context.setDefaultTimeout(10_000);
      const session = signedIn ? { "grok2api.session": await newSession(url, password) } : {};
      await context.addInitScript(
        (values) => {
          // Only at the first visit: later ones find what the page itself kept.
          if (sessionStorage.getItem("test.begun") !== null) return;
          sessionStorage.setItem("test.begun", "yes");
          for (const [name, value] of Object.entries(values)) localStorage.setItem(name, value);
        },
        { ...kept, ...session },
      );
      const page = await context.newPage();
      const offences: string[] = [];
      await context.exposeFunction("tellOffence", (what: string) => offences.push(what));
      await context.addInitScript(() => {
        document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
          const tell = (window as unknown as { tellOffence: (what: string) => void }).tellOffence;
          tell(`${violatedDirective} ${blockedURI}`);
        });
      });
      page.on("pageerror", (error) => offences.push(`error: ${error.message}`));
      page.on("console", (message) => {
        if (message.type() === "error" && !isRefusal(message.text())) offences.push(`console: ${message.text()}`);
      });
      page.on("request", (request) => {
        const asked = new URL(request.url());
        if (/^https?:$/.test(asked.protocol) && asked.origin !== address.origin)
          offences.push(`request: ${request.url()}`);
      });
      await page.goto(address.href);
      return { page, context, offences };
    },
    async stop() {
      await browser.close();
      await gateway.stop();
      await upstream?.stop();
      folder[Symbol.dispose]();
    },
  };
};

/** The browser itself writes every answer of 4xx and 5xx there, also the ones that a page expects and explains. */
const isRefusal = (text: string): boolean => text.startsWith("Failed to load resource: the server responded with");

const newSession = async (url: string, password: string): Promise<string> => {
  const response = await fetch(`${url}/api/v1/admin/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ password }),
  });
  const { token } = await response.json();
  return token;
};

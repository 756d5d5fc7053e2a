// The pages for people: one document for all paths of the admin dashboard, one for the playground, and what they load. Holds no secret.
// Invariant: a document is never kept by anything on the way and runs under a policy without inline code or other hosts.
import { GatewayError } from "../../core/errors.ts";
import { withoutPrefix } from "../below.ts";
import type { Call, Route } from "../context.ts";
import { createPages, pagesFolder } from "../pages.ts";

const pages = createPages(pagesFolder);

const policy = (connect: readonly string[]): string =>
  [
    "default-src 'self'",
    `connect-src 'self'${connect.map((place) => ` ${place}`).join("")}`,
    "img-src 'self' data: blob:",
    "media-src 'self' data: blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");

/** A voice session goes from the browser to its server itself, over a socket and over plain requests. */
const voicePlaces = ({ config }: Call): string[] => {
  const { host } = new URL(config.voice.livekit_url);
  return config.voice.livekit_url.startsWith("wss:")
    ? [`wss://${host}`, `https://${host}`]
    : [`ws://${host}`, `http://${host}`];
};

/** From the asked address back to the gateway's own root: a page may lie below a path that only the proxy knows. */
const wayToRoot = ({ url, config }: Call): string =>
  "../".repeat(withoutPrefix(url.pathname, config.app.app_url).split("/").length - 2) || "./";

const document = async (name: string, call: Call, connect: readonly string[] = []): Promise<Response> => {
  const file = await pages.html(name);
  if (!file) {
    throw new GatewayError("not_found", "The pages are not built; run npm run build, or bun scripts/pages.ts.");
  }
  const html = await Bun.file(file.path).text();
  return new Response(html.replaceAll("{root}", wayToRoot(call)), {
    headers: {
      "content-type": file.mime,
      "cache-control": "no-store",
      "content-security-policy": policy(connect),
      "cross-origin-opener-policy": "same-origin",
    },
  });
};

const takesGzip = (request: Request): boolean =>
  /\bgzip\b(?!;\s*q=0(\.0+)?\b)/.test(request.headers.get("accept-encoding") ?? "");

const asset = async (call: Call): Promise<Response> => {
  const file = await pages.asset(call.params["file"] ?? "", { gzip: takesGzip(call.request) });
  if (!file) throw new GatewayError("file_not_found", "No such file.");
  const headers = new Headers({
    "content-type": file.mime,
    // The name changes with the content.
    "cache-control": "public, max-age=31536000, immutable",
    vary: "accept-encoding",
  });
  if (file.gzip) headers.set("content-encoding", "gzip");
  return new Response(Bun.file(file.path), { headers });
};

/** Relative, so that it holds below any path. */
const leadTo =
  (path: string) =>
  (call: Call): Response =>
    new Response(null, { status: 302, headers: { location: wayToRoot(call) + path, "cache-control": "no-store" } });

/** The frame of every answer forbids these; a voice session needs the microphone, a picture may come from the camera. */
const DEVICES = "camera=(self), geolocation=(), microphone=(self), payment=(), usb=()";

const VOICE_PAGE = "/voice";

const playground = async (call: Call): Promise<Response> => {
  if (!call.deps.publicAccess.pages) {
    throw new GatewayError("not_found", "The playground is switched off (app.public_enabled).");
  }
  // The other pages have no business there; the one of the voice loads a document of its own.
  const isVoice = withoutPrefix(call.url.pathname, call.config.app.app_url).replace(/\/$/, "") === VOICE_PAGE;
  const response = await document("playground", call, isVoice ? voicePlaces(call) : []);
  response.headers.set("permissions-policy", DEVICES);
  return response;
};

const ADMIN_PAGES = ["login", "token", "keys", "config", "cache", "downstream", "dialog", "datacenter", "audit"];

export const pageRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/admin",
    aliases: ADMIN_PAGES.map((name) => `/admin/${name}`),
    auth: "public",
    quiet: true,
    summary: "The admin dashboard.",
    handle: (call) => document("admin", call),
  },
  {
    method: "GET",
    path: "/chat",
    aliases: ["/imagine", "/video", VOICE_PAGE],
    auth: "public",
    quiet: true,
    summary: "The playground; not found while it is off.",
    handle: playground,
  },
  {
    method: "GET",
    path: "/static/:file",
    auth: "public",
    quiet: true,
    summary: "What the pages load.",
    handle: asset,
  },
  {
    method: "GET",
    path: "/login",
    auth: "public",
    quiet: true,
    summary: "The login of the playground while that is on; else leads to the login of the admin dashboard.",
    handle: (call) => (call.deps.publicAccess.pages ? playground(call) : leadTo("admin/login")(call)),
  },
  {
    method: "GET",
    path: "/manage",
    auth: "public",
    quiet: true,
    summary: "Leads to the list of tokens.",
    handle: leadTo("admin/token"),
  },
  {
    method: "GET",
    path: "/",
    auth: "public",
    quiet: true,
    summary: "Leads to the playground while that is on, else to the admin dashboard.",
    handle: (call) => leadTo(call.deps.publicAccess.pages ? "chat" : "admin")(call),
  },
];

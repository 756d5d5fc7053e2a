// Health for load balancers and containers. Holds no secret and asks no upstream.
// Invariant: /readyz fails as soon as a stop has begun, so that no new caller is sent here.
import type { Call, Route } from "../context.ts";

const health = (call: Call): Response => {
  const { version, commit } = call.deps.version;
  return Response.json({
    status: "ok",
    service: "grok2api",
    version,
    commit,
    runtime: "bun",
    uptime_s: Math.floor((call.deps.clock.monotonic() - call.deps.startedMs) / 1000),
  });
};

const ready = async (call: Call): Promise<Response> => {
  const { admission, readiness } = call.deps;
  const components = {
    ...(await readiness.components()),
    ...(admission.stopping ? { server: "stopping" } : {}),
  };
  const isReady = Object.values(components).every((state) => state === "ok");
  return Response.json({ ready: isReady, components }, { status: isReady ? 200 : 503 });
};

export const systemRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/health",
    aliases: ["/healthz"],
    auth: "public",
    quiet: true,
    summary: "The process lives; version and uptime.",
    handle: health,
  },
  {
    method: "GET",
    path: "/readyz",
    auth: "public",
    quiet: true,
    summary: "Whether requests can be served: 200, or 503 with what is missing.",
    handle: ready,
  },
];

// GET /metrics for Prometheus: numbers of the whole process, no key, no account, no address.
import { GatewayError } from "../../core/errors.ts";
import type { Call, Route } from "../context.ts";

const metrics = async (call: Call): Promise<Response> => {
  const { admission, streams, exposition } = call.deps;
  if (!call.config.metrics.enabled) throw new GatewayError("endpoint_disabled", "Endpoint disabled");
  const text = await exposition({ running: admission.running, streams: streams.open });
  return new Response(text, { headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" } });
};

export const metricsRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/metrics",
    auth: "metrics",
    quiet: true,
    summary: "Numbers for Prometheus: admin credential, metrics.token, or an address of metrics.allow.",
    handle: metrics,
  },
];

// What the routes of pictures and clips share: the gateway's view of a call. Knows no route.
import { hexId } from "../lib/ids.ts";
import { unixSeconds } from "../lib/clock.ts";
import type { CallContext } from "../gateway/port.ts";
import { baseUrl } from "./client-address.ts";
import type { Call } from "./context.ts";

export const callContext = (call: Call, prefix: string): CallContext => ({
  id: hexId(prefix),
  created: unixSeconds(call.deps.clock),
  signal: call.signal,
  abort: call.abort,
  record: call.record,
  baseUrl: baseUrl(call),
});

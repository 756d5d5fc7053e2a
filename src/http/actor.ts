// Who asks for a change, as the audit remembers it. Knows no verb.
// Invariant: the address is the one that the trusted proxies vouch for, never one that a caller made up.
import type { Actor } from "../access/audit.ts";
import { clientAddress } from "./client-address.ts";
import type { Call } from "./context.ts";

export const actorOf = (call: Call): Actor => ({ id: call.principal.id, address: clientAddress(call) });

// Finds the credential of a request and asks the access room who it is. Compares no secret itself.
// Invariant: an API key never opens an admin route, and an admin credential is never looked for in a query by default.
import type { Principal } from "../access/api-keys.ts";
import { digestOf } from "../access/digest.ts";
import { VISITOR } from "../access/public-access.ts";
import { GatewayError } from "../core/errors.ts";
import { clientAddress, isListed } from "./client-address.ts";
import { ANYBODY, type Call, type Route } from "./context.ts";
import { socketKeyOf } from "./sockets.ts";

/** `Authorization: Bearer …` in any capitalisation, else `X-API-Key`. */
export const credentialOf = (request: Request): string | null => {
  const header = request.headers.get("authorization");
  const match = header === null ? null : /^bearer +(\S.*)$/i.exec(header.trim());
  if (match?.[1] !== undefined) return match[1].trim();
  const key = request.headers.get("x-api-key")?.trim();
  return key === undefined || key === "" ? null : key;
};

const QUERY_NAMES = ["api_key", "app_key", "access_token", "token"] as const;
/** The playground's key under its names of today and of later programs. */
const VISITOR_QUERY_NAMES = ["public_key", "function_key", "access_token"] as const;

/** Only for EventSource and WebSocket routes, which cannot send headers: addresses end up in logs and histories. */
export const queryCredentialOf = (url: URL, names: readonly string[] = QUERY_NAMES): string | null => {
  for (const name of names) {
    const value = url.searchParams
      .get(name)
      ?.replace(/^bearer +/i, "")
      .trim();
    if (value !== undefined && value !== "") return value;
  }
  return null;
};

const missing = (): GatewayError => new GatewayError("missing_api_key", "Missing authentication token");

/** Reads numbers and nothing else. */
const SCRAPER: Principal = { kind: "admin", id: "metrics", name: "metrics" };

type Caller = Pick<Call, "request" | "server" | "config" | "deps" | "url">;

/** A key, or a secret that stands for one and opens sockets alone. */
const socketCredentialOf = ({ request, deps }: Pick<Call, "request" | "deps">): string | null => {
  const presented = credentialOf(request) ?? socketKeyOf(request);
  if (presented === null) return null;
  const grant = deps.socketSecrets.find(presented);
  return grant ? grant.credential : presented;
};

export const authenticate = async (
  call: Caller,
  route: Pick<Route, "auth" | "queryCredential" | "socket">,
): Promise<Principal> => {
  switch (route.auth) {
    case "public":
    case "file":
      return ANYBODY;
    case "api": {
      const credential = route.socket === true ? socketCredentialOf(call) : credentialOf(call.request);
      const principal = call.deps.apiKeys.check(credential);
      if (principal) return principal;
      const { bypass } = call.deps.publicAccess;
      if (bypass) return bypass;
      if (credential === null) throw missing();
      throw new GatewayError("invalid_api_key", "Invalid authentication token");
    }
    case "visitor": {
      const inQuery = route.queryCredential === true;
      // A task's id is as good as the key with which it was begun; whether there is such a task, the route says.
      if (inQuery && call.url.searchParams.has("task_id")) return VISITOR;
      const fromQuery = inQuery ? queryCredentialOf(call.url, VISITOR_QUERY_NAMES) : null;
      const credential = credentialOf(call.request) ?? socketKeyOf(call.request) ?? fromQuery;
      return call.deps.publicAccess.check(credential, clientAddress(call));
    }
    case "metrics": {
      const { allow, token } = call.config.metrics;
      const address = clientAddress(call);
      if (isListed(address, allow)) return SCRAPER;
      const credential = credentialOf(call.request);
      if (credential === null) throw missing();
      if (token !== "" && digestOf(credential) === digestOf(token)) return SCRAPER;
      return call.deps.adminAccess.authenticate(credential, address);
    }
    case "admin": {
      const fromQuery = route.queryCredential === true ? queryCredentialOf(call.url) : null;
      const credential = credentialOf(call.request) ?? fromQuery;
      if (credential === null) throw missing();
      return call.deps.adminAccess.authenticate(credential, clientAddress(call));
    }
  }
};

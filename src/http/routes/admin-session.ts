// Login, logout and the check of a credential. Compares nothing itself.
// Invariant: the answer to a login carries a session token only, also in the field where older pages look for a key.
import { GatewayError } from "../../core/errors.ts";
import { stringAt } from "../../lib/json.ts";
import { credentialOf } from "../auth.ts";
import { readLooseObject } from "../body.ts";
import { clientAddress } from "../client-address.ts";
import type { Call, Route } from "../context.ts";
import { adminPaths } from "./admin-paths.ts";

export const login = async (call: Call): Promise<Response> => {
  const given = await passwordOf(call);
  const { token, expiresAt } = await call.deps.adminAccess.login({ ...given, address: clientAddress(call) });
  return Response.json({
    status: "success",
    success: true,
    token,
    api_key: token,
    expires_at: Math.floor(expiresAt / 1000),
    warning: call.deps.adminAccess.weakness(),
  });
};

/** A JSON body wins over a header, because a page may still send an old token with every request. */
const passwordOf = async (call: Call): Promise<{ password: string; username: string | null }> => {
  const body = await readLooseObject(call);
  const password = stringAt(body, "password") ?? credentialOf(call.request);
  if (password === null || password === "") throw new GatewayError("missing_api_key", "Send the admin password.");
  return { password, username: stringAt(body, "username") ?? null };
};

const verify = (call: Call): Response =>
  Response.json({ status: "success", warning: call.deps.adminAccess.weakness() });

export const logout = async (call: Call): Promise<Response> => {
  await call.deps.adminAccess.logout(credentialOf(call.request) ?? "");
  return Response.json({ status: "success", success: true });
};

export const adminSessionRoutes: readonly Route[] = [
  {
    method: "POST",
    ...adminPaths("/login"),
    auth: "public",
    summary: "Log in with the admin password (Bearer or JSON); answers with a session token.",
    handle: login,
  },
  {
    method: "POST",
    ...adminPaths("/logout"),
    auth: "admin",
    summary: "End the session.",
    handle: logout,
  },
  {
    method: "GET",
    ...adminPaths("/verify"),
    auth: "admin",
    summary: "Whether the credential is good.",
    handle: verify,
  },
];

// The control routes below /__sim: read what the simulator saw, change accounts, start afresh.
// Not part of the imitated protocol; only for loopback. Invariant: no token appears in an answer unless it is
// one of the readable test names.
import { KINDS, TIERS } from "./accounts.ts";
import { describeAccount } from "./account-calls.ts";
import { SCENARIOS } from "./scenarios.ts";
import { fieldsOf, textOf } from "./fields.ts";
import type { World } from "./world.ts";
import type { Fields } from "./fields.ts";
import { XAI_KINDS } from "./xai/keys.ts";
import type { XaiKind } from "./xai/keys.ts";
import { XAI_SCENARIOS } from "./xai/words.ts";

export async function controlRoute(world: World, request: Request, url: URL): Promise<Response> {
  const [, name = "", rest = ""] = /^\/__sim\/([^/]+)\/?(.*)$/.exec(url.pathname) ?? [];
  const action = `${request.method} ${name}`;
  switch (action) {
    case "GET stats":
      return Response.json(world.journal.stats());
    case "GET requests": {
      const wanted = url.searchParams.get("path");
      const limit = Number(url.searchParams.get("limit") ?? 1000);
      const entries = world.journal.recent(limit).filter((entry) => wanted === null || entry.path.startsWith(wanted));
      return Response.json({ requests: entries });
    }
    case "GET scenarios":
      return Response.json({ scenarios: SCENARIOS, kinds: KINDS, xai: { scenarios: XAI_SCENARIOS, kinds: XAI_KINDS } });
    case "GET accounts": {
      const shown = rest === "" ? world.accounts.list() : [world.accounts.byName(decodeURIComponent(rest))];
      return Response.json({ accounts: shown.filter((account) => account !== undefined).map(publicAccount) });
    }
    case "POST accounts":
      return changeAccount(world, decodeURIComponent(rest), fieldsOf(await readJson(request)));
    case "GET xai":
      return Response.json({ calls: world.xai.counts(), keys: world.xai.keys.list() });
    case "POST xai":
      return changeXai(world, decodeURIComponent(rest), fieldsOf(await readJson(request)));
    case "POST options":
      return changeOptions(world, fieldsOf(await readJson(request)));
    case "POST reset":
      reset(world);
      return Response.json({ ok: true });
    default:
      return Response.json({ error: `no control route ${action}` }, { status: 404 });
  }
}

export function reset(world: World): void {
  world.accounts.reset();
  world.journal.reset();
  world.xai.reset();
}

/** `keys/<key>` with kind and scenario, or `teams/<word>` with credits. */
function changeXai(world: World, target: string, change: Fields): Response {
  const [, what, name = ""] = /^(keys|teams)\/(.+)$/.exec(target) ?? [];
  const kind = textOf(change["kind"]);
  if (kind !== "" && !(kind in XAI_KINDS)) return Response.json({ error: `unknown kind ${kind}` }, { status: 400 });
  if (what === "teams") {
    const credits = change["credits"] === "spent" ? "spent" : "ok";
    return Response.json({ team: world.xai.keys.changeTeam(name, credits) });
  }
  const key = world.xai.keys.change({
    key: name,
    ...(kind === "" ? {} : { kind: kind as XaiKind }),
    ...(typeof change["scenario"] === "string" ? { scenario: change["scenario"] } : {}),
  });
  return key === undefined ? Response.json({ error: `no key ${name}` }, { status: 400 }) : Response.json({ key });
}

function changeAccount(world: World, name: string, change: Fields): Response {
  const kind = textOf(change["kind"]);
  const tier = textOf(change["tier"]);
  if (name === "") return Response.json({ error: "account name missing" }, { status: 400 });
  if (kind !== "" && !(kind in KINDS)) return Response.json({ error: `unknown kind ${kind}` }, { status: 400 });
  if (tier !== "" && !TIERS.some((one) => one === tier))
    return Response.json({ error: `unknown tier ${tier}` }, { status: 400 });
  return Response.json({ account: publicAccount(world.accounts.change({ ...change, name })) });
}

function changeOptions(world: World, change: Fields): Response {
  for (const key of ["tokenDelayMs", "mediaDelayMs"] as const) {
    const value = change[key];
    if (typeof value === "number" && value >= 0) world.options[key] = value;
  }
  const signatures = change["signatures"];
  if (signatures === "lenient" || signatures === "strict") world.options.signatures = signatures;
  if (typeof change["mediaInputs"] === "boolean") world.options.mediaInputs = change["mediaInputs"];
  const eras = change["eras"];
  if (Array.isArray(eras)) {
    world.options.eras = (["modelMode", "modeId", "socket"] as const).filter((era) => eras.includes(era));
  }
  return Response.json({ options: world.options });
}

function publicAccount(account: Parameters<typeof describeAccount>[0]): object {
  const { token, ...facts } = describeAccount(account) as Fields;
  return token === account.name ? { ...facts, token } : facts;
}

async function readJson(request: Request): Promise<unknown> {
  const text = await request.text();
  return text === "" ? {} : JSON.parse(text);
}

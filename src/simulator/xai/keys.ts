// The simulated xAI keys and their teams: who a key belongs to, what temper it has, what its team has left.
// Knows no route. Invariant: a key of the form `xai-sim-<kind>[-old]-<team>-<suffix>` always names the same key
// of the same team; every other key names nobody.
import { stableUuid } from "../chance.ts";

/** What a key's temper makes the API answer; `-old` after a kind gives errors the sentences of the first era. */
export const XAI_KINDS = {
  ok: "healthy",
  wrong: "400 'Incorrect API key provided' everywhere",
  blocked: "403 blocked-user on generations; /v1/api-key says api_key_blocked",
  "team-blocked": "403 on generations; /v1/api-key says team_blocked",
  disabled: "403 on generations; /v1/api-key says api_key_disabled",
  "no-credits": "403 'used all available credits' on generations (old: 429)",
  "rate-limited": "429 requests per second on generations",
  "rate-limited-rpm": "429 requests per minute with 'Resets in: 3m 4s' on generations",
  "rate-limited-once": "429 requests per second on the first generation, then healthy",
  capacity: "503 'at capacity' on generations",
  "capacity-200": "status 200 with the same error as body",
  "capacity-once": "503 'at capacity' on the first generation, then healthy",
  acl: "403: the key's list of rights has no generating endpoint",
  "acl-text": "403 on pictures, clips and speech; text works",
  "no-model": "404 for every model on generations",
  small: "lists and serves grok-4.3 alone",
  safety: "403 'Content violates usage guidelines' on generations",
  zdr: "a team without data retention: `store` must be false",
  slow: "400 ms before every token",
  flaky: "500 on the first generation, then healthy",
  "5xx": "502 HTML everywhere",
  down: "the connection is cut without an answer",
} as const;
export type XaiKind = keyof typeof XAI_KINDS;

export interface XaiTeam {
  word: string;
  id: string;
  /** "spent" refuses every key of the team, whatever its kind. */
  credits: "ok" | "spent";
}

export interface XaiKey {
  text: string;
  kind: XaiKind;
  /** Errors are written as in the first era. */
  old: boolean;
  team: XaiTeam;
  userId: string;
  keyId: string;
  /** Scenario words that hold for every call of this key. */
  scenario: string;
  generations: number;
}

export interface XaiKeyChange {
  key: string;
  kind?: XaiKind;
  scenario?: string;
}

export interface XaiKeyBook {
  find(text: string): XaiKey | undefined;
  /** undefined when the text has not the form of a key. */
  change(change: XaiKeyChange): XaiKey | undefined;
  changeTeam(word: string, credits: XaiTeam["credits"]): XaiTeam;
  list(): XaiKey[];
  reset(): void;
}

/** Keys for a demonstration: two teams, one of them out of credits. */
export function demoXaiKeys(): string[] {
  return ["xai-sim-ok-demo-1", "xai-sim-no-credits-spent-1"];
}

export function createXaiKeyBook(): XaiKeyBook {
  const keys = new Map<string, XaiKey>();
  const teams = new Map<string, XaiTeam>();

  function team(word: string): XaiTeam {
    const known = teams.get(word);
    if (known !== undefined) return known;
    const opened: XaiTeam = { word, id: stableUuid(`xai-team:${word}`), credits: "ok" };
    teams.set(word, opened);
    return opened;
  }
  function find(text: string): XaiKey | undefined {
    const known = keys.get(text);
    if (known !== undefined) return known;
    const parsed = parseXaiKey(text);
    if (parsed === undefined) return undefined;
    const key: XaiKey = {
      text,
      kind: parsed.kind,
      old: parsed.old,
      team: team(parsed.team),
      userId: stableUuid(`xai-user:${parsed.team}`),
      keyId: stableUuid(`xai-key:${text}`),
      scenario: "",
      generations: 0,
    };
    keys.set(text, key);
    return key;
  }
  return {
    find,
    change({ key: text, kind, scenario }) {
      const key = find(text);
      if (key === undefined) return undefined;
      if (kind !== undefined) Object.assign(key, { kind, generations: 0 });
      if (scenario !== undefined) key.scenario = scenario;
      return key;
    },
    changeTeam(word, credits) {
      const changed = team(word);
      changed.credits = credits;
      return changed;
    },
    list: () => [...keys.values()],
    reset() {
      keys.clear();
      teams.clear();
    },
  };
}

/** `xai-sim-rate-limited-old-alpha-1`: the longest known kind wins, then the era, then the team's word. */
export function parseXaiKey(text: string): { kind: XaiKind; old: boolean; team: string } | undefined {
  const rest = /^xai-sim-([a-z0-9][a-z0-9._-]*)$/i.exec(text)?.[1];
  if (rest === undefined) return undefined;
  const kind = (Object.keys(XAI_KINDS) as XaiKind[])
    .filter((name) => rest === name || rest.startsWith(`${name}-`))
    .toSorted((a, b) => b.length - a.length)[0];
  const tail = kind === undefined ? rest : rest.slice(kind.length + 1);
  const old = tail === "old" || tail.startsWith("old-");
  const team = (old ? tail.slice(4) : tail).split("-")[0] ?? "";
  return { kind: kind ?? "ok", old, team: team === "" ? "main" : team };
}

// The upstream's answer as both mocks send it: NDJSON chat frames in the shape observed on grok.com's REST chat (2026-03).
// Owns the plan language ("bench n=200 d=20 …") and the text that a correct gateway must deliver. Plain JavaScript, because the
// TLS mock runs under node. Invariant: the same plan gives the same text, whatever the pacing and the splitting.

const STAMP_DIGITS = 14;
const ZERO_STAMP = "0".repeat(STAMP_DIGITS);
const RESPONSE_ID = "5a0c1e9e-7d3b-4c7e-9b1f-2f6a8d4e0b11";
const USER_ID = "6b1d2f0f-8e4c-4d8f-8c20-3a7b9e5f1c22";
const DEFAULT_PLAN = { n: 8, d: 0, split: 0, pause: 0, hdelay: 0, merged: 0, tag: "" };
// Multi-byte characters and escapes: a client that splits bytes or strings wrongly cannot pass the check.
const ENDINGS = [
  "plain words",
  'a "quote"',
  "naïve café",
  "日本語の文",
  "smile 😀 ok",
  "tab\there",
  "back\\slash",
  "line\nbreak",
];
// Longer answers carry no modelResponse: the stalled-client lane offers tens of megabytes.
const LONGEST_WITH_SUMMARY = 5000;

const plans = new Map();

/** Reads a plan out of any text that holds `bench key=value …`; null when there is none. */
export function planFromText(text) {
  const found = /\bbench((?: [a-z]+=[A-Za-z0-9_.-]+)+)/.exec(text);
  if (!found) return null;
  const words = found[1];
  const known = plans.get(words);
  if (known) return known;
  const plan = planFromEntries(
    words
      .trim()
      .split(" ")
      .map((word) => word.split("=")),
  );
  // Tagged plans are all different; remembering them would only grow.
  if (!plan.tag) plans.set(words, plan);
  return plan;
}

/** Reads a plan out of a URL's query ("n=8&d=20"); null when it names none of the parameters. */
export function planFromQuery(query) {
  const entries = [...new URLSearchParams(query)].filter(([key]) => key in DEFAULT_PLAN);
  return entries.length ? planFromEntries(entries) : null;
}

export function defaultPlan() {
  return { ...DEFAULT_PLAN };
}

function planFromEntries(entries) {
  const plan = defaultPlan();
  for (const [key, value] of entries) {
    if (key === "tag") plan.tag = value;
    else if (key in plan) plan[key] = Math.max(0, Math.trunc(Number(value)) || 0);
  }
  plan.d = Math.min(plan.d, 4000);
  return plan;
}

/** The prompt that carries a plan through a gateway. */
export function promptFor(plan) {
  return `bench ${Object.entries(plan)
    .filter(([, value]) => value !== "" && value !== undefined)
    .map(([key, value]) => `${key}=${value}`)
    .join(" ")}`;
}

function stampText(stampUs) {
  return String(Math.trunc(stampUs)).padStart(STAMP_DIGITS, "0");
}

/** Token `index`; `stampUs` is the moment of sending, which the load client subtracts from the moment of arrival. */
export function tokenText(index, stampUs = 0) {
  const stamp = stampUs ? stampText(stampUs) : ZERO_STAMP;
  return `w${String(index % 10000).padStart(4, "0")} @${stamp}@ ${ENDINGS[index % ENDINGS.length]} and `;
}

export function tokenFrame(text) {
  return `{"result":{"response":{"token":${JSON.stringify(text)},"isThinking":false,"isSoftStop":false,"messageTag":"final","responseId":"${RESPONSE_ID}"}}}\n`;
}

export function openingFrame() {
  return `{"result":{"conversation":{"conversationId":"${USER_ID}","title":"New conversation","starred":false,"createTime":"2026-03-08T07:57:32.965278Z","modifyTime":"2026-03-08T07:57:32.965763Z","systemPromptName":"","temporary":true,"mediaTypes":[],"workspaces":[],"taskResult":null}}}\n`;
}

/** The soft stop and, for answers of ordinary length, the modelResponse with the whole message. */
export function closingFrames(count, message) {
  const stop = `{"result":{"response":{"token":"","isThinking":false,"isSoftStop":true,"responseId":"${RESPONSE_ID}"}}}\n`;
  if (!hasSummary(count)) return stop;
  const summary = {
    responseId: RESPONSE_ID,
    message,
    sender: "assistant",
    createTime: "2026-03-08T07:57:34.358Z",
    partial: false,
    model: "grok-4",
    streamErrors: [],
  };
  return `${stop}{"result":{"response":{"modelResponse":${JSON.stringify(summary)},"isThinking":false,"isSoftStop":false,"responseId":"${RESPONSE_ID}"}}}\n`;
}

function hasSummary(count) {
  return count <= LONGEST_WITH_SUMMARY;
}

/** The lines of an unpaced answer: frame by frame, the opening glued to the first token and the closing standing alone. */
export function burstPieces(count) {
  const pieces = [];
  for (let index = 0; index < count; index++) pieces.push(tokenFrame(tokenText(index)));
  pieces.push(closingFrames(count, expectedText(count)));
  pieces[0] = openingFrame() + pieces[0];
  return pieces;
}

/** What the answer's text must be, with every stamp set to zero. */
export function expectedText(count) {
  let text = "";
  for (let index = 0; index < count; index++) text += tokenText(index);
  return text;
}

export function withoutStamps(text) {
  return text.replace(/@\d{14}@/g, `@${ZERO_STAMP}@`);
}

/** How many stamps an answer of `count` tokens holds on the upstream's own wire (the summary repeats them). */
export function stampsUpstream(count) {
  return hasSummary(count) ? 2 * count : count;
}

export const RATE_LIMITS = JSON.stringify({
  windowSizeSeconds: 7200,
  remainingQueries: 900000,
  totalQueries: 1000000,
  lowEffortRateLimits: null,
  highEffortRateLimits: null,
});

export const SESSION = JSON.stringify({
  status: "authenticated",
  session: { userId: USER_ID, email: "bench@example.com", organizationId: "", emailConfirmed: true },
});

/** The ledger of tagged streams: which ones the gateway closed, and when. */
export function createLedger(nowUs) {
  const rows = new Map();
  const totals = { started: 0, ended: 0, closed: 0, tokens: 0, open: 0 };
  return {
    totals,
    started(tag) {
      totals.started++;
      totals.open++;
      if (tag) rows.set(tag, { tag, state: "open", startedUs: nowUs(), lastSentUs: 0, endedUs: 0 });
    },
    sent(tag, count = 1) {
      totals.tokens += count;
      const row = tag ? rows.get(tag) : undefined;
      if (row) row.lastSentUs = nowUs();
    },
    finished(tag, state) {
      totals.open--;
      totals[state]++;
      const row = tag ? rows.get(tag) : undefined;
      if (row) Object.assign(row, { state, endedUs: nowUs() });
    },
    tagged(prefix) {
      return [...rows.values()].filter((row) => row.tag.startsWith(prefix));
    },
    reset() {
      rows.clear();
      Object.assign(totals, { started: 0, ended: 0, closed: 0, tokens: 0 });
    },
  };
}

/** The control pages that both mocks offer beside the upstream's own paths; null for any other path. */
export function controlAnswer({ path, query, ledger, nowUs }) {
  if (path === "/stats") return JSON.stringify(ledger.totals);
  if (path === "/closed") return JSON.stringify(ledger.tagged(new URLSearchParams(query).get("tag") ?? ""));
  if (path === "/clock") return JSON.stringify({ us: nowUs() });
  if (path === "/reset") {
    ledger.reset();
    return "{}";
  }
  if (path === "/rest/rate-limits") return RATE_LIMITS;
  if (path === "/api/auth/session") return SESSION;
  return null;
}

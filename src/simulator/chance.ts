// Time and chance as the simulator wants them: wire timestamps, identifiers, pauses that end with a signal.
// Knows nothing of the protocol. Invariant: no other simulator file reads a clock or makes a random value.
import { createHash } from "node:crypto";
import { systemClock } from "../lib/clock.ts";
import { randomBytes, uuid } from "../lib/ids.ts";

export function nowMs(): number {
  return systemClock.now();
}

/** RFC 3339 with microseconds, as the upstream writes it. */
export function timestamp(ms: number = nowMs()): string {
  const micro = String(Math.floor((systemClock.monotonic() % 1) * 1000)).padStart(3, "0");
  return new Date(ms).toISOString().replace("Z", `${micro}Z`);
}

export function randomUuid(): string {
  return uuid();
}

export function randomHex(chars: number): string {
  return Buffer.from(randomBytes(Math.ceil(chars / 2)))
    .toString("hex")
    .slice(0, chars);
}

/** The same seed always gives the same version-4-shaped UUID, so that accounts keep their id over restarts. */
export function stableUuid(seed: string): string {
  const hex = createHash("sha256").update(seed).digest("hex");
  const variant = "89ab"[Number.parseInt(hex[16] ?? "0", 16) & 3];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Resolves after `ms`, or at once when the signal fires. Infinity waits for the signal alone. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted || ms <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = Number.isFinite(ms) ? setTimeout(finish, ms) : undefined;
    function finish(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      resolve();
    }
    signal.addEventListener("abort", finish, { once: true });
  });
}

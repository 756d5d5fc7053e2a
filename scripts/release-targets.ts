// Owns which executables a release has: name, compile target, and what the finished file must say of itself.
// Must not know how one is built. Invariant: the name alone tells an operator's machine whether the file fits.
import type { CompileTarget } from "./wreq-plugin.ts";

export interface ReleaseTarget {
  /** The end of the file's name, after `grok2api-<version>-`. */
  readonly name: string;
  readonly target: CompileTarget;
  /** File of the addon, in its own package as well as in the older package of all platforms. */
  readonly addonFile: string;
  /** ELF `e_machine`. */
  readonly machine: number;
  readonly interpreter: string;
}

const X86_64 = 62;
const AARCH64 = 183;

// Baseline: rented and older machines often have no AVX2, and the other build dies there with "illegal instruction".
export const releaseTargets: readonly ReleaseTarget[] = [
  {
    name: "linux-x64",
    target: "bun-linux-x64-baseline",
    addonFile: "wreq-js.linux-x64-gnu.node",
    machine: X86_64,
    interpreter: "/lib64/ld-linux-x86-64.so.2",
  },
  {
    name: "linux-x64-musl",
    target: "bun-linux-x64-baseline-musl",
    addonFile: "wreq-js.linux-x64-musl.node",
    machine: X86_64,
    interpreter: "/lib/ld-musl-x86_64.so.1",
  },
  {
    name: "linux-arm64",
    target: "bun-linux-arm64",
    addonFile: "wreq-js.linux-arm64-gnu.node",
    machine: AARCH64,
    interpreter: "/lib/ld-linux-aarch64.so.1",
  },
  {
    name: "linux-arm64-musl",
    target: "bun-linux-arm64-musl",
    addonFile: "wreq-js.linux-arm64-musl.node",
    machine: AARCH64,
    interpreter: "/lib/ld-musl-aarch64.so.1",
  },
];

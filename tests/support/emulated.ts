// Starting executables on a processor that this machine has not. Knows nothing of what they do.
// Invariant: an emulated processor is believed to lack something only after a program that needs it has died on it.
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const emulator = "qemu-x86_64-static";

/** The words before a command that is to run on an x64 processor of 2008: SSE4.2, no AVX, no AVX2. */
export const withoutAvx2: readonly string[] = [emulator, "-cpu", "Nehalem"];
export const withAvx2: readonly string[] = [emulator, "-cpu", "Haswell"];

export const emulatorLacks =
  process.platform === "linux" && process.arch === "x64" && Bun.which(emulator) !== null
    ? ""
    : " (needs linux on x64, qemu-user-static)";

/** The smallest program with an AVX2 instruction: `vpaddd ymm0, ymm0, ymm0`, then `exit(0)`. */
export function writeAvx2Program(folder: string): string {
  const code = Uint8Array.fromHex("c5fdfec0" + "b83c000000" + "31ff" + "0f05");
  const headersSize = 120;
  const base = 0x400000n;
  const bytes = new Uint8Array(headersSize + code.length);
  const view = new DataView(bytes.buffer);
  const put = (at: number, value: number, size: 2 | 4) =>
    size === 2 ? view.setUint16(at, value, true) : view.setUint32(at, value, true);
  const put8 = (at: number, value: bigint) => view.setBigUint64(at, value, true);
  bytes.set(Uint8Array.fromHex("7f454c46020101"));
  put(16, 2, 2); // ET_EXEC
  put(18, 62, 2); // EM_X86_64
  put(20, 1, 4);
  put8(24, base + BigInt(headersSize)); // entry
  put8(32, 64n); // where the one program header is
  put(52, 64, 2);
  put(54, 56, 2);
  put(56, 1, 2);
  put(64, 1, 4); // PT_LOAD
  put(68, 5, 4); // read, execute
  put8(80, base);
  put8(88, base);
  put8(96, BigInt(bytes.length));
  put8(104, BigInt(bytes.length));
  put8(112, 0x1000n);
  bytes.set(code, headersSize);
  const path = join(folder, "needs-avx2");
  writeFileSync(path, bytes);
  chmodSync(path, 0o755);
  return path;
}

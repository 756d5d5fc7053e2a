// Owns the text that goes with every executable and image: whose work is inside and under which licence.
// Must not know how the contents were found. Invariant: a package without a licence text stops the release.
import { join } from "node:path";
import type { Crate, PackageInside } from "./release-contents.ts";

export interface NoticesInput {
  readonly root: string;
  readonly packages: readonly PackageInside[];
  readonly runtime: { readonly version: string; readonly licences: string };
  /** One entry for every version of the addon in the release. */
  readonly addons: readonly { readonly name: string; readonly version: string; readonly crates: readonly Crate[] }[];
}

const line = "-".repeat(100);

export async function thirdPartyNotices({ root, packages, runtime, addons }: NoticesInput): Promise<string> {
  const licence = (name: string) => Bun.file(join(root, "packaging/licences", name)).text();
  const own = await Bun.file(join(root, "LICENSE")).text();
  return [
    "Grok2API: what is inside, and under which licence",
    `Grok2API itself:\n\n${own.trim()}`,
    "1. npm packages in the executable",
    ...packages.map(packageSection),
    `2. The runtime: Bun ${runtime.version}\n\n${runtime.licences}`,
    "3. The upstream client's addon",
    "It is compiled from Rust. The crates below were found by name in the file; smaller ones leave no name. Each crate's licence\n" +
      "(mostly MIT or Apache-2.0; the client wreq is Apache-2.0) is published with that version of the crate. It contains\n" +
      "BoringSSL (Apache-2.0, with parts under the ISC and OpenSSL licences).",
    ...addons.map(({ name, version, crates }) => {
      const list = crates.map((crate) => `  ${crate.name} ${crate.version}`);
      return [`${name} ${version}:`, ...list].join("\n");
    }),
    "4. Only in the container image",
    "musl (MIT), libstdc++ and libgcc (GPL-3.0 with the GCC Runtime Library Exception 3.1) and the certificates of the Mozilla\n" +
      "programme (MPL-2.0), all unchanged from the packages of Alpine Linux, which also publishes their sources.",
    `5. Texts of licences named above\n\nApache License 2.0\n\n${await licence("Apache-2.0.txt")}`,
    `GNU Library General Public License 2 (JavaScriptCore)\n\n${await licence("LGPL-2.0.txt")}`,
    `GNU Lesser General Public License 2.1 (TinyCC)\n\n${await licence("LGPL-2.1.txt")}`,
  ]
    .map((part) => part.trimEnd())
    .join(`\n\n${line}\n\n`)
    .concat("\n");
}

function packageSection({ name, version, licence, text }: PackageInside): string {
  if (text === null) throw new Error(`${name} ships no licence text; the notices would be incomplete`);
  return `${name} ${version} (${licence})\n\n${text.trim()}`;
}

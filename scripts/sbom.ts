// Owns the bill of materials of one executable, as CycloneDX 1.6 JSON. Must not know how the contents were found.
// Invariant: the same contents give the same bytes; there is no time of day and no chance in it.
import type { Crate, PackageInside } from "./release-contents.ts";

export interface SbomInput {
  readonly name: string;
  readonly version: string;
  readonly commit: string;
  readonly file: { readonly name: string; readonly sha256: string };
  readonly packages: readonly PackageInside[];
  readonly runtime: string;
  readonly addon: { readonly name: string; readonly version: string; readonly sha256: string };
  readonly crates: readonly Crate[];
}

export function sbom(input: SbomInput): string {
  const { name, version, commit, file, addon } = input;
  const self = `pkg:generic/${name}@${version}?file_name=${encodeURIComponent(file.name)}`;
  const components = [
    {
      type: "framework",
      name: "bun",
      version: input.runtime,
      purl: `pkg:npm/bun@${input.runtime}`,
      licenses: spdx("MIT"),
    },
    ...input.packages.map(npmComponent),
    {
      type: "library",
      name: addon.name,
      version: addon.version,
      purl: npmUrl(addon.name, addon.version),
      licenses: spdx("MIT"),
      description: "native addon of wreq-js",
      hashes: [{ alg: "SHA-256", content: addon.sha256 }],
    },
    ...input.crates.map((crate) => ({
      type: "library",
      name: crate.name,
      version: crate.version,
      purl: `pkg:cargo/${crate.name}@${encodeURIComponent(crate.version)}`,
      description: "found by name in the addon",
    })),
  ].map((component) => ({ "bom-ref": component.purl, ...component }));
  // An addon of the older client comes in the package that is listed as a library already.
  const unique = [...new Map(components.map((component) => [component["bom-ref"], component])).values()];
  const bill = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": self,
        name,
        version,
        purl: self,
        licenses: spdx("MIT"),
        hashes: [{ alg: "SHA-256", content: file.sha256 }],
        ...(commit === "" ? {} : { properties: [{ name: "commit", value: commit }] }),
      },
    },
    components: unique,
    dependencies: [{ ref: self, dependsOn: unique.map((component) => component["bom-ref"]) }],
  };
  const serial = new Bun.CryptoHasher("sha256").update(JSON.stringify(bill)).digest("hex");
  return `${JSON.stringify({ ...bill, serialNumber: `urn:uuid:${asUuid(serial)}` }, null, 2)}\n`;
}

function npmComponent({ name, version, licence, integrity }: PackageInside) {
  const sha512 = integrity?.startsWith("sha512-") ? Buffer.from(integrity.slice(7), "base64").toString("hex") : null;
  return {
    type: "library",
    name,
    version,
    purl: npmUrl(name, version),
    licenses: spdx(licence),
    ...(sha512 === null ? {} : { hashes: [{ alg: "SHA-512", content: sha512 }] }),
  };
}

const spdx = (id: string) => [{ license: { id } }];

const npmUrl = (name: string, version: string): string => `pkg:npm/${name.replace("@", "%40")}@${version}`;

/** Version 8 of RFC 9562 is for values of one's own making. */
const asUuid = (hex: string): string =>
  [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");

// Who may import whom: the table of ARCHITECTURE.md as data. The reasons are part of the table; import-rules.ts applies it.

export interface Room {
  readonly name: string;
  /** Files that belong here, as path prefixes below the root; the longest prefix of a file decides. */
  readonly owns: readonly string[];
  /** Path prefixes that it may import besides its own; "all" for the one that names concretes. */
  readonly mayImport: readonly string[] | "all";
  /** Prefixes of which only types may be imported. */
  readonly typesFrom?: readonly string[];
  readonly packages: readonly string[];
  /** May use node:* and Bun's modules. */
  readonly platform: boolean;
  /** Its folders do not know each other; what they share lies beside them. */
  readonly siblingsApart?: boolean;
  readonly reason: string;
}

const core = "src/core/";
const lib = "src/lib/";
const config = "src/config/";
const storagePort = "src/storage/port.ts";
const providerPorts = ["src/providers/port.ts", "src/providers/registry.ts"];

export const rooms: readonly Room[] = [
  {
    name: "lib",
    owns: [lib],
    mayImport: [],
    packages: [],
    platform: true,
    reason: "no word of our domain, so that it never changes with it",
  },
  {
    name: "core",
    owns: [core],
    mayImport: [],
    packages: ["zod"],
    platform: false,
    reason: "the vocabulary: pure values that every room can share",
  },
  {
    name: "config",
    owns: [config],
    mayImport: [core, lib],
    packages: ["zod", "smol-toml"],
    platform: true,
    reason: "one definition of every key; knows no room that reads it",
  },
  {
    name: "storage",
    owns: ["src/storage/"],
    mayImport: [core, lib],
    packages: [],
    platform: true,
    reason: "documents and journal for rooms that it does not know",
  },
  ...["accounts", "media", "access"].map((name) => ({
    name,
    owns: [`src/${name}/`],
    mayImport: [core, lib, storagePort],
    typesFrom: [config],
    packages: ["zod"],
    platform: true,
    reason: "state of its own kind over the storage port; the driver is chosen elsewhere",
  })),
  {
    name: "providers",
    owns: ["src/providers/"],
    mayImport: [core, lib],
    typesFrom: [config],
    packages: ["zod"],
    platform: true,
    siblingsApart: true,
    reason: "receive a credential and a transport in the call; know neither the pool nor a protocol nor each other",
  },
  {
    name: "protocols",
    owns: ["src/protocols/"],
    mayImport: [core, `${lib}sse.ts`, `${lib}json.ts`, `${lib}ids.ts`],
    packages: ["zod"],
    platform: false,
    siblingsApart: true,
    reason: "pure wire formats: a request half and a response half, golden-tested",
  },
  {
    name: "gateway",
    owns: ["src/gateway/"],
    mayImport: [core, lib, "src/accounts/", ...providerPorts, "src/media/", storagePort],
    typesFrom: ["src/access/", config],
    packages: [],
    platform: true,
    reason: "use cases of inference without HTTP, protocol or concrete provider",
  },
  {
    name: "admin",
    owns: ["src/admin/"],
    mayImport: [core, lib, "src/accounts/", "src/access/", "src/media/", config, storagePort, ...providerPorts],
    packages: ["zod"],
    platform: true,
    reason: "verbs of the operator without HTTP",
  },
  {
    name: "http",
    owns: ["src/http/"],
    mayImport: [core, lib, "src/protocols/", "src/gateway/", "src/admin/", "src/access/", "src/media/links.ts"],
    typesFrom: [config],
    packages: ["hono"],
    platform: true,
    reason: "translates between requests and use cases; knows neither storage nor providers",
  },
  {
    name: "simulator",
    owns: ["src/simulator/"],
    mayImport: [lib],
    typesFrom: [core],
    packages: [],
    platform: true,
    reason: "checks the client, so it must not share the client's code",
  },
  {
    name: "compose",
    owns: ["src/compose.ts", "src/compose-", "src/compose/"],
    mayImport: "all",
    packages: [],
    platform: true,
    reason: "the only place that names concretes",
  },
  {
    name: "command line",
    owns: ["src/cli.ts", "src/cli-", "src/cli/", "src/main.ts"],
    mayImport: ["src/compose.ts", "src/compose-", "src/compose/", config, lib, "src/simulator/"],
    packages: [],
    platform: true,
    reason: "arguments, environment and exit codes around the composed program",
  },
  {
    name: "pages",
    owns: ["static/"],
    mayImport: [],
    typesFrom: ["src/admin/", "src/config/describe.ts"],
    packages: ["preact", "@preact/signals", "marked", "lowlight", "temml", "fflate", "livekit-client"],
    platform: false,
    reason: "run in a browser; share nothing with the server but the shape of its answers",
  },
];

export interface PackageWall {
  readonly specifier: RegExp;
  /** Path prefixes that may import it; none means nowhere. */
  readonly onlyIn: readonly string[];
  readonly reason: string;
}

/** One place for each dirty thing; these go before the rooms' own package lists. */
export const packageWalls: readonly PackageWall[] = [
  {
    specifier: /^hono\/streaming$/,
    onlyIn: [],
    reason: "it reads the whole upstream after the client has left",
  },
  {
    specifier: /^@fastify\/busboy$/,
    onlyIn: ["src/http/form.ts"],
    reason: "forms are read in one place, with their limits",
  },
  { specifier: /^hono($|\/)/, onlyIn: ["src/http/"], reason: "the web framework is an edge, not a foundation" },
  {
    specifier: /^wreq-js$/,
    onlyIn: ["src/providers/upstream-http.ts"],
    reason: "upstream requests leave through one port",
  },
  {
    specifier: /^bun:sqlite$/,
    onlyIn: ["src/storage/sqlite.ts"],
    reason: "one file speaks SQL, so one file can be replaced",
  },
  { specifier: /^(bun|node):test$/, onlyIn: [], reason: "test code does not belong to the program" },
];

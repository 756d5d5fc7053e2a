import { describe, expect, test } from "bun:test";
import { findCycles, findImportViolations, roomOf } from "./import-rules.ts";
import { scanImports } from "./import-scan.ts";
import { packageWalls, rooms } from "./import-table.ts";
import { isScript, readTextFiles } from "./sources.ts";

const files = await readTextFiles();
const program = files.filter((file) => isScript(file.path) && /^(src|static)\//.test(file.path));

describe("the program", () => {
  test("keeps to the import table", () => {
    expect(program.flatMap(findImportViolations)).toEqual([]);
  });

  test("has no import cycle, types included", () => {
    expect(findCycles(program)).toEqual([]);
  });
});

describe("the import scan", () => {
  test("sees every import that the transpiler sees", () => {
    const transpilers = { ts: new Bun.Transpiler({ loader: "ts" }), tsx: new Bun.Transpiler({ loader: "tsx" }) };
    const missed = files
      .filter((file) => isScript(file.path))
      .flatMap((file) => {
        const ours = new Set(scanImports(file.text).map((found) => found.specifier));
        const transpiler = transpilers[file.path.endsWith("x") ? "tsx" : "ts"];
        // The JSX runtime is added by the transpiler itself, under the name that it knows by default.
        const added = /^(react|.*jsx-(dev-)?runtime)$/;
        const theirs = transpiler.scanImports(file.text).filter((found) => !added.test(found.path));
        return theirs.filter((found) => !ours.has(found.path)).map((found) => `${file.path} → ${found.path}`);
      });
    expect(missed).toEqual([]);
  });

  test.each([
    ['import { a } from "x";', { specifier: "x", typeOnly: false, dynamic: false }],
    ['import type { A } from "x";', { specifier: "x", typeOnly: true, dynamic: false }],
    ['import { type A, type B } from "x";', { specifier: "x", typeOnly: true, dynamic: false }],
    ['import { type A, b } from "x";', { specifier: "x", typeOnly: false, dynamic: false }],
    ['import type from "x";', { specifier: "x", typeOnly: false, dynamic: false }],
    ['import * as a from "x";', { specifier: "x", typeOnly: false, dynamic: false }],
    ['import "x";', { specifier: "x", typeOnly: false, dynamic: false }],
    ['import {\n  a,\n  b,\n} from "x";', { specifier: "x", typeOnly: false, dynamic: false }],
    ['import page from "x" with { type: "text" };', { specifier: "x", typeOnly: false, dynamic: false }],
    ['export { a } from "x";', { specifier: "x", typeOnly: false, dynamic: false }],
    ['export type { A } from "x";', { specifier: "x", typeOnly: true, dynamic: false }],
    ['export * from "x";', { specifier: "x", typeOnly: false, dynamic: false }],
    ['const a = await import("x");', { specifier: "x", typeOnly: false, dynamic: true }],
    ['const a = require("x");', { specifier: "x", typeOnly: false, dynamic: true }],
    ['let a: import("x").A;', { specifier: "x", typeOnly: true, dynamic: true }],
    ["const a = await import(name);", { specifier: "computed: name", typeOnly: false, dynamic: true }],
    ["const a = await import(`x/${name}`);", { specifier: "computed: `x/${name}`", typeOnly: false, dynamic: true }],
  ])("reads %j", (source, expected) => {
    expect(scanImports(source)).toMatchObject([expected]);
  });

  test.each([
    '// import { a } from "x";',
    '/*\nimport { a } from "x";\n*/',
    'const a = "import(x)".length; // import("x")',
  ])("is not fooled by %j", (source) => {
    expect(scanImports(source).filter((found) => found.specifier === "x")).toEqual([]);
  });

  test("keeps an address inside a string", () => {
    expect(scanImports('const a = "http://b";\nimport "x";')).toMatchObject([{ specifier: "x", line: 2 }]);
  });
});

/** A violation of every wall; each must be refused, else the wall does not stand. */
const refused: readonly (readonly [path: string, source: string, complaint: string])[] = [
  ["src/lib/a.ts", 'import type { B } from "../core/b.ts";', "lib may not import src/core/b.ts"],
  ["src/lib/a.ts", 'import { z } from "zod";', "lib may not import the package zod"],
  ["src/core/a.ts", 'import { b } from "../lib/b.ts";', "core may not import src/lib/b.ts"],
  ["src/core/a.ts", 'import { join } from "node:path";', "core may not use the platform"],
  ["src/config/a.ts", 'import type { B } from "../accounts/b.ts";', "config may not import"],
  ["src/storage/memory.ts", 'import { Database } from "bun:sqlite";', "bun:sqlite is for src/storage/sqlite.ts"],
  ["src/storage/a.ts", 'import { b } from "../config/schema.ts";', "storage may not import"],
  ["src/accounts/a.ts", 'import { b } from "../storage/sqlite.ts";', "accounts may not import src/storage/sqlite.ts"],
  ["src/media/a.ts", 'import { b } from "../config/schema.ts";', "only types from src/config/schema.ts"],
  ["src/access/a.ts", 'import { b } from "../accounts/pool.ts";', "access may not import"],
  ["src/providers/grok-web/a.ts", 'import { b } from "../xai-api/b.ts";', "is a sibling"],
  ["src/providers/registry.ts", 'import { b } from "./grok-web/index.ts";', "is a sibling"],
  ["src/providers/grok-web/a.ts", 'import { fetch } from "wreq-js";', "wreq-js is for src/providers/upstream-http.ts"],
  ["src/providers/grok-web/a.ts", 'const w = await import("wreq-js");', "wreq-js is for"],
  ["src/providers/a.ts", 'import type { B } from "../accounts/pool.ts";', "providers may not import"],
  ["src/protocols/openai/a.ts", 'import { b } from "../anthropic/b.ts";', "is a sibling"],
  ["src/protocols/errors.ts", 'import { b } from "../lib/log.ts";', "protocols may not import src/lib/log.ts"],
  ["src/protocols/a.ts", 'import type { B } from "../gateway/generate.ts";', "protocols may not import"],
  ["src/gateway/a.ts", 'import { b } from "../protocols/errors.ts";', "gateway may not import"],
  ["src/gateway/a.ts", 'import { b } from "../access/limits.ts";', "only types from src/access/limits.ts"],
  ["src/gateway/a.ts", 'import { b } from "../providers/upstream-http.ts";', "gateway may not import"],
  ["src/admin/a.ts", 'import { b } from "../gateway/generate.ts";', "admin may not import"],
  ["src/admin/a.ts", 'import { Hono } from "hono";', "hono is for src/http/"],
  ["src/http/a.ts", 'import { b } from "../storage/port.ts";', "http may not import"],
  ["src/http/a.ts", 'import { b } from "../providers/port.ts";', "http may not import"],
  ["src/http/routes/a.ts", 'import { b } from "../../media/store.ts";', "http may not import src/media/store.ts"],
  ["src/http/a.ts", 'import { streamSSE } from "hono/streaming";', "hono/streaming is for nobody"],
  ["src/http/routes/a.ts", 'import { Busboy } from "@fastify/busboy";', "forms are read in one place"],
  ["src/simulator/a.ts", 'import type { B } from "../providers/port.ts";', "simulator may not import"],
  ["src/simulator/a.ts", 'import { b } from "../core/errors.ts";', "only types from src/core/errors.ts"],
  ["src/compose.ts", 'import { z } from "zod";', "compose may not import the package zod"],
  ["src/compose.ts", 'import { b } from "../tests/support/b.ts";', "compose may not import tests/support/b.ts"],
  ["src/cli.ts", 'import { b } from "./gateway/generate.ts";', "command line may not import"],
  ["static/admin/a.tsx", 'import { b } from "../../src/admin/b.ts";', "only types from src/admin/b.ts"],
  ["static/admin/a.tsx", 'import type { B } from "../../src/config/schema.ts";', "pages may not import"],
  ["static/admin/a.tsx", 'import { b } from "react";', "pages may not import the package react"],
  ["src/lib/a.ts", 'import { test } from "bun:test";', "bun:test is for nobody"],
  ["src/lib/a.ts", 'import { b } from "./b";', "lacks its file extension"],
  ["src/lib/a.ts", "const b = await import(name);", "computed: name"],
  ["src/attic/a.ts", "export const a = 1;", "belongs to no room"],
];

const allowed: readonly (readonly [path: string, source: string])[] = [
  ["src/core/a.ts", 'import { z } from "zod";\nimport type { B } from "./b.ts";'],
  ["src/accounts/a.ts", 'import type { C } from "../config/schema.ts";\nimport type { D } from "../storage/port.ts";'],
  ["src/providers/upstream-http.ts", 'const w = await import("wreq-js");'],
  ["src/providers/grok-web/a.ts", 'import { b } from "./b.ts";\nimport type { P } from "../port.ts";'],
  ["src/storage/sqlite.ts", 'import { Database } from "bun:sqlite";'],
  ["src/http/routes/a.ts", 'import { Hono } from "hono";\nimport { b } from "../../media/links.ts";'],
  ["src/compose.ts", 'import { b } from "./providers/grok-web/index.ts";\nimport { c } from "./http/server.ts";'],
  ["src/main.ts", 'import { b } from "./cli.ts";'],
  ["static/admin/a.tsx", 'import { h } from "preact";\nimport type { B } from "../../src/admin/b.ts";'],
];

describe("a planted violation", () => {
  test.each(refused)("in %s of %j is refused", (path, source, complaint) => {
    expect(findImportViolations({ path, text: source }).join("\n")).toContain(complaint);
  });

  test.each(allowed)("in %s is not seen in %j", (path, source) => {
    expect(findImportViolations({ path, text: source })).toEqual([]);
  });

  test("exists for every room and every package wall", () => {
    const refusedRooms = new Set(refused.map(([path]) => roomOf(path)?.name));
    expect(rooms.map((room) => room.name).filter((name) => !refusedRooms.has(name))).toEqual([]);
    const sources = refused.map(([, source]) => source).join("\n");
    const named = [...sources.matchAll(/"([^"]+)"/g)].map(([, specifier = ""]) => specifier);
    const unproven = packageWalls.filter((wall) => !named.some((name) => wall.specifier.test(name)));
    expect(unproven).toEqual([]);
  });

  test("of the cycle rule is found through a type import", () => {
    const cycle = findCycles([
      { path: "src/core/a.ts", text: 'import { b } from "./b.ts";' },
      { path: "src/core/b.ts", text: 'import type { C } from "./c.ts";' },
      { path: "src/core/c.ts", text: 'import { a } from "./a.ts";' },
    ]);
    expect(cycle).toEqual(["src/core/a.ts → src/core/b.ts → src/core/c.ts → src/core/a.ts"]);
    expect(findCycles([{ path: "src/core/a.ts", text: 'import { b } from "./b.ts";' }])).toEqual([]);
  });
});

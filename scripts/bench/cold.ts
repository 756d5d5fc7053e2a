// Cold start: from spawning the executable to its first answered request, against an executable that holds a bare Bun.serve.
// Knows how to build that bare one. Invariant: both are asked in the same way, in turns, with everything unpacked beforehand.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CORES, freePort, launchServer } from "./processes.ts";
import { startGateway, type Rig } from "./targets.ts";

export interface ColdResult {
  bareMs: number[];
  gatewayMs: number[];
}

const BARE = `Bun.serve({ hostname: "127.0.0.1", port: Number(process.env.SERVER_PORT), fetch: () => new Response("ok") });`;

async function buildBare(folder: string): Promise<string> {
  const place = mkdtempSync(join(folder || tmpdir(), "bare-"));
  const source = join(place, "bare.ts");
  const outfile = join(place, "bare");
  writeFileSync(source, BARE);
  const built = await Bun.build({
    entrypoints: [source],
    minify: true,
    bytecode: true,
    format: "esm",
    target: "bun",
    compile: { outfile },
  });
  if (!built.success) throw new AggregateError(built.logs, "the bare executable could not be built");
  return outfile;
}

export async function runColdLane(rig: Rig, starts: number): Promise<ColdResult> {
  const bare = await buildBare(rig.folder);
  const startBare = async () => {
    const port = freePort();
    const child = await launchServer({
      name: "bare",
      argv: [bare],
      core: CORES?.gateway,
      env: { SERVER_PORT: String(port) },
      logPath: join(rig.folder, "bare.log"),
      port,
      path: "/",
      patienceMs: 5000,
    });
    await child.stop();
    return child.readyMs;
  };
  const startOurs = async () => {
    const gateway = await startGateway(rig, { client: "wreq", mock: rig.h1, label: "cold" });
    await gateway.child.stop();
    return gateway.readyMs;
  };
  // The first start of each unpacks addons and makes the database; that happens once in the life of an installation.
  await startBare();
  await startOurs();
  const result: ColdResult = { bareMs: [], gatewayMs: [] };
  for (let start = 0; start < starts; start++) {
    result.bareMs.push(await startBare());
    result.gatewayMs.push(await startOurs());
  }
  return result;
}

// Reads the command line of the bench. Knows no processes. Invariant: an option that is not known stops the run.
import { existsSync } from "node:fs";
import { join } from "node:path";

export interface Options {
  mode: "quick" | "default" | "soak";
  soakMinutes: number;
  /** only the references, to try the rig itself */
  floorsOnly: boolean;
  /** lanes to run; null: all of the mode */
  lanes: string[] | null;
  binary: string;
  profile: boolean;
}

export const USAGE = `usage: bun scripts/bench/run.ts [options]

  --quick           burst, JSON, latency, 50 paced streams, both upstreams, hang-ups, cold start: about 90 s
  (no mode)         everything: at most 10 minutes
  --soak 30m        mixed traffic with 5 % hang-ups; memory may grow by 0.5 MB a minute after minute 10
  --only floors     only the reference gateways: tries the rig, judges nothing
  --only <lanes>    some lanes, by name: burst,burst-h2,json,lat1,paced50,paced200,paced200-h2,paced400,
                    burst-xai,json-xai,paced-xai (the official API as upstream),
                    cancel,stalled,silence,memory,leak,journal,cold
  --profile         CPU profile (Markdown) of the burst lane, or with --only json, burst-xai or json-xai of that one;
                    taken from the sources by bun, not from the executable
  --binary <path>   executable under test (dist/grok2api)
  --help

The gateway under test is the compiled executable with a real configuration in a temporary folder; upstream, clients and
gateway talk over 127.0.0.1 only. Results go to bench-results/. There is no lane that runs other gateways (--peer).
Exit code: 0 all judged goals met, 1 a goal missed, 2 the run failed, 3 the host was too noisy for a verdict.`;

export class UsageError extends Error {}

export function readOptions(argv: readonly string[], root: string): Options {
  const options: Options = {
    mode: "default",
    soakMinutes: 30,
    floorsOnly: false,
    lanes: null,
    binary: join(root, "dist/grok2api"),
    profile: false,
  };
  const words = [...argv];
  const value = (option: string) => {
    const next = words.shift();
    if (!next) throw new UsageError(`${option} needs a value`);
    return next;
  };
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === "--quick") options.mode = "quick";
    else if (word === "--soak") {
      options.mode = "soak";
      options.soakMinutes = Number(/^(\d+)m?$/.exec(value(word))?.[1] ?? 0);
      if (!options.soakMinutes) throw new UsageError("--soak takes minutes, such as 30m");
    } else if (word === "--only") {
      const lanes = value(word);
      if (lanes === "floors") options.floorsOnly = true;
      else options.lanes = [...(options.lanes ?? []), ...lanes.split(",")];
    } else if (word === "--binary") options.binary = value(word);
    else if (word === "--profile") options.profile = true;
    else throw new UsageError(`unknown option ${word}`);
  }
  if (!options.floorsOnly && !options.profile && !existsSync(options.binary))
    throw new UsageError(
      `there is no executable at ${options.binary}; run "npm run build" first, or try the rig with --only floors`,
    );
  return options;
}

/** The rig speaks plain text with made-up keys and self-signed certificates: it must never listen to the outside. */
export function refuseOutside(host: string | undefined): void {
  if (host && !["127.0.0.1", "localhost", "::1"].includes(host))
    throw new UsageError(`HOST=${host} is refused: the bench listens on 127.0.0.1 only`);
}

// The command line: which commands there are, how they are called, and how a failure is told. Knows no command's inside.
// Invariant: a failure is one clear message on standard error and an exit code (1; 2 for misuse), never a stack trace.
import { parseArgs } from "node:util";
import { importCommand, resetPasswordCommand } from "./cli/account-commands.ts";
import { checkConfigCommand, printConfigCommand } from "./cli/config-commands.ts";
import { demoCommand } from "./cli/demo.ts";
import { healthcheckCommand } from "./cli/healthcheck.ts";
import { installUnitCommand } from "./cli/install-unit.ts";
import type { Io } from "./cli/port.ts";
import { serveCommand } from "./cli/serve.ts";
import { simulateCommand } from "./cli/simulate.ts";
import { readVersion, versionLine } from "./cli/version.ts";
import { redact } from "./lib/log.ts";

interface Command {
  /** What may follow the name. */
  readonly usage: string;
  readonly summary: string;
  readonly run: (io: Io, args: readonly string[]) => Promise<number>;
}

const alone =
  (run: (io: Io) => Promise<number>): Command["run"] =>
  async (io, args) => {
    parseArgs({ args: [...args], options: {}, allowPositionals: false });
    return run(io);
  };

const COMMANDS: Readonly<Record<string, Command>> = {
  serve: { usage: "", summary: "Run the gateway (the default).", run: alone(serveCommand) },
  demo: {
    usage: "",
    summary: "Try everything against a simulated upstream; needs no account and leaves nothing behind.",
    run: alone(demoCommand),
  },
  simulate: {
    usage: "[--port N]",
    summary: "Run the simulated upstream alone.",
    run: async (io, args) => {
      const { values } = parseArgs({ args: [...args], options: { port: { type: "string", default: "0" } } });
      if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65_535)
        throw misuse(`--port ${values.port} is no port`);
      return simulateCommand(io, Number(values.port));
    },
  },
  "check-config": {
    usage: "",
    summary: "Check the configuration and say what is wrong.",
    run: alone(checkConfigCommand),
  },
  "print-config": {
    usage: "",
    summary: "Show every setting and where its value comes from; secrets masked.",
    run: alone(printConfigCommand),
  },
  import: {
    usage: "FILE|FOLDER…",
    summary:
      "Add accounts from files of any known shape (- is standard input), or take an older program's data folder over.",
    run: async (io, args) => {
      const { positionals } = parseArgs({ args: [...args], options: {}, allowPositionals: true });
      if (positionals.length === 0) throw misuse("import needs at least one file");
      return importCommand(io, positionals);
    },
  },
  "reset-admin-password": {
    usage: "",
    summary: "Make a new admin password, show it once and end every session.",
    run: alone(resetPasswordCommand),
  },
  healthcheck: {
    usage: "[--ready]",
    summary: "Exit with 0 when the gateway of this machine lives (or with --ready, can serve).",
    run: async (io, args) => {
      const { values } = parseArgs({ args: [...args], options: { ready: { type: "boolean", default: false } } });
      return healthcheckCommand(io, values.ready ? "/readyz" : "/health");
    },
  },
  "install-service": {
    usage: "[--print] [--root FOLDER]",
    summary: "Let systemd run this executable, or upgrade the one that it runs; --print only shows the unit.",
    run: async (io, args) => {
      const { values } = parseArgs({
        args: [...args],
        options: { print: { type: "boolean", default: false }, root: { type: "string" } },
      });
      return installUnitCommand(io, { print: values.print, root: values.root ?? null });
    },
  },
  version: {
    usage: "",
    summary: "Show the version.",
    run: alone(async (io) => {
      io.out(versionLine(readVersion()));
      return 0;
    }),
  },
  help: {
    usage: "",
    summary: "Show this text.",
    run: alone(async (io) => {
      io.out(helpText());
      return 0;
    }),
  },
};

const ALIASES: Readonly<Record<string, string>> = {
  "--help": "help",
  "-h": "help",
  "--version": "version",
  "-v": "version",
};

export const runCli = async (args: readonly string[], io: Io): Promise<number> => {
  const [given = "serve", ...rest] = args;
  const name = ALIASES[given] ?? given;
  try {
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (!command) throw misuse(`there is no command "${given}"`);
    if (rest.includes("--help") || rest.includes("-h")) {
      io.out(`usage: grok2api ${`${name} ${command.usage}`.trim()}\n${command.summary}`);
      return 0;
    }
    return await command.run(io, rest);
  } catch (thrown) {
    if (isMisuse(thrown)) {
      io.err(`grok2api: ${messageOf(thrown).split(". ")[0]}; see grok2api help`);
      return 2;
    }
    io.err(`grok2api: ${redact(messageOf(thrown))}`);
    return 1;
  }
};

const MISUSE = "ERR_PARSE_ARGS_MISUSE";

const misuse = (message: string): Error => Object.assign(new Error(message), { code: MISUSE });

/** Also what node's own parser throws. */
const isMisuse = (thrown: unknown): boolean =>
  thrown instanceof Error &&
  "code" in thrown &&
  typeof thrown.code === "string" &&
  thrown.code.startsWith("ERR_PARSE_ARGS");

const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

const helpText = (): string => {
  const rows = Object.entries(COMMANDS).map(
    ([name, { usage, summary }]) => [`${name} ${usage}`.trim(), summary] as const,
  );
  const width = Math.max(...rows.map(([call]) => call.length));
  return [
    "usage: grok2api [command]",
    "",
    ...rows.map(([call, summary]) => `  ${call.padEnd(width)}  ${summary}`),
    "",
    "The most important variables (print-config shows all settings):",
    "  SERVER_HOST, SERVER_PORT  where to listen (0.0.0.0, 8000)",
    "  DATA_DIR                  folder of config.toml, the database and the files (./data)",
    "  LOG_LEVEL                 debug, info, warn or error",
  ].join("\n");
};

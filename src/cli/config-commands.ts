// `check-config` and `print-config`: what file and environment say, without opening the store or the network.
// Invariant: no secret is printed.
import { dumpConfig } from "../config/describe.ts";
import { configPath, type Environment } from "../config/environment.ts";
import { readConfigFiles } from "../config/file.ts";
import { formatProblems, loadConfig, type LoadedConfig } from "../config/load.ts";
import type { Io } from "./port.ts";

/** Throws one Error that names every problem. */
export const readConfig = async (environment: Environment): Promise<LoadedConfig & { readonly sources: string }> => {
  const files = await readConfigFiles(configPath(environment));
  const result = loadConfig({ files, environment });
  if (!result.ok) throw new Error(`the configuration is not valid:\n${formatProblems(result.problems)}`);
  const read = files.map(({ path }) => path);
  return { ...result, sources: [...read, "environment"].join(", ") };
};

export const checkConfigCommand = async (io: Io): Promise<number> => {
  const { notes, sources } = await readConfig(io.env);
  for (const { level, message } of notes) io.err(`${level}: ${message}`);
  io.out(`The configuration is valid (${sources}).`);
  return 0;
};

export const printConfigCommand = async (io: Io): Promise<number> => {
  const { config, origins, notes } = await readConfig(io.env);
  for (const { level, message } of notes) io.err(`${level}: ${message}`);
  io.out(dumpConfig(config, origins));
  io.err("Settings that the admin page has stored are not part of this; the page shows them.");
  return 0;
};

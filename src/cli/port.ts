// What the command line needs of the process around it and of the composed program. Knows no command.
// Invariant: commands touch neither the process nor the console but through this, so that tests can run them.
import type { Environment } from "../config/environment.ts";
import type { Config } from "../config/schema.ts";

export interface Version {
  readonly version: string;
  /** Empty outside a repository. */
  readonly commit: string;
}

export interface ImportReport {
  readonly added: number;
  /** Known already; what the file knew more was added to them. */
  readonly merged: number;
  /** One line each, without a token. */
  readonly refused: readonly string[];
}

export interface FolderReport {
  readonly took: boolean;
  /** For the operator; without a secret. */
  readonly lines: readonly string[];
}

/** The composed program. */
export interface App {
  readonly config: Config;
  /** Made by this very start, and told nowhere else. */
  readonly firstPassword: string | null;
  listen(): Promise<{ readonly url: string }>;
  /** Lets streams finish within the grace time, ends the rest, writes everything down. Also for an app that never listened. */
  stop(): Promise<void>;
  importAccounts(text: string): Promise<ImportReport>;
  /** Takes over everything in a data folder of an earlier program. */
  importFolder(path: string): Promise<FolderReport>;
  resetAdminPassword(): Promise<string>;
}

export interface ComposeOptions {
  readonly env: Environment;
  readonly version: Version;
  /** A tool opens the store and nothing else: no first password, no import by itself, no work in the background. */
  readonly purpose: "serve" | "tool";
}

export type Compose = (options: ComposeOptions) => Promise<App>;

export interface Io {
  readonly env: Environment;
  readonly compose: Compose;
  /** One line or several on standard output. */
  out(text: string): void;
  /** The same on standard error. */
  err(text: string): void;
  /** Standard input as text. */
  input(): Promise<string>;
  /** Called for every SIGINT and SIGTERM until the returned function is called. */
  onSignal(listener: () => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
}

// What a take-over of an old data folder has done, and the lines in which it is told. Pure.
// Invariant: whatever was found is in the report as taken, known, kept or left, and no line quotes a secret.

export interface Left {
  readonly name: string;
  readonly reason: string;
}

export interface AccountsTaken {
  readonly added: number;
  /** Known already; what the folder knew more was added to them. */
  readonly updated: number;
  readonly unchanged: number;
  /** Rows that could not be read, and rows that stood there twice. */
  readonly problems: readonly string[];
}

export interface SettingsTaken {
  readonly taken: readonly string[];
  /** Valid, but not used: the setting is made here already, or cannot be made this way. */
  readonly kept: readonly Left[];
  readonly refused: readonly Left[];
  /** What old names were translated to, and what was ignored. */
  readonly notes: readonly string[];
}

export interface MediaTaken {
  readonly files: number;
  readonly bytes: number;
  readonly known: number;
  readonly left: readonly Left[];
}

export interface MigrationReport {
  /** The data folder that was read. */
  readonly folder: string;
  readonly accounts: AccountsTaken;
  readonly settings: SettingsTaken;
  readonly media: MediaTaken;
  /** Kept as they are for a later use. */
  readonly aside: readonly string[];
  readonly left: readonly Left[];
}

const SHOWN = 20;

const some = (what: string, rows: readonly string[]): string[] => {
  if (rows.length === 0) return [];
  const more = rows.length > SHOWN ? [`  … and ${rows.length - SHOWN} more`] : [];
  return [`${what}:`, ...rows.slice(0, SHOWN).map((row) => `  ${row}`), ...more];
};

const reasons = (left: readonly Left[]): string[] => left.map(({ name, reason }) => `${name}: ${reason}`);

export const reportLines = (report: MigrationReport): string[] => {
  const { accounts, settings, media } = report;
  return [
    `${report.folder}:`,
    `accounts: ${accounts.added} added, ${accounts.updated + accounts.unchanged} known already`,
    `settings: ${settings.taken.length} taken, ${settings.kept.length} kept as they are here, ${settings.refused.length} refused`,
    `pictures and clips: ${media.files} taken (${(media.bytes / 1024 / 1024).toFixed(1)} MB), ${media.known} here already`,
    ...some("settings that were taken", settings.taken),
    ...some("settings that were not taken", reasons(settings.kept)),
    ...some("settings that were refused", reasons(settings.refused)),
    ...some("about settings", settings.notes),
    ...some("account rows", accounts.problems),
    ...some("kept for later", report.aside),
    ...some("files that were left", reasons(media.left)),
    ...some("left in the folder", reasons(report.left)),
  ];
};

/** Whether anything of the folder is here now. */
export const tookAnything = ({ accounts, settings, media, aside }: MigrationReport): boolean =>
  accounts.added + accounts.updated + accounts.unchanged + settings.taken.length + media.files + media.known > 0 ||
  aside.length > 0;

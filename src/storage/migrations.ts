// The database's shape as a list of steps, oldest first; `user_version` counts the steps already taken.
// Forward only: a released step is never edited, only followed by another one.
export const migrations: readonly string[] = [
  `CREATE TABLE documents (
     collection TEXT NOT NULL,
     id TEXT NOT NULL,
     revision INTEGER NOT NULL,
     body TEXT NOT NULL,
     PRIMARY KEY (collection, id)
   ) STRICT`,
  `CREATE TABLE requests (
     seq INTEGER PRIMARY KEY,
     id TEXT NOT NULL,
     end_ms INTEGER NOT NULL,
     route TEXT NOT NULL,
     key TEXT NOT NULL,
     model TEXT,
     served TEXT,
     mode TEXT,
     account TEXT,
     stream INTEGER NOT NULL,
     status INTEGER NOT NULL,
     outcome TEXT NOT NULL,
     code TEXT,
     tries INTEGER NOT NULL,
     attempts TEXT,
     first_byte_ms REAL,
     total_ms REAL NOT NULL,
     tokens_in INTEGER NOT NULL,
     tokens_out INTEGER NOT NULL,
     tokens_reasoning INTEGER NOT NULL,
     tokens_estimated INTEGER NOT NULL,
     images INTEGER NOT NULL,
     videos INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX requests_by_id ON requests (id);
   CREATE TABLE rollups (
     span TEXT NOT NULL,
     dimension TEXT NOT NULL,
     start_ms INTEGER NOT NULL,
     value TEXT NOT NULL,
     requests INTEGER NOT NULL,
     served INTEGER NOT NULL,
     failed INTEGER NOT NULL,
     closed INTEGER NOT NULL,
     tokens_in INTEGER NOT NULL,
     tokens_out INTEGER NOT NULL,
     tokens_reasoning INTEGER NOT NULL,
     images INTEGER NOT NULL,
     videos INTEGER NOT NULL,
     first_bytes INTEGER NOT NULL,
     first_byte_ms REAL NOT NULL,
     total_ms REAL NOT NULL,
     PRIMARY KEY (span, dimension, start_ms, value)
   ) STRICT, WITHOUT ROWID`,
  // By the hour first: what is written and removed together then lies together, and costs a tenth of the pages.
  `DROP INDEX requests_by_id;
   CREATE INDEX requests_by_hour ON requests (seq / 3600000000, id)`,
  `ALTER TABLE requests ADD COLUMN cost_ticks INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE rollups ADD COLUMN cost_ticks INTEGER NOT NULL DEFAULT 0`,
];

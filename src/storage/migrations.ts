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
];

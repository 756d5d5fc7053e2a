// A program to be killed: writes the same documents again and again, each time all of them in one write, and says when it
// begins one. Run with the path of the database.
import { writeSync } from "node:fs";
import { openSqlite } from "../../src/storage/sqlite.ts";

const documents = openSqlite({ path: process.argv[2] ?? "" });
for (let round = 1; ; round++) {
  const changes = Array.from({ length: 20_000 }, (_, index) => ({
    collection: "accounts",
    id: `account-${index}`,
    body: { round, filler: "x".repeat(300) },
  }));
  writeSync(1, `${round}\n`);
  await documents.write(changes);
}

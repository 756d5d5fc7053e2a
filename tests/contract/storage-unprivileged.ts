// Opens a database as a user who owns nothing and prints what the operator would read. Run with the path of the database.
import { openSqlite } from "../../src/storage/sqlite.ts";

if (process.getuid?.() === 0) {
  process.setgid?.(65_534);
  process.setuid?.(65_534);
}
try {
  await openSqlite({ path: process.argv[2] ?? "" }).close();
  console.log("opened");
} catch (thrown) {
  console.log(thrown instanceof Error ? thrown.message : thrown);
}

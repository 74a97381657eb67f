// Replies of real servers (MySQL 9.7.4, MariaDB 10.11.19), recorded by test/e2e/reply-boundary.test.ts: one file for each
// server and mode, one reply a line.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RecordedReply } from "../../support/reply-corpus.ts";

const folder = join(import.meta.dirname, "../../fixtures/wire");

/** Names of the recordings: server, then mode. */
export const servers = ["mariadb", "mysql"] as const;

/** The replies of one recording, in order. */
export function recordedReplies(name: string): RecordedReply[] {
  const lines = readFileSync(join(folder, `${name}.jsonl`), "utf8")
    .trimEnd()
    .split("\n");
  return lines.map((line) => {
    const recorded = JSON.parse(line) as RecordedReply & { reply: string };
    return { ...recorded, reply: Buffer.from(recorded.reply, "hex") };
  });
}

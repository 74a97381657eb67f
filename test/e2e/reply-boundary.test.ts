// Where replies end, against real servers: every command's reply in every mode, cut in many ways, ends for the boundary
// where it ends for the raw client. With GATEHOUSE_RECORD_REPLIES=1 the replies become the fixtures of test/unit/wire.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { serviceAccount } from "../support/database-server.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { mysqldCommand, startMysql } from "../support/mysql-server.ts";
import { loggedIn } from "../support/raw/login.ts";
import { corpusSetUp, playCorpus, type RecordedReply, replyModes } from "../support/reply-corpus.ts";
import { playReply } from "../unit/wire/play-reply.ts";

const fixtures = join(import.meta.dirname, "../fixtures/wire");

describe.each([
  { name: "mariadb", start: startMariadb, present: true },
  { name: "mysql", start: startMysql, present: mysqldCommand !== null },
])("replies of $name", ({ name, start, present }) => {
  let server: DatabaseServer;
  beforeAll(async () => {
    if (present) server = await start();
  });
  afterAll(() => server?.stop());

  it.skipIf(!present).each(replyModes)("$name", async (mode) => {
    await server.admin(...corpusSetUp);
    const options = { ...serviceAccount, capabilities: mode.capabilities, database: "shop" };
    const client = await loggedIn({ socketPath: server.socketPath }, options);
    const replies = await playCorpus(client, mode.capabilities);
    expect(client.reader.unreadBytes).toBe(0);
    await client.quit();
    expect(replies.length).toBeGreaterThan(80);
    if (process.env.GATEHOUSE_RECORD_REPLIES === "1") record(`${name}-${mode.name}`, replies);
    for (const reply of replies) play(reply);
  });
});

function play(recorded: RecordedReply): void {
  try {
    playReply({ ...recorded, inspectSessionTrack: false });
    playReply({ ...recorded, inspectSessionTrack: true });
  } catch (cause) {
    throw new Error(`${recorded.label}: ${recorded.reply.subarray(0, 400).toString("hex")}`, { cause });
  }
}

function record(name: string, replies: readonly RecordedReply[]): void {
  mkdirSync(fixtures, { recursive: true });
  const lines = replies.map(({ label, command, capabilities, reply }) =>
    JSON.stringify({ label, command, capabilities, reply: reply.toString("hex") }),
  );
  writeFileSync(join(fixtures, `${name}.jsonl`), `${lines.join("\n")}\n`);
}

// Without a table ACL nobody refuses a text, but one that is not understood pins its session. A text that is read in another
// way in another sql_mode or character set is understood as soon as these are known: it never pins.
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { type GatewayProcess, startGateway, testUser } from "../support/gateway-process.ts";
import { sqlServers } from "../support/sql-servers.ts";

/** Texts on one connection; the last one's only row. */
const conversations: readonly (readonly [texts: readonly string[], row: readonly string[]])[] = [
  [["SELECT 'é@x'"], ["é@x"]],
  [["SELECT 'o\\'brien@x; user'"], ["o'brien@x; user"]],
  [
    ["SET sql_mode = 'STRICT_ALL_TABLES'", "SELECT 'o\\'brien; user', \"x\\\"y@\", 'é@'"],
    ["o'brien; user", 'x"y@', "é@"],
  ],
  [
    ["SET SESSION sql_mode = 'ANSI_QUOTES'", "SELECT 'x' AS \"it's;@\", 'é'"],
    ["x", "é"],
  ],
  [["SET sql_mode = 'NO_BACKSLASH_ESCAPES'", "SELECT 'a\\' AS `x;@`"], ["a\\"]],
  [["SET sql_mode = DEFAULT", "SELECT 'o\\'b; é@'"], ["o'b; é@"]],
  [["SET sql_mode = 'ANSI', NAMES utf8mb4", "SELECT 'o\\'b;' AS \"q'@\""], ["o'b;"]],
  [
    ["SET NAMES latin1", "SELECT 'é@x', 'o\\'b; user'"],
    ["é@x", "o'b; user"],
  ],
];

describe.each(sqlServers)("on $name", ({ start, present }) => {
  let server: DatabaseServer;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    if (!present) return;
    server = await start();
    gateway = await startGateway({ backend: server });
  });
  afterAll(async () => {
    await gateway?.stop();
    await server?.stop();
  });

  it.skipIf(!present).each(conversations)("%s: answers, and does not pin", async (texts, row) => {
    const client = await createConnection({ ...testUser, port: gateway.port });
    try {
      let rows: unknown;
      for (const sql of texts) [rows] = await client.query({ sql, rowsAsArray: true });
      expect(rows).toEqual([row]);
      const { body } = await gateway.admin("/api/sessions");
      expect(body.match(/"pinned_because":\s*("[^"]*"|null)/)?.[1]).toBe("null");
    } finally {
      await client.end();
    }
  });
});

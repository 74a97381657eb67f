// The hostile client again, by other ways than texts: commands of the protocol, the character set of the login, and a server
// that takes upper and lower case of names for the same.
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { startGateway } from "../support/gateway-process.ts";
import { capability, usualCapabilities } from "../support/raw/capabilities.ts";
import { loggedIn } from "../support/raw/login.ts";
import { decodeError } from "../support/raw/packets.ts";
import type { RawClient, Reply } from "../support/raw/raw-client.ts";
import { sqlServers } from "../support/sql-servers.ts";
import { secretState, setUp, writeHostileAcl } from "./acl/hostile-place.ts";

const servers = sqlServers.flatMap(({ name, flavour, start, present }) => {
  const usual = { name, flags: [] as string[], start, present };
  // MySQL wants that from its first start on.
  if (flavour === "mysql") return [usual];
  return [usual, { ...usual, name: `${name}, names in lower case`, flags: ["--lower-case-table-names=1"] }];
});

const codeOf = ({ error }: Reply): number => error?.code ?? 0;
const frame = (length: number, sequence: number): Buffer =>
  Buffer.of(length & 0xff, length >> 8, 0, sequence & 0xff);
const bytesOf = ({ packets }: Reply): string => Buffer.concat(packets).toString("latin1");

for (const { name, flags, start, present } of servers) {
  const folds = flags.length > 0;
  describe.skipIf(!present)(`beside texts, before ${name}`, () => {
    let server: DatabaseServer;
    let gateway: GatewayProcess;
    let root: Connection;

    beforeAll(async () => {
      server = await start({ skipNetworking: true, flags });
      root = await server.connect();
      await setUp(root);
      await root.query("CREATE TABLE d.my_loaded (a INT)");
      gateway = await startGateway({
        backend: server,
        users: { eve: [{ Password: "eve-password" }] },
        flags: { table_acl_config: writeHostileAcl(), log_level: "info" },
      });
    });

    afterAll(async () => {
      root?.destroy();
      await gateway?.stop();
      await server?.stop();
    });

    async function withClient<T>(use: (client: RawClient) => Promise<T>, collation = 45): Promise<T> {
      const client = await loggedIn(
        { socketPath: gateway.socketPath },
        {
          user: "eve",
          password: "eve-password",
          database: "d",
          collation,
          capabilities: usualCapabilities | capability.MULTI_STATEMENTS | capability.MULTI_RESULTS,
        },
      );
      try {
        return await use(client);
      } finally {
        client.destroy();
      }
    }

    const fieldList = (table: string) => Buffer.concat([Buffer.of(4), Buffer.from(`${table}\0%`, "latin1")]);

    it("COM_FIELD_LIST tells of own tables only", async () => {
      await withClient(async (client) => {
        for (const table of [
          "secret",
          "unlisted_hoard",
          "d.secret",
          "secret ",
          "`secret`",
          "Secret",
          "SECRET",
          "se\xf1ret",
        ]) {
          const reply = await client.command(fieldList(table));
          expect([table, bytesOf(reply).includes("hidden")]).toEqual([table, false]);
          expect([table, codeOf(reply)]).not.toEqual([table, 0]);
          const absent = await client.command(fieldList(table.replace("secret", "nosuch")));
          expect(bytesOf(absent)).toBe(bytesOf(reply).replaceAll("secret", "nosuch"));
        }
        const own = await client.command(fieldList("t"));
        expect([0, 1047]).toContain(codeOf(own));
        await client.command(fieldList("secret\0junk\0"));
        expect(codeOf(await client.query("SELECT a FROM t"))).toBe(0);
      });
    });

    it("COM_INIT_DB enters nothing that is hidden, and does not say what is there", async () => {
      await withClient(async (client) => {
        for (const schema of ["vault", "noplc", "mysql", "performance_schema", "VAULT", ""]) {
          const reply = await client.command(Buffer.concat([Buffer.of(2), Buffer.from(schema)]));
          expect([schema, codeOf(reply)]).not.toEqual([schema, 0]);
          expect(bytesOf(reply)).not.toMatch(/Unknown database '(vault|noplc)'/);
        }
        expect(await client.rows("SELECT DATABASE()")).toEqual([["d"]]);
      });
    });

    it("other commands are refused, and the session goes on", async () => {
      const before = await secretState(root);
      const names = Buffer.from("d\0secret\0");
      for (const command of [5, 6, 7, 8, 11, 13, 15, 16, 18, 19, 20, 21, 29, 30, 32, 33, 0xfa, 0xfb, 0xfe]) {
        await withClient(async (client) => {
          const reply = await client.command(Buffer.concat([Buffer.of(command), names]), {
            timeoutMs: 10_000,
          });
          expect([command, codeOf(reply)]).not.toEqual([command, 0]);
          expect(bytesOf(reply)).not.toMatch(/hidden|unlisted|vault/);
          expect(codeOf(await client.query("SELECT a FROM t"))).toBe(0);
        });
      }
      await withClient(async (client) => {
        // COM_PROCESS_INFO: one's own sessions.
        expect(bytesOf(await client.command(Buffer.of(10)))).not.toMatch(/hidden|unlisted|vault|root/);
        expect(bytesOf(await client.command(Buffer.of(9)))).not.toMatch(/hidden|unlisted|vault/);
      });
      expect(await secretState(root)).toBe(before);
    });

    // Servers give up a file at a wrong sequence number and take what follows for commands.
    it.each([
      ["behind a header", (at: number) => frame(5, at + 7)],
      ["behind a header of nothing", (at: number) => frame(0, at + 7)],
      ["behind a packet", (at: number) => Buffer.concat([frame(2, at), Buffer.from("7\n"), frame(0, at)])],
      ["in place of the file", () => Buffer.alloc(0)],
      ["behind the file, as its next packet", (at: number) => frame(0, at + 1)],
    ])("no command is hidden in the file of LOAD DATA LOCAL: %s", async (_, begun) => {
      const before = await secretState(root);
      const command = Buffer.from("\x03DELETE FROM secret");
      for (const pad of [0, 1, 2, 4, 5, 9]) {
        await withClient(async (client) => {
          const infile = Buffer.from("\x03LOAD DATA LOCAL INFILE 'x' INTO TABLE my_loaded");
          client.stream.write(Buffer.concat([frame(infile.length, 0), infile]));
          const asked = await client.reader.readFrame();
          expect(asked.payload[0]).toBe(0xfb);
          const inside = Buffer.concat([Buffer.alloc(pad), frame(command.length, 0), command]);
          client.stream.write(Buffer.concat([begun(asked.sequence + 1), inside]));
          expect(decodeError((await client.reader.readFrame()).payload)?.code).toBe(1156);
          expect((await client.readToEnd()).length).toBe(0);
        });
        // Whoever has the connections next is answered what was asked.
        expect(await withClient((client) => client.rows("SELECT 'in step'"))).toEqual([["in step"]]);
      }
      expect(await secretState(root)).toBe(before);
    });

    // In latin1 the backslash is one, and the text a harmless string; MariaDB takes gb18030 for latin1.
    it.each([
      ["gbk", 28, "\xbf"],
      ["sjis", 13, "\x81"],
      ["cp932", 95, "\x81"],
      ["big5", 1, "\xa4"],
      ["gb18030", 248, "\x81"],
      ["latin1", 8, "\xbf"],
    ])("a login in %s hides no backslash", async (set, collation, lead) => {
      const single = set === "latin1" || (set === "gb18030" && name !== "mysql");
      await withClient(async (client) => {
        for (const sql of [
          `SELECT '${lead}\\' FROM secret -- '`,
          `SELECT '${lead}\\' , b FROM secret -- '`,
          `SELECT '${lead}' FROM \`secret\``,
        ]) {
          const text = Buffer.concat([Buffer.of(3), Buffer.from(sql, "latin1")]);
          const reply = await client.command(text);
          const isString = codeOf(reply) === 0 && sql.includes("\\");
          expect([1064, 1142, 1235].includes(codeOf(reply)) || (isString && single)).toBe(true);
          expect(bytesOf(reply)).not.toContain("hidden");
          const prepared = await client.command(Buffer.concat([Buffer.of(0x16), text.subarray(1)]));
          expect(codeOf(prepared) === 0).toBe(isString);
        }
        // What reads the same for every character set still runs.
        expect([0, 1235]).toContain(codeOf(await client.query("SELECT a FROM t")));
      }, collation);
    });

    it.runIf(folds)("names in any case are the same tables", async () => {
      await withClient(async (client) => {
        for (const table of [
          "SECRET",
          "Secret",
          "`sEcReT`",
          "D.secret",
          "D.SECRET",
          "ſecret",
          "ＳＥＣＲＥＴ",
          "VAULT.gold",
          "Unlisted_Hoard",
        ]) {
          const reply = await client.query(`SELECT * FROM ${table}`);
          expect([table, [1142, 1235].includes(codeOf(reply))]).toEqual([table, true]);
          expect(bytesOf(reply)).not.toContain("hidden");
        }
        expect(codeOf(await client.query("SELECT T.a FROM D.T AS T"))).toBe(0);
        expect(codeOf(await client.query("WITH SECRET AS (SELECT 1 a) SELECT a FROM secret"))).toBe(0);
        expect(codeOf(await client.query("WITH x AS (SELECT 1 a) SELECT a FROM X, Secret"))).toBe(1142);
        expect(codeOf(await client.query("CREATE TABLE MY_New (a INT)"))).toBe(0);
        expect(bytesOf(await client.query("SHOW TABLES"))).toMatch(/my_new/);
        expect(bytesOf(await client.query("SHOW TABLES FROM D"))).not.toMatch(/secret|unlisted/);
        expect(codeOf(await client.query("DROP TABLE my_NEW"))).toBe(0);
      });
    });
  });
}

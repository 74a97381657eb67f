// Real clients and what they do by themselves: command lines, dumps, PyMySQL, mysql2 and its pool.

import type { RowDataPacket } from "mysql2/promise";
import { createConnection, createPool } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CertificateAuthority } from "../support/certificates.ts";
import { createAuthority, issueServerCertificate, pem } from "../support/certificates.ts";
import {
  commandLines,
  connectOptions,
  hasPython,
  mariadbCommand,
  passwordEnvironment,
  runCommandLine,
  runPymysql,
} from "../support/command-line.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { findProgram, runProgram } from "../support/processes.ts";
import { nativeHash, sha2Hash } from "../support/raw/passwords.ts";
import { setUp } from "./statements.ts";

let server: DatabaseServer;
let gateway: GatewayProcess;
let authority: CertificateAuthority;
const users = {
  clear: [{ Password: "c-secret" }],
  native: [{ MysqlNativePassword: nativeHash("c-secret") }],
  sha2: [{ CachingSha2Password: sha2Hash("c-secret") }],
};
const names = Object.keys(users);
const password = "c-secret";

beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
  await server.admin(...setUp);
  authority = createAuthority();
  const { cert, key } = issueServerCertificate(authority);
  gateway = await startGateway({
    backend: server,
    users,
    flags: { mysql_server_ssl_cert: cert, mysql_server_ssl_key: key },
  });
});
afterAll(async () => {
  await gateway?.stop();
  await server?.stop();
});

describe.each(commandLines)("$name, the command line", ({ name, command }) => {
  const noTls = name === "mysql" ? ["--ssl-mode=DISABLED", "--get-server-public-key"] : ["--skip-ssl"];

  it.each(names)("logs in as %s over every transport", async (user) => {
    const withTls = name === "mysql" ? ["--ssl-mode=VERIFY_CA"] : ["--ssl", "--ssl-verify-server-cert"];
    const tls = [...withTls, `--ssl-ca=${authority.cert}`];
    for (const [target, extra] of [
      [{ port: gateway.port }, noTls],
      [{ port: gateway.port }, tls],
      [{ socketPath: gateway.socketPath }, []],
    ] as const) {
      // MySQL 9's client has no native plugin any more: it cannot follow the switch on plain TCP.
      if (name === "mysql" && user === "native" && extra === noTls) continue;
      const right = await runCommandLine(command, { user, password, ...target }, "SELECT 6 * 7", { extra });
      expect(right).toMatchObject({ code: 0, stdout: "42\n" });
      const wrong = await runCommandLine(command, { user, password: "no", ...target }, "SELECT 1", { extra });
      expect(wrong.code).toBe(1);
      expect(wrong.stderr).toMatch(/ERROR 1045 \(28000\).*Access denied for user/);
    }
  });

  it("runs scripts with delimiters, statements of many kinds and large rows, buffered and not", async () => {
    const target = { user: "clear", password, socketPath: gateway.socketPath, database: "shop" };
    for (const extra of [[], ["--quick"], ["--table"], ["--force"]]) {
      const result = await runCommandLine(
        command,
        target,
        `DROP PROCEDURE IF EXISTS p;
DELIMITER //
CREATE PROCEDURE p() BEGIN SELECT 'first'; SELECT 'second'; END//
DELIMITER ;
CALL p();
SELECT COUNT(*) FROM numbers;
SELECT LENGTH(REPEAT('x', 2000000));
SELECT REPEAT('y', 300000);
USE mysql;
SELECT DATABASE();
${name === "mariadb" ? "STATUS" : ""}
SHOW WARNINGS;
`,
        { extra },
      );
      expect(result.stderr).toBe("");
      expect(result.code).toBe(0);
      for (const wanted of ["first", "second", "500", "2000000", "mysql"])
        expect(result.stdout).toContain(wanted);
      expect(result.stdout.length).toBeGreaterThan(300_000);
    }
  });

  it("gets 1049 for a database that is not there", async () => {
    const target = { user: "clear", password, socketPath: gateway.socketPath, database: "nosuch" };
    const result = await runCommandLine(command, target, "SELECT 1");
    expect(result.stderr).toMatch(/ERROR 1049 \(42000\).*Unknown database 'nosuch'/);
  });
});

describe("dumps", () => {
  const dump = findProgram("mariadb-dump") ?? findProgram("mysqldump");
  it.skipIf(dump === null || mariadbCommand === null)(
    "go out and come back through the gateway",
    async () => {
      const account = { user: "clear", password, socketPath: gateway.socketPath };
      const words = connectOptions(account);
      const direct = [dump ?? "", "--no-defaults", "--user=root", `--socket=${server.socketPath}`];
      const options = ["--routines", "--single-transaction", "--hex-blob", "--skip-dump-date", "shop"];
      const through = await runProgram([dump ?? "", ...words, ...options], {
        env: passwordEnvironment(account),
      });
      expect(through.stderr).toBe("");
      expect(through.stdout.length).toBeGreaterThan(5000);
      const same = await runProgram([...direct, ...options]);
      expect(through.stdout).toBe(same.stdout);
      await server.admin("CREATE OR REPLACE DATABASE copy");
      const target = { ...account, database: "copy" };
      const restored = await runCommandLine(mariadbCommand ?? [], target, through.stdout);
      expect(restored.stderr).toBe("");
      expect(await server.admin("SELECT COUNT(*) AS n FROM copy.numbers")).toEqual([{ n: 500 }]);
    },
  );
});

describe.skipIf(!hasPython)("PyMySQL", () => {
  it.each(names)("logs in as %s, with and without TLS", async (user) => {
    const script = `
for options in ({}, {"ssl": {"ca": ${JSON.stringify(authority.cert)}, "check_hostname": False}}):
    connection = connect(**options)
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s, 1.5, NULL, NOW() IS NOT NULL", ("ü",))
        out(cursor.fetchall())
    connection.close()
try:
    connect(password="wrong")
except pymysql.err.OperationalError as error:
    out(error.args[0])
`;
    const results = await runPymysql({ user, password, port: gateway.port }, script);
    expect(results).toEqual([[["ü", "1.5", null, 1]], [["ü", "1.5", null, 1]], 1045]);
  });

  it("works with its cursors, transactions, many statements, LOAD DATA LOCAL and errors", async () => {
    const target = { user: "clear", password, port: gateway.port, database: "shop" };
    const results = await runPymysql(
      target,
      `
from pymysql.constants import CLIENT
connection = connect(client_flag=CLIENT.MULTI_STATEMENTS, local_infile=True)
with connection.cursor(pymysql.cursors.DictCursor) as cursor:
    cursor.execute("SELECT n, n * 2 AS twice FROM numbers ORDER BY n LIMIT 2")
    out(cursor.fetchall())
with connection.cursor(pymysql.cursors.SSCursor) as cursor:
    cursor.execute("SELECT n FROM numbers ORDER BY n")
    out(sum(row[0] for row in cursor))
with connection.cursor(pymysql.cursors.SSDictCursor) as cursor:
    cursor.execute("SELECT n FROM numbers ORDER BY n")
    out(cursor.fetchone()["n"])
with connection.cursor() as cursor:
    cursor.execute("SELECT 1; SELECT 2; SELECT 3")
    seen = [cursor.fetchall()[0][0]]
    while cursor.nextset():
        seen.append(cursor.fetchall()[0][0])
    out(seen)
    cursor.callproc("three")
    count = 1
    while cursor.nextset():
        count += 1
    out(count)
    cursor.executemany("INSERT INTO t (b) VALUES (%s)", [("py%d" % i,) for i in range(100)])
    out(cursor.rowcount)
connection.rollback()
with connection.cursor() as cursor:
    cursor.execute("SELECT COUNT(*) FROM t WHERE b LIKE 'py%%'")
    out(cursor.fetchone()[0])
    with open("load.csv", "w") as file:
        file.write("1,one\\n2,two\\n")
    cursor.execute("LOAD DATA LOCAL INFILE 'load.csv' INTO TABLE loaded FIELDS TERMINATED BY ','")
    out(cursor.rowcount)
    try:
        cursor.execute("SELECT nosuch")
    except pymysql.err.OperationalError as error:
        out(error.args[0])
connection.ping()
connection.select_db("mysql")
with connection.cursor() as cursor:
    cursor.execute("SELECT DATABASE()")
    out(cursor.fetchone()[0])
connection.close()
`,
    );
    expect(results).toEqual([
      [
        { n: 1, twice: 2 },
        { n: 2, twice: 4 },
      ],
      125250,
      1,
      [1, 2, 3],
      4,
      100,
      0,
      2,
      1054,
      "mysql",
    ]);
  });
});

describe("mysql2", () => {
  it.each(names)("logs in as %s, with and without TLS", async (user) => {
    const ssl = { ca: pem(authority.cert) };
    const places = [
      { host: "127.0.0.1", port: gateway.port },
      { host: "localhost", port: gateway.port, ssl },
      { socketPath: gateway.socketPath },
    ];
    for (const place of places) {
      const connection = await createConnection({ ...place, user, password });
      const [rows] = await connection.query<RowDataPacket[]>("SELECT ? AS a", ["ü"]);
      expect(rows).toEqual([{ a: "ü" }]);
      await connection.end();
      await expect(createConnection({ ...place, user, password: "wrong" })).rejects.toMatchObject({
        errno: 1045,
      });
    }
  });

  it("works with a pool: queries, prepared statements, transactions, users that change", async () => {
    const pool = createPool({
      host: "127.0.0.1",
      port: gateway.port,
      user: "clear",
      password,
      database: "shop",
      connectionLimit: 8,
      multipleStatements: true,
    });
    const results = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const [rows] =
          index % 2 === 0
            ? await pool.query<RowDataPacket[]>("SELECT ? + 1 AS n", [index])
            : await pool.execute<RowDataPacket[]>("SELECT ? + 1 AS n", [index]);
        return Number(rows[0]?.n);
      }),
    );
    expect(results).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
    const connection = await pool.getConnection();
    await connection.beginTransaction();
    await connection.execute("INSERT INTO t (b) VALUES (?)", ["from mysql2"]);
    await connection.rollback();
    const [several] = await connection.query<RowDataPacket[][]>("SELECT 1 AS a; SELECT 2 AS b");
    expect(several).toEqual([[{ a: 1 }], [{ b: 2 }]]);
    await connection.changeUser({ user: "sha2", password });
    const [who] = await connection.query<RowDataPacket[]>("SELECT 'changed' AS x");
    expect(who).toEqual([{ x: "changed" }]);
    await connection.ping();
    connection.release();
    const stream = pool.pool.query("SELECT n FROM numbers").stream();
    let count = 0;
    for await (const _ of stream) count++;
    expect(count).toBe(500);
    await pool.end();
  });
});

// What exactly is said during a login: fast and full path, switches, RSA, wrong lengths, old clients, TLS.
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CertificateAuthority } from "../support/certificates.ts";
import { createAuthority, issueServerCertificate, pem } from "../support/certificates.ts";
import { type DatabaseServer, serviceAccount } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { isComplaint, startGateway } from "../support/gateway-process.ts";
import { cryptStrings } from "../support/login-fixtures.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { capability, usualCapabilities } from "../support/raw/capabilities.ts";
import { changeUser, loggedIn, logIn, login } from "../support/raw/login.ts";
import { nativeHash, sha2Hash } from "../support/raw/passwords.ts";
import { RawClient } from "../support/raw/raw-client.ts";
import { waitUntil } from "../support/scratch.ts";

let server: DatabaseServer;
let authority: CertificateAuthority;
beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
  authority = createAuthority();
});
afterAll(() => server?.stop());

/** A gateway for one test. */
async function withGateway(
  users: Record<string, unknown>,
  flags: Record<string, string | number | boolean>,
  body: (gateway: GatewayProcess) => Promise<void>,
): Promise<void> {
  const { cert, key } = issueServerCertificate(authority);
  const gateway = await startGateway({
    backend: server,
    users,
    flags: { mysql_server_ssl_cert: cert, mysql_server_ssl_key: key, ...flags },
  });
  try {
    await body(gateway);
  } catch (error) {
    await gateway.kill();
    throw error;
  }
  await gateway.stop();
}

const trace = async (
  gateway: GatewayProcess,
  options: Parameters<typeof login>[1],
  tls = false,
): Promise<string> => {
  const { client, result } = await login({ port: gateway.port }, options, tls ? true : undefined);
  client.destroy();
  return result.trace.join(", ");
};

describe("the exchange", () => {
  it("is the fast path where the entry tells the digest: OK follows 01 03 as a packet of its own", () =>
    withGateway(
      { a: [{ Password: "x" }], b: [{ CachingSha2Password: sha2Hash("x") }] },
      {},
      async (gateway) => {
        for (const user of ["a", "b"]) {
          expect(await trace(gateway, { user, password: "x" })).toBe("more 03, ok");
          expect(await trace(gateway, { user, password: "x" }, true)).toBe("more 03, ok");
        }
      },
    ));

  it("is the full path once for MySQL's own strings, the fast one afterwards", async () => {
    for (const stored of Object.values(cryptStrings)) {
      const users = { c: [{ CachingSha2Password: stored }] };
      const right = { user: "c", password: "crypt-secret" };
      await withGateway(users, {}, async (gateway) => {
        expect(await trace(gateway, { ...right, requestKey: false })).toBe("more 04, hung up");
        expect(await trace(gateway, { ...right, password: "wrong" })).toBe("more 04, more key, err 1045");
        expect(await trace(gateway, right)).toBe("more 04, more key, ok");
        expect(await trace(gateway, right)).toBe("more 03, ok");
        expect(await trace(gateway, { ...right, password: "wrong" })).toBe("more 04, more key, err 1045");
        expect(await trace(gateway, right)).toBe("more 03, ok"); // a failure never evicts
      });
      await withGateway(users, {}, async (gateway) => {
        expect(await trace(gateway, right, true)).toBe("more 04, ok");
        expect(await trace(gateway, right, true)).toBe("more 03, ok");
      });
    }
  });

  it("switches once, only when the file has entries that the client's plugin cannot check", async () => {
    await withGateway({ n: [{ MysqlNativePassword: nativeHash("x") }] }, {}, async (gateway) => {
      expect(await trace(gateway, { user: "n", password: "x" })).toBe("switch mysql_native_password, ok");
      expect(await trace(gateway, { user: "n", password: "x" }, true)).toBe("more 04, ok");
      expect(await trace(gateway, { user: "n", password: "x", plugin: "mysql_native_password" })).toBe("ok");
      expect(await trace(gateway, { user: "n", password: "y", plugin: "mysql_native_password" })).toBe(
        "err 1045",
      );
    });
    await withGateway({ s: [{ CachingSha2Password: sha2Hash("x") }] }, {}, async (gateway) => {
      expect(await trace(gateway, { user: "s", password: "x", plugin: "mysql_native_password" })).toBe(
        "switch caching_sha2_password, more 03, ok",
      );
    });
    await withGateway({ p: [{ Password: "x" }] }, {}, async (gateway) => {
      expect(await trace(gateway, { user: "p", password: "x", plugin: "mysql_native_password" })).toBe("ok");
      expect(await trace(gateway, { user: "p", password: "y", plugin: "mysql_native_password" })).toBe(
        "err 1045",
      );
      expect(await trace(gateway, { user: "p", password: "y" })).toBe("err 1045"); // every entry was proven wrong
    });
  });

  it("refuses auth responses of a wrong length with 1045 and nothing else", () =>
    withGateway(
      { a: [{ Password: "x" }], n: [{ MysqlNativePassword: nativeHash("x") }] },
      {},
      async (gateway) => {
        let tried = 0;
        for (const plugin of ["mysql_native_password", "caching_sha2_password", "sha256_password"]) {
          for (const length of [1, 19, 21, 31, 33, 250, 4096]) {
            for (const user of ["a", "n", "nobody"]) {
              const options = { user, password: "wrong", plugin, authResponse: Buffer.alloc(length, 0x41) };
              const { client, result } = await login({ port: gateway.port }, options);
              expect(result.error?.code, `${plugin} ${length}`).toBe(1045);
              expect((await client.readToEnd()).length).toBe(0);
              client.destroy();
              tried++;
            }
          }
        }
        expect(tried).toBe(63);
        expect(await trace(gateway, { user: "a", password: "x" })).toBe("more 03, ok");
      },
    ));

  it("accepts clear text only over TLS, the unix socket, or with the flag", async () => {
    const users = { a: [{ Password: "x" }] };
    const clear = { user: "a", password: "x", plugin: "mysql_clear_password" };
    await withGateway(users, {}, async (gateway) => {
      const { client, result } = await login({ port: gateway.port }, clear);
      // Refused as what was sent, or asked again by a plugin that does not show the password: never accepted as it is.
      expect(result.trace[0]).not.toBe("ok");
      client.destroy();
      expect(await trace(gateway, clear, true)).toBe("ok");
    });
    await withGateway(users, { mysql_allow_clear_text_without_tls: true }, async (gateway) => {
      expect(await trace(gateway, clear)).toBe("ok");
      expect(await trace(gateway, { ...clear, password: "y" })).toBe("err 1045");
    });
  });

  it("serves clients without PLUGIN_AUTH and without lenenc responses by native", () =>
    withGateway({ a: [{ Password: "x" }] }, {}, async (gateway) => {
      const plugin = "mysql_native_password";
      for (const capabilities of [
        usualCapabilities & ~capability.PLUGIN_AUTH_LENENC,
        usualCapabilities &
          ~(capability.PLUGIN_AUTH | capability.PLUGIN_AUTH_LENENC | capability.CONNECT_ATTRS),
      ]) {
        expect(await trace(gateway, { user: "a", password: "x", plugin, capabilities })).toBe("ok");
        expect(await trace(gateway, { user: "a", password: "y", plugin, capabilities })).toBe("err 1045");
      }
    }));

  it("draws scrambles of 7-bit bytes without 00 and $, a new one for every connection and switch", () =>
    withGateway({ n: [{ MysqlNativePassword: nativeHash("x") }] }, {}, async (gateway) => {
      const seen = new Set<string>();
      for (let round = 0; round < 50; round++) {
        const client = await RawClient.connect({ port: gateway.port });
        seen.add(client.scramble.toString("hex"));
        expect(client.scramble.every((byte) => byte > 0 && byte < 0x80 && byte !== 0x24)).toBe(true);
        const result = await logIn(client, { user: "n", password: "x" });
        expect(result.trace).toEqual(["switch mysql_native_password", "ok"]);
        seen.add(client.scramble.toString("hex"));
        client.destroy();
      }
      expect(seen.size).toBe(100);
    }));
});

describe("COM_CHANGE_USER", () => {
  it("to an unknown database is 1049 and ends the session", () =>
    withGateway({ a: [{ Password: "x" }] }, {}, async (gateway) => {
      const client = await loggedIn({ port: gateway.port }, { user: "a", password: "x" });
      const result = await changeUser(client, { user: "a", password: "x", database: "nosuch" });
      expect(result.error).toMatchObject({
        code: 1049,
        state: "42000",
        message: "Unknown database 'nosuch'",
      });
      expect((await client.readToEnd()).length).toBe(0);
      client.destroy();
    }));

  it("by native repeats the scramble that the client has: MariaDB's client library answers no other", () =>
    withGateway(
      { a: [{ Password: "x" }], n: [{ MysqlNativePassword: nativeHash("x") }] },
      {},
      async (gateway) => {
        // Logged in by the greeting's scramble, and by that of a switch.
        for (const user of ["a", "n"]) {
          const client = await loggedIn({ port: gateway.port }, { user, password: "x" });
          const known = client.scramble.toString("hex");
          for (const next of ["a", "n"]) {
            const plugin = "mysql_native_password";
            const result = await changeUser(client, { user: next, password: "x", plugin });
            expect(result.trace).toEqual([`switch ${plugin}`, "ok"]);
            expect(client.scramble.toString("hex")).toBe(known);
          }
          client.destroy();
        }
      },
    ));

  it("and login with a character set that no client may have are refused as the server does", () =>
    withGateway({ a: [{ Password: "x" }] }, {}, async (gateway) => {
      const options = { user: "a", password: "x" };
      for (const collation of [35, 54, 56, 60, 62, 90, 124, 128, 159, 183]) {
        const { client: other, result: wanted } = await login(
          { socketPath: server.socketPath },
          { ...serviceAccount, collation, plugin: "mysql_native_password" },
        );
        other.destroy();
        expect(wanted.error).toMatchObject({ code: 1231, state: "42000" });
        const { client, result } = await login({ port: gateway.port }, { ...options, collation });
        client.destroy();
        expect(result.error).toEqual(wanted.error);
        const changing = await loggedIn({ port: gateway.port }, options);
        expect((await changeUser(changing, { ...options, collation })).error).toEqual(wanted.error);
        changing.destroy();
      }
      expect(await trace(gateway, { ...options, collation: 100 })).toContain("ok");
    }));

  it("takes a collation id of two bytes for its character set, and hurts nobody else's logins", () =>
    withGateway({ a: [{ Password: "x" }] }, {}, async (gateway) => {
      const options = { user: "a", password: "x" };
      const client = await loggedIn({ port: gateway.port }, options);
      for (const [collation, names] of [
        [2304, ["utf8mb4", "utf8mb4_general_ci"]],
        [2060, ["utf8mb3", "utf8mb3_general_ci"]],
        [0xffff, ["utf8mb4", "utf8mb4_general_ci"]],
        [8, ["latin1", "latin1_swedish_ci"]],
      ] as const) {
        expect((await changeUser(client, { ...options, collation })).ok).toBe(true);
        expect(await client.rows("SELECT @@character_set_client, @@collation_connection")).toEqual([names]);
      }
      client.destroy();
      expect(gateway.lines.filter((line) => line.includes("Cannot log in to a database server"))).toEqual([]);
    }));

  it("cut short is refused and ends the session", () =>
    withGateway({ a: [{ Password: "x" }] }, {}, async (gateway) => {
      for (const body of [[0x11], [0x11, 0x61], [0x11, 0x61, 0x00], [0x11, 0x61, 0x00, 0x14, 0x01]]) {
        const client = await loggedIn({ port: gateway.port }, { user: "a", password: "x" });
        const reply = await client.command(Buffer.from(body));
        expect([1043, 1045, 1047]).toContain(reply.error?.code);
        await client.readToEnd();
        client.destroy();
      }
    }));
});

describe("TLS", () => {
  it("speaks 1.2 and 1.3 with a certificate that verifies; --mysql_server_tls_min_version raises the floor", async () => {
    const verify = { ca: pem(authority.cert), rejectUnauthorized: true, servername: "localhost" };
    const options = { user: "a", password: "x" };
    await withGateway({ a: [{ Password: "x" }] }, {}, async (gateway) => {
      for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
        const limits = { minVersion: version, maxVersion: version };
        const client = await loggedIn({ port: gateway.port }, options, { ...verify, ...limits });
        expect(await client.rows("SELECT 1")).toEqual([["1"]]);
        await client.quit();
      }
    });
    await withGateway(
      { a: [{ Password: "x" }] },
      { mysql_server_tls_min_version: "TLSv1.3" },
      async (gateway) => {
        await expect(
          login({ port: gateway.port }, options, { ...verify, maxVersion: "TLSv1.2" }),
        ).rejects.toThrow();
        await (await loggedIn({ port: gateway.port }, options, verify)).quit();
      },
    );
  });

  it("is required by --mysql_server_require_secure_transport: 3159 on plain TCP, the unix socket stays open", () =>
    withGateway(
      { a: [{ Password: "x" }] },
      { mysql_server_require_secure_transport: true },
      async (gateway) => {
        const options = { user: "a", password: "x" };
        const { client, result } = await login({ port: gateway.port }, options);
        expect(result.error).toMatchObject({ code: 3159, state: "HY000" });
        client.destroy();
        expect(await trace(gateway, options, true)).toBe("more 03, ok");
        await (await loggedIn({ socketPath: gateway.socketPath }, options)).quit();
      },
    ));

  it("takes up a new certificate when the files change, and keeps the last good pair when they are bad", async () => {
    const first = issueServerCertificate(authority);
    const second = issueServerCertificate(authority);
    const cert = join(authority.folder, "live.pem");
    const key = join(authority.folder, "live.key");
    copyFileSync(first.cert, cert);
    copyFileSync(first.key, key);
    const serial = async (gateway: GatewayProcess): Promise<string> => {
      const client = await RawClient.connect({ port: gateway.port });
      const tls = await client.startTls();
      const number = tls.getPeerCertificate().serialNumber;
      client.destroy();
      return number;
    };
    const flags = { mysql_server_ssl_cert: cert, mysql_server_ssl_key: key };
    await withGateway({ a: [{ Password: "x" }] }, flags, async (gateway) => {
      const before = await serial(gateway);
      const session = await loggedIn({ port: gateway.port }, { user: "a", password: "x" }, true);
      copyFileSync(second.key, key);
      copyFileSync(second.cert, cert);
      const after = await waitUntil(async () => {
        const now = await serial(gateway);
        return now !== before && now;
      }, "the new certificate");
      copyFileSync(first.key, key); // does not belong to the certificate
      await gateway.waitForRecord(
        (record) => isComplaint(record) && /certificate/i.test(JSON.stringify(record)),
        "a warning about the bad pair",
      );
      expect(await serial(gateway)).toBe(after);
      expect(await session.rows("SELECT 1")).toEqual([["1"]]); // sessions stay
      await session.quit();
    });
  });
});

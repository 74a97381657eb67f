// Our own login against real servers: every plugin, every transport, every ssl-mode.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { logIn } from "../../../src/backend/backend-login.ts";
import { BackendTlsContexts } from "../../../src/backend/backend-tls.ts";
import { pingCommand } from "../../../src/backend/housekeeping.ts";
import { BackendLoginError } from "../../../src/backend/login-error.ts";
import { converseOn } from "../../../src/backend/pooled-connection.ts";
import { systemClock } from "../../../src/base/clock.ts";
import type { BackendTls } from "../../../src/routing/route.ts";
import { bytesChangingCapabilities } from "../../../src/wire/capabilities.ts";
import { type CertificateAuthority, createAuthority } from "../../support/certificates.ts";
import type { DatabaseServer } from "../../support/database-server.ts";
import { hasMariadb, startMariadb } from "../../support/mariadb-server.ts";
import { mysqldCommand, startMysql } from "../../support/mysql-server.ts";

const tools = {
  tlsContexts: new BackendTlsContexts(systemClock),
  attributes: new Map([["program_name", "gatehouse"]]),
};
const noTls: BackendTls = { mode: "DISABLED", ca: null, cert: null, key: null };

interface Who {
  readonly user: string;
  readonly password?: string;
  readonly socket?: boolean;
  readonly tls?: BackendTls;
  readonly host?: string;
}

/** Logs in and asks for something; the thread id or the failure's kind. */
async function tryLogin(server: DatabaseServer, who: Who): Promise<string> {
  try {
    const loggedIn = await logIn(
      {
        tablet: {
          alias: "backend",
          address: who.socket
            ? { kind: "unix", path: server.socketPath }
            : { kind: "tcp", host: who.host ?? "127.0.0.1", port: server.port },
          tls: who.tls ?? noTls,
        },
        account: { name: "a", user: who.user, password: () => who.password ?? "", generation: 1 },
        clientCapabilities: bytesChangingCapabilities,
        collation: 45,
        timeoutMs: 10_000,
      },
      tools,
    );
    const [reply] = await converseOn(loggedIn, [pingCommand], 5000);
    loggedIn.channel.destroy();
    expect(loggedIn.id).toBeGreaterThan(0);
    return reply?.kind ?? "no pong";
  } catch (error) {
    if (!(error instanceof BackendLoginError)) throw error;
    return error.kind;
  }
}

describe.skipIf(!hasMariadb())("logIn() to MariaDB", () => {
  let server: DatabaseServer;
  let authority: CertificateAuthority;
  beforeAll(async () => {
    authority = createAuthority();
    const files = authority.issue({ commonName: "db", subjectAltNames: ["DNS:localhost"] });
    server = await startMariadb({
      flags: [`--ssl-cert=${files.cert}`, `--ssl-key=${files.key}`, `--ssl-ca=${authority.cert}`],
    });
    await server.admin(
      "create user nat@'%' identified by 'pw1'",
      "create user nopw@'%' identified by ''",
      "create user ed@'%' identified via unix_socket or mysql_native_password using password('pw2')",
      "create user onlytls@'%' identified by 'pw3' require x509",
    );
  });
  afterAll(() => server.stop());

  it("by native password, without one, and past plugins that we do not have", async () => {
    for (const socket of [false, true]) {
      expect(await tryLogin(server, { user: "nat", password: "pw1", socket })).toBe("ok");
      expect(await tryLogin(server, { user: "nopw", socket })).toBe("ok");
      expect(await tryLogin(server, { user: "nat", password: "wrong", socket })).toBe("access_denied");
      expect(await tryLogin(server, { user: "nobody", password: "x", socket })).toBe("access_denied");
      expect(await tryLogin(server, { user: "ed", password: "pw2", socket })).toBe("ok");
    }
  });

  it("over TLS as each ssl-mode demands", async () => {
    const other = createAuthority("Other CA");
    const client = authority.issue({ commonName: "client", usage: "clientAuth" });
    const me = { user: "nat", password: "pw1" };
    const mode = (tls: Partial<BackendTls>): Who => ({ ...me, tls: { ...noTls, ...tls } });
    expect(await tryLogin(server, mode({ mode: "REQUIRED" }))).toBe("ok");
    expect(await tryLogin(server, mode({ mode: "VERIFY_CA", ca: authority.cert }))).toBe("ok");
    expect(await tryLogin(server, mode({ mode: "VERIFY_CA", ca: other.cert }))).toBe("tls");
    expect(await tryLogin(server, mode({ mode: "VERIFY_CA" }))).toBe("tls");
    expect(await tryLogin(server, mode({ mode: "VERIFY_IDENTITY", ca: authority.cert }))).toBe("tls");
    const local = { ...mode({ mode: "VERIFY_IDENTITY", ca: authority.cert }), host: "localhost" };
    expect(await tryLogin(server, local)).toBe("ok");
    expect(
      await tryLogin(server, { ...mode({ mode: "VERIFY_IDENTITY", ca: authority.cert }), socket: true }),
    ).toBe("ok");
    expect(await tryLogin(server, mode({ mode: "VERIFY_CA", ca: "/nonexistent.pem" }))).toBe("tls");
    const withCertificate = { mode: "REQUIRED", cert: client.cert, key: client.key } as const;
    const strict = { user: "onlytls", password: "pw3" };
    expect(await tryLogin(server, { ...strict, tls: { ...noTls, mode: "REQUIRED" } })).toBe("access_denied");
    expect(await tryLogin(server, { ...strict, tls: { ...noTls, ...withCertificate } })).toBe("ok");
  });
});

describe.skipIf(mysqldCommand === null)("logIn() to MySQL", () => {
  let server: DatabaseServer;
  beforeAll(async () => {
    server = await startMysql();
    await server.admin(
      "create user sha@'%' identified with caching_sha2_password by 'pw1'",
      "create user nopw@'%' identified with caching_sha2_password by ''",
      "create user s256@'%' identified with sha256_password by 'pw2'",
      "create user gone@'%' identified by 'pw3' account lock",
    );
  });
  afterAll(() => server.stop());

  it("by caching_sha2_password: RSA on plain TCP, TLS, unix socket, then from the cache", async () => {
    const required: BackendTls = { ...noTls, mode: "REQUIRED" };
    for (const way of [{}, { tls: required }, { socket: true }]) {
      await server.admin("flush privileges");
      expect(await tryLogin(server, { user: "sha", password: "pw1", ...way })).toBe("ok");
      expect(await tryLogin(server, { user: "sha", password: "pw1", ...way })).toBe("ok");
      expect(await tryLogin(server, { user: "sha", password: "wrong", ...way })).toBe("access_denied");
      expect(await tryLogin(server, { user: "nopw", ...way })).toBe("ok");
      expect(await tryLogin(server, { user: "s256", password: "pw2", ...way })).toBe("ok");
      expect(await tryLogin(server, { user: "gone", password: "pw3", ...way })).toBe("access_denied");
    }
  });

  it("with the certificate authority that the server made", async () => {
    const [row] = await server.admin("select concat(@@datadir, '/ca.pem') as ca");
    const tls: BackendTls = { ...noTls, mode: "VERIFY_CA", ca: String(row?.ca) };
    expect(await tryLogin(server, { user: "sha", password: "pw1", tls })).toBe("ok");
    expect(
      await tryLogin(server, { user: "sha", password: "pw1", tls: { ...tls, mode: "VERIFY_IDENTITY" } }),
    ).toBe("tls");
  });

  it("shows itself by connection attributes", async () => {
    const held = await logIn(
      {
        tablet: { alias: "backend", address: { kind: "unix", path: server.socketPath }, tls: noTls },
        account: { name: "a", user: "sha", password: () => "pw1", generation: 1 },
        clientCapabilities: 0,
        collation: null,
        timeoutMs: 10_000,
      },
      tools,
    );
    const rows = await server.admin(
      `select attr_value from performance_schema.session_connect_attrs
       where processlist_id = ${held.id} and attr_name = 'program_name'`,
    );
    expect(rows).toEqual([{ attr_value: "gatehouse" }]);
    held.channel.destroy();
  });
});

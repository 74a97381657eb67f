// Certificates with their expiry, as /api/status, the metrics and the log tell them: the gateway's own, those that clients
// are judged by, the files toward database servers, and what the servers themselves show.
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CertificateAuthority, createAuthority } from "../support/certificates.ts";
import { type DatabaseServer, serviceAccount } from "../support/database-server.ts";
import { type GatewayProcess, startGateway } from "../support/gateway-process.ts";
import { hasMariadb, startMariadb } from "../support/mariadb-server.ts";
import { Authority } from "../support/pki.ts";
import { scratchFolder, waitUntil } from "../support/scratch.ts";

interface Shown {
  readonly use: string;
  readonly path: string;
  readonly subject: string;
  readonly not_after: string;
  readonly warn_after: string;
}

async function shownBy(gateway: GatewayProcess): Promise<readonly Shown[]> {
  const { body } = await gateway.admin("/api/status");
  return (JSON.parse(body) as { certificates: readonly Shown[] }).certificates;
}

const daysLeft = ({ not_after }: Shown): number =>
  Math.round((Date.parse(not_after) - Date.now()) / 86_400_000);

describe.skipIf(!hasMariadb())("certificates are shown with their expiry", () => {
  const folder = scratchFolder("shown");
  const file = (name: string): string => join(folder, name);
  let authority: CertificateAuthority;
  let server: DatabaseServer;
  let expired: DatabaseServer;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    authority = createAuthority("Database CA");
    const good = authority.issue({ commonName: "db-good", subjectAltNames: ["DNS:localhost"], days: 20 });
    const old = authority.issue({ commonName: "db-old", subjectAltNames: ["DNS:localhost"], days: -1 });
    server = await startMariadb({ flags: [`--ssl-cert=${good.cert}`, `--ssl-key=${good.key}`] });
    expired = await startMariadb({ flags: [`--ssl-cert=${old.cert}`, `--ssl-key=${old.key}`] });
    const client = authority.issue({ commonName: "gatehouse", usage: "clientAuth", days: 10 });
    copyFileSync(authority.cert, file("ca.pem"));
    copyFileSync(client.cert, file("client.pem"));
    copyFileSync(client.key, file("client.key"));
    const clients = Authority.root("clients", "/CN=Client Root", 9);
    const own = clients.intermediate("own");
    const leaf = own.issue("gateway.example", { days: 7 });
    writeFileSync(file("gateway.pem"), leaf.pem + own.pem);
    writeFileSync(file("crl.pem"), clients.revocationList());
    writeFileSync(
      file("topology.json"),
      JSON.stringify({
        keyspaces: {
          shop: { database: "shop", tablets: [tablet("good", server), tablet("gone", null)] },
          other: { database: "shop", monitor: "none", tablets: [tablet("old", expired, "REQUIRED")] },
          refused: { database: "shop", monitor: "none", tablets: [tablet("refused", expired)] },
        },
        accounts: { default: { user: serviceAccount.user, password_env: "SERVICE_PASSWORD" } },
        default_target: "shop",
      }),
    );
    gateway = await startGateway({
      backend: null,
      flags: {
        topology_file: file("topology.json"),
        mysql_server_ssl_cert: file("gateway.pem"),
        mysql_server_ssl_key: leaf.key,
        mysql_server_ssl_ca: clients.cert,
        mysql_server_ssl_crl: file("crl.pem"),
      },
      env: { SERVICE_PASSWORD: serviceAccount.password },
    });
  });
  afterAll(async () => {
    await gateway?.stop();
    await server?.stop();
    await expired?.stop();
  });

  const tablet = (alias: string, of: DatabaseServer | null, mode = "VERIFY_CA") => ({
    alias,
    type: alias === "gone" ? "replica" : "primary",
    address: `127.0.0.1:${of?.port ?? 1}`,
    tls: { mode, ca: file("ca.pem"), cert: file("client.pem"), key: file("client.key") },
  });

  it("all of them, each once", async () => {
    await waitUntil(async () => (await shownBy(gateway)).length >= 8, "all certificates");
    const rows = (await shownBy(gateway)).map(
      (row) => `${row.use} | ${row.path} | ${row.subject} | ${daysLeft(row)}`,
    );
    expect(rows.map((row) => row.replaceAll(folder, "").replace(/\/tmp\/\S*\//, "/"))).toEqual(
      [
        "server certificate | /gateway.pem | CN=gateway.example | 7",
        "issuer of the server certificate | /gateway.pem | CN=own | 30",
        "CA of client certificates | /clients.pem | CN=Client Root | 9",
        "revocation list of client certificates | /crl.pem | CN=Client Root | 30",
        "CA of database servers | /ca.pem | CN=Database CA | 30",
        "certificate toward database servers | /client.pem | CN=gatehouse | 10",
        `certificate of a database server | 127.0.0.1:${server.port} | CN=db-good | 20`,
        `certificate of a database server | 127.0.0.1:${expired.port} | CN=db-old | -1`,
      ].toSorted((a, b) => rows.indexOf(a) - rows.indexOf(b)),
    );
  });

  it("which one a server is refused for is said where its state is shown", async () => {
    const { body } = await gateway.admin("/api/status");
    const { tablets } = JSON.parse(body) as { tablets: { alias: string; reason: string }[] };
    expect(tablets.find(({ alias }) => alias === "refused")?.reason).toMatch(
      /cannot be talked to over TLS as configured \(TLS handshake failed: certificate has expired\)/,
    );
  });

  it("in the metrics, of each kind the first to end", async () => {
    const ends = async (certificate: string): Promise<number> => {
      const end = await gateway.metric("certificate_end_timestamp_seconds", { certificate });
      return Math.round(((end ?? 0) - Date.now() / 1000) / 86_400);
    };
    expect(await ends("backend_client")).toBe(10);
    expect(await ends("backend_ca")).toBe(30);
    expect(await ends("backend_server")).toBe(-1);
    expect(await ends("server")).toBe(7);
    expect(await ends("server_chain")).toBe(30);
    expect(await ends("client_ca")).toBe(9);
  });

  it("new ones when files are replaced, none when no server is left that needs them", async () => {
    const longer = authority.issue({ commonName: "gatehouse-2", usage: "clientAuth", days: 25 });
    writeFileSync(file("client.key"), readFileSync(longer.key));
    writeFileSync(file("client.pem"), readFileSync(longer.cert));
    // The server that refuses us is tried again and again, by the files as they are.
    await waitUntil(
      async () => (await shownBy(gateway)).some(({ subject }) => subject === "CN=gatehouse-2"),
      "the new certificate",
      30_000,
    );
    const plain = {
      keyspaces: {
        shop: { database: "shop", tablets: [{ ...tablet("good", server), tls: { mode: "DISABLED" } }] },
      },
      accounts: { default: { user: serviceAccount.user, password_env: "SERVICE_PASSWORD" } },
      default_target: "shop",
    };
    writeFileSync(file("topology.json"), JSON.stringify(plain));
    await waitUntil(async () => (await shownBy(gateway)).length === 4, "only those toward clients", 30_000);
    expect(
      await gateway.metric("certificate_end_timestamp_seconds", { certificate: "backend_server" }),
    ).toBeNull();
  });
});

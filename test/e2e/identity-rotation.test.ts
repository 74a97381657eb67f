// CAs and revocation lists that change while clients log in: the new files count at once, live sessions stay, and a broken
// set changes nothing.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { type GatewayProcess, startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { Authority, type Issued, issueServer } from "../support/pki.ts";
import { loggedIn, logIn, login } from "../support/raw/login.ts";
import { RawClient } from "../support/raw/raw-client.ts";
import { scratchFolder, waitUntil } from "../support/scratch.ts";

const id = "spiffe://example.org/app/x";
const [oldRoot, newRoot] = [Authority.root("old", "/CN=Old"), Authority.root("new", "/CN=New")];
const names = { names: `URI:${id}` };
const [oldLeaf, newLeaf] = [oldRoot.issue("oldleaf", names), newRoot.issue("newleaf", names)];
const options = { user: "app", password: "" };

let server: DatabaseServer;
let gateway: GatewayProcess;
let folder: string;

beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
});
afterAll(() => server?.stop());
beforeEach(async () => {
  folder = scratchFolder("rotation");
  const { cert, key } = issueServer(oldRoot);
  for (const [name, from] of [
    ["server.pem", cert],
    ["server.key", key],
  ] as const) {
    writeFileSync(join(folder, name), readFileSync(from));
  }
  writeFileSync(join(folder, "ca.pem"), oldRoot.pem);
  writeFileSync(join(folder, "crl.pem"), oldRoot.revocationList());
});
afterEach(() => gateway?.stop());

async function start(withLists: boolean): Promise<void> {
  gateway = await startGateway({
    backend: server,
    users: { app: [{ Attributes: { spiffe_id: id } }] },
    flags: {
      mysql_server_ssl_cert: join(folder, "server.pem"),
      mysql_server_ssl_key: join(folder, "server.key"),
      mysql_server_ssl_ca: join(folder, "ca.pem"),
      ...(withLists ? { mysql_server_ssl_crl: join(folder, "crl.pem") } : {}),
    },
  });
}

const presenting = (leaf: Issued) => ({ cert: leaf.pem, key: leaf.keyPem });

async function isLetIn(leaf: Issued): Promise<boolean> {
  const { client, result } = await login({ port: gateway.port }, options, presenting(leaf));
  client.destroy();
  if (!result.ok) expect(result.error?.code).toBe(1045);
  return result.ok;
}

/** Replaces a file and waits until the gateway says what became of it. */
async function replace(
  name: string,
  text: string,
  outcome: "reloaded" | "failed" = "reloaded",
): Promise<void> {
  const reloads = () =>
    gateway.records().filter((record) => record.audit === "reload" && record.outcome === outcome).length;
  const before = reloads();
  writeFileSync(join(folder, `${name}.new`), text);
  renameSync(join(folder, `${name}.new`), join(folder, name));
  await waitUntil(() => reloads() > before, `the reload of ${name}`);
}

describe("a CA", () => {
  it("29: is replaced while clients log in: none is refused that both bundles know, live ones stay", async () => {
    await start(false);
    const live = await loggedIn({ port: gateway.port }, options, presenting(oldLeaf));
    let stop = false;
    let accepted = 0;
    const load = async (leaf: () => Issued): Promise<void> => {
      while (!stop) {
        expect(await isLetIn(leaf())).toBe(true);
        accepted++;
      }
    };
    // The clients change to the new certificate while both are trusted.
    let current = oldLeaf;
    const clients = [load(() => current), load(() => current), load(() => current)];
    await waitUntil(() => accepted > 20, "logins before");
    await replace("ca.pem", newRoot.pem + oldRoot.pem);
    current = newLeaf;
    const before = accepted;
    await waitUntil(() => accepted > before + 20, "logins by the new certificate");
    await replace("ca.pem", newRoot.pem);
    const after = accepted;
    await waitUntil(() => accepted > after + 20, "logins after");
    stop = true;
    await Promise.all(clients);
    expect(await isLetIn(oldLeaf)).toBe(false);
    expect(await live.rows("SELECT 1")).toEqual([["1"]]);
    await live.quit();
  });

  it("is the new one for who connected before the reload and begins TLS after it", async () => {
    await start(false);
    const early = await RawClient.connect({ port: gateway.port });
    await replace("ca.pem", newRoot.pem);
    await early.startTls(presenting(oldLeaf));
    expect((await logIn(early, options, true)).error?.code).toBe(1045);
    early.destroy();
  });

  it("stays the old one while the set is broken, in every way that a set can be", async () => {
    await start(true);
    const half = newRoot.pem.slice(0, newRoot.pem.length / 2);
    for (const [name, broken] of [
      ["ca.pem", half],
      ["ca.pem", ""],
      ["ca.pem", newRoot.pem], // the list is of another CA
      ["ca.pem", oldRoot.keyPem],
      ["crl.pem", newRoot.revocationList()],
      ["crl.pem", "nothing"],
      ["server.key", oldLeaf.keyPem],
      ["server.pem", oldLeaf.pem],
    ] as const) {
      const good = readFileSync(join(folder, name), "utf8");
      await replace(name, broken, "failed");
      expect(await isLetIn(oldLeaf), `${name}: ${broken.slice(0, 30)}`).toBe(true);
      expect(await isLetIn(newLeaf)).toBe(false);
      expect(await gateway.metric("file_stale", { file: "TLS certificate" })).toBe(1);
      writeFileSync(join(folder, name), good);
      await waitUntil(
        async () => (await gateway.metric("file_stale", { file: "TLS certificate" })) === 0,
        "the restored set",
      );
    }
  });
});

describe("a revocation list", () => {
  it("counts at once for new logins; live sessions stay", async () => {
    await start(true);
    const victim = oldRoot.issue("victim", names);
    const live = await loggedIn({ port: gateway.port }, options, presenting(victim));
    oldRoot.revoke(victim);
    await replace("crl.pem", oldRoot.revocationList());
    expect(await isLetIn(victim)).toBe(false);
    expect(await isLetIn(oldLeaf)).toBe(true);
    expect(await live.rows("SELECT 1")).toEqual([["1"]]);
    await live.quit();
  });

  it("refuses everybody once it has ended, with a warning and a metric", async () => {
    const ended = oldRoot.revocationList({ from: "20260101000000Z", to: "20260201000000Z" });
    writeFileSync(join(folder, "crl.pem"), ended);
    await start(true);
    expect(await isLetIn(oldLeaf)).toBe(false);
    await gateway.waitForRecord(
      (record) => record.reason === "certificate_crl_has_expired",
      "the audit record",
    );
    await gateway.waitForRecord(
      (record) =>
        record.level === "warn" &&
        String(record.message).startsWith("The revocation list of client certificates ended at"),
      "the warning",
    );
    const end = await gateway.metric("certificate_end_timestamp_seconds", { certificate: "client_crl" });
    expect(end).toBe(Date.parse("2026-02-01T00:00:00Z") / 1000);
    await replace("crl.pem", oldRoot.revocationList());
    expect(await isLetIn(oldLeaf)).toBe(true);
  });
});

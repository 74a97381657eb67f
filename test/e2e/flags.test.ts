// Flags that no other test here has a reason to set: each does what its sentence says, on the running program.
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import type { GatewayOptions, GatewayProcess } from "../support/gateway-process.ts";
import { gatewayCommand, startGateway, testUser } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { Authority, issueServer } from "../support/pki.ts";
import { startProgram } from "../support/processes.ts";
import { capability, usualCapabilities } from "../support/raw/capabilities.ts";
import { loggedIn } from "../support/raw/login.ts";
import { encodeLogin, encodeLoginHead } from "../support/raw/packets.ts";
import { openSocket, RawClient } from "../support/raw/raw-client.ts";
import { freePort, removeFolder, scratchFolder, waitUntil, within } from "../support/scratch.ts";

let server: DatabaseServer;
const folder = scratchFolder("flags");
beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
});
afterAll(async () => {
  await server?.stop();
  removeFolder(folder);
});

async function withGateway(
  flags: GatewayOptions["flags"],
  body: (gateway: GatewayProcess) => Promise<void>,
  more: Partial<GatewayOptions> = {},
): Promise<void> {
  const gateway = await startGateway({ backend: server, ...more, ...(flags === undefined ? {} : { flags }) });
  try {
    await body(gateway);
  } catch (error) {
    await gateway.kill();
    throw error;
  }
  await gateway.stop();
}

const enter = (gateway: GatewayProcess) => loggedIn({ port: gateway.port }, testUser);

describe("listening", () => {
  it("--mysql_server_bind_address is the only address that clients reach", () =>
    withGateway({ mysql_server_bind_address: "127.0.0.2" }, async (gateway) => {
      const { port } = gateway;
      const client = await loggedIn({ port, host: "127.0.0.2" }, testUser);
      expect(await client.rows("SELECT 1")).toEqual([["1"]]);
      client.destroy();
      await expect(openSocket({ port, host: "127.0.0.1" })).rejects.toThrow("ECONNREFUSED");
    }));

  it.runIf(process.platform === "linux")(
    "--mysql_server_keepalive_period is when the probes of an idle client begin",
    () =>
      withGateway({ mysql_server_keepalive_period: "700s" }, async (gateway) => {
        const client = await enter(gateway);
        const remainingSeconds = (): number[] =>
          readFileSync("/proc/net/tcp", "utf8")
            .split("\n")
            .map((line) => line.trim().split(/\s+/))
            // Its own side of an established connection, with a timer of kind 2: keepalive.
            .filter(([, local, , state]) => local === `0100007F:${hex(gateway.port)}` && state === "01")
            .filter(([, , , , , timer]) => timer?.startsWith("02:"))
            .map(([, , , , , timer]) => Number.parseInt(timer?.slice(3) ?? "", 16) / 100);
        // Until its last answer is acknowledged another timer runs.
        const seconds = await waitUntil(() => remainingSeconds()[0], "the keepalive timer");
        expect(seconds).toBeGreaterThan(600);
        expect(seconds).toBeLessThanOrEqual(700);
        client.destroy();
      }),
  );
});

const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, "0");

describe("keys and certificates", () => {
  it("--mysql_server_rsa_private_key is the key that clients encrypt passwords with", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const path = join(folder, "rsa.pem");
    writeFileSync(path, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
    await withGateway({ mysql_server_rsa_private_key: path }, async (gateway) => {
      const client = await RawClient.connect({ port: gateway.port });
      // A response of one byte 01 asks for the key.
      client.sendLoginPacket(
        encodeLogin({
          capabilities: (usualCapabilities & ~capability.CONNECT_WITH_DB) >>> 0,
          collation: 45,
          user: testUser.user,
          authResponse: Buffer.of(1),
          database: "",
          plugin: "sha256_password",
          attributes: {},
        }),
      );
      const packet = await client.readLoginPacket();
      client.destroy();
      expect(packet[0]).toBe(1);
      const sent = createPublicKey(packet.subarray(1).toString());
      expect(sent.equals(publicKey)).toBe(true);
    });
  });

  it("--mysql_server_ssl_server_ca is sent behind the certificate", async () => {
    const root = Authority.root();
    const intermediate = root.intermediate("between");
    const { cert, key } = issueServer(intermediate);
    const files = { mysql_server_ssl_cert: cert, mysql_server_ssl_key: key };
    const isTrusted = async (gateway: GatewayProcess): Promise<boolean> => {
      const client = await RawClient.connect({ port: gateway.port });
      client.reader.detach();
      const head = encodeLoginHead((usualCapabilities | capability.SSL) >>> 0, 45);
      client.stream.write(Buffer.concat([Buffer.from([32, 0, 0, 1]), head]));
      const tls = connectTls({ socket: client.stream as never, ca: root.pem, rejectUnauthorized: false });
      await within(once(tls, "secureConnect"), "TLS");
      const { authorized } = tls;
      tls.destroy();
      return authorized;
    };
    await withGateway(files, async (gateway) => expect(await isTrusted(gateway)).toBe(false));
    await withGateway({ ...files, mysql_server_ssl_server_ca: intermediate.cert }, async (gateway) =>
      expect(await isTrusted(gateway)).toBe(true),
    );
  });
});

describe("backend and memory", () => {
  it("--backend_idle_timeout closes connections that nobody uses", () =>
    withGateway({ backend_idle_timeout: "200ms" }, async (gateway) => {
      const client = await enter(gateway);
      await client.query("SELECT 1");
      const own = async (): Promise<number> => {
        const rows = await server.admin(
          "SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE USER = 'gatehouse'",
        );
        return Number(rows[0]?.n);
      };
      expect(await own()).toBe(2); // its own for health, and the session's
      await client.quit();
      await waitUntil(async () => (await own()) === 1, "the idle connection to be closed");
    }));

  it("--statement_buffer_bytes bounds the statements of all clients together: 1041 for who asks for too much", () =>
    withGateway({ statement_buffer_bytes: "1MiB", max_allowed_packet: "16MiB" }, async (gateway) => {
      const client = await enter(gateway);
      const fits = await client.query(`SELECT LENGTH('${"x".repeat(600_000)}')`);
      expect(fits.error).toBeNull();
      const reply = await client.query(`SELECT LENGTH('${"x".repeat(3_000_000)}')`);
      expect(reply.error).toMatchObject({ code: 1041 });
      client.destroy();
      const next = await enter(gateway);
      expect(await next.rows("SELECT 1")).toEqual([["1"]]);
      next.destroy();
    }));

  it("--queryserver_config_strict_table_acl=false denies nothing", async () => {
    const path = join(folder, "acl.json");
    writeFileSync(path, '{ "table_groups": [ { "name": "n", "table_names_or_prefixes": ["t"] } ] }');
    for (const strict of [true, false]) {
      const flags = { table_acl_config: path, queryserver_config_strict_table_acl: String(strict) };
      await withGateway(flags, async (gateway) => {
        const client = await enter(gateway);
        const { error } = await client.query("SELECT COUNT(*) FROM mysql.proc");
        expect(error?.code ?? null).toBe(strict ? 1142 : null);
        client.destroy();
      });
    }
  });
});

describe("the process", () => {
  it("--log_file and --log_format=text: lines for people, in a file", async () => {
    const path = join(folder, "gateway.log");
    await withGateway({ log_file: path, log_format: "text", log_level: "info" }, async (gateway) => {
      await waitUntil(() => readFileSync(path, "utf8").includes("Ready for clients"), "the line in the file");
      expect(readFileSync(path, "utf8")).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z (info|warn) {2}\S/m);
      expect(gateway.lines).toEqual([]);
    });
  });

  it("--config_file holds flags, the environment wins over it, the command line over both", async () => {
    const config = join(folder, "config.json");
    const content = { mysql_server_version: "8.0.1-file", max_prepared_stmt_count: 1, log_level: "error" };
    writeFileSync(config, JSON.stringify(content));
    const env = { GATEHOUSE_MYSQL_SERVER_VERSION: "8.0.2-env", GATEHOUSE_LOG_LEVEL: "warn" };
    const body = async (gateway: GatewayProcess): Promise<void> => {
      const client = await enter(gateway);
      expect(client.greeting.version).toContain("8.0.2-env");
      const prepare = (text: string) => client.command(Buffer.from(`\u0016${text}`, "latin1"));
      expect((await prepare("SELECT 1")).error).toBeNull();
      expect((await prepare("SELECT 2")).error).toMatchObject({ code: 1461 });
      client.destroy();
      await gateway.waitForRecord((record) => record.level === "info", "a line of level info");
    };
    await withGateway({ config_file: config, log_level: "info" }, body, { env });
  });

  it("--bind_address is the only address of admin HTTP", async () => {
    const port = await freePort();
    const users = join(folder, "users.json");
    writeFileSync(users, '{ "u": [ { "Password": "p" } ] }', { mode: 0o600 });
    const program = startProgram([
      ...gatewayCommand,
      `--mysql_auth_server_static_file=${users}`,
      "--mysql_server_port=0",
      "--backend=mysql://u:p@127.0.0.1:1",
      `--port=${port}`,
      "--bind_address=127.0.0.2",
    ]);
    try {
      await program.waitForLine((line) => line.includes("Ready for clients"), "readiness");
      expect((await fetch(`http://127.0.0.2:${port}/healthz`)).status).toBe(200);
      await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow("fetch failed");
      program.kill("SIGTERM");
      expect(await program.ended).toMatchObject({ code: 0 });
    } finally {
      program.kill("SIGKILL");
    }
  });
});

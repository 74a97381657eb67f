// What is measured: the database itself, HAProxy in mode tcp, Gatehouse without and with a table ACL, and peers that
// somebody has started already.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { runOn, startOn, waitForGreeting } from "./processes.mjs";

const root = resolve(import.meta.dirname, "..");

/** The account that the generators use everywhere, and that Gatehouse uses on the database. */
export const account = { user: "bench", password: "bench-secret", database: "sbtest" };

/** Two groups that do not decide and one that does, by a prefix: as a small installation has it. */
const tableAcl = {
  table_groups: [
    { name: "all", table_names_or_prefixes: ["%"], readers: ["reporting"] },
    { name: "accounts", table_names_or_prefixes: ["accounts"], readers: ["auditor"] },
    { name: "sbtest", table_names_or_prefixes: ["sbtest%"], readers: ["reporting", account.user] },
  ],
};

async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/**
 * Starts everything on one CPU, the database on `databasePort` (0: any); systems in the order in which they are shown.
 * `loads` of a system: those that say something about it; all where it has none.
 */
export async function startSystems(cpu, peers, databasePort) {
  const folder = mkdtempSync(join(tmpdir(), "gh-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const database = await startDatabase(cpu, folder, databasePort || (await freePort()));
  const systems = [{ name: "direct", port: database.port, pid: null }];
  systems.push(await startHaproxy(cpu, folder, database.port));
  systems.push(await startGatehouse(cpu, folder, database, "gatehouse", []));
  const acl = join(folder, "table_acl.json");
  writeFileSync(acl, JSON.stringify(tableAcl));
  const judging = await startGatehouse(cpu, folder, database, "gatehouse, ACL", [
    `--table_acl_config=${acl}`,
  ]);
  systems.push({ ...judging, loads: ["point-1", "point-16", "read-only-16", "prepared-16"] });
  for (const peer of peers) {
    const [name, port, pid] = peer.split(":");
    systems.push({ name, port: Number(port), pid: Number(pid) });
  }
  const stop = async () => {
    for (const child of [...systems, database].map((system) => system.child).filter(Boolean)) {
      child.kill("SIGKILL");
      await child.ended;
    }
  };
  return { systems, database, folder, stop };
}

async function startDatabase(cpu, folder, port) {
  const datadir = join(folder, "data");
  const asRoot = process.getuid() === 0 ? ["--user=root"] : [];
  await runOn(cpu, [
    "mariadb-install-db",
    "--no-defaults",
    `--datadir=${datadir}`,
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
    ...asRoot,
  ]);
  const socket = join(folder, "db.sock");
  const init = join(folder, "init.sql");
  const name = `'${account.user}'@'%'`;
  writeFileSync(
    init,
    `CREATE DATABASE ${account.database};
CREATE USER ${name} IDENTIFIED BY '${account.password}';
GRANT ALL ON *.* TO ${name};
`,
  );
  const child = startOn(cpu, [
    "/usr/sbin/mariadbd",
    "--no-defaults",
    `--datadir=${datadir}`,
    `--socket=${socket}`,
    `--port=${port}`,
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    `--init-file=${init}`,
    "--max-connections=4000",
    "--innodb-buffer-pool-size=256M",
    "--back-log=1000",
    ...asRoot,
  ]);
  await waitForGreeting(child, port);
  return { child, port, socket };
}

async function startHaproxy(cpu, folder, backendPort) {
  const port = await freePort();
  const config = join(folder, "haproxy.cfg");
  writeFileSync(
    config,
    `global
  nbthread 1
  maxconn 8000
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen db
  bind 127.0.0.1:${port}
  server db 127.0.0.1:${backendPort}
`,
  );
  const child = startOn(cpu, ["/usr/sbin/haproxy", "-f", config, "-db"]);
  await waitForGreeting(child, port);
  return { name: "haproxy", port, pid: child.pid, child };
}

/** Starts the gateway; `poolSize`: backend connections at most. */
export async function startGatehouse(cpu, folder, database, name, flags, poolSize = 3000) {
  const port = await freePort();
  const home = join(folder, `home-${port}`);
  mkdirSync(home);
  const users = join(home, "users.json");
  writeFileSync(users, JSON.stringify({ [account.user]: [{ Password: account.password }] }), { mode: 0o600 });
  const replaced = (process.env.GATEHOUSE_BENCH_COMMAND ?? "").split(" ").filter(Boolean);
  const command = replaced.length > 0 ? replaced : [process.execPath, join(root, "bin/gatehouse.js")];
  const child = startOn(
    cpu,
    [
      ...command,
      "--mysql_auth_server_impl=static",
      `--mysql_auth_server_static_file=${users}`,
      `--mysql_server_port=${port}`,
      "--log_level=warn",
      `--backend_pool_size=${poolSize}`,
      ...flags,
    ],
    { GATEHOUSE_BACKEND: `mysql://${account.user}:${account.password}@127.0.0.1:${database.port}/` },
  );
  await waitForGreeting(child, port);
  return { name, port, pid: child.pid, child };
}

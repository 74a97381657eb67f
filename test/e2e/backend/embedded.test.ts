// The embedded database with real servers: start, stop, kill -9, locks, failures.
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type EmbeddedPrograms, findPrograms } from "../../../src/backend/embedded/programs.ts";
import {
  EmbeddedError,
  type EmbeddedOptions,
  type EmbeddedServer,
  startEmbedded,
} from "../../../src/backend/embedded/start-embedded.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { mysqldCommand } from "../../support/mysql-server.ts";
import { findProgram, type Program, runProgram, startProgram } from "../../support/processes.ts";
import { removeFolder, scratchFolder, waitUntil } from "../../support/scratch.ts";

const isRoot = process.getuid?.() === 0;
const folders: string[] = [];
const servers: EmbeddedServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  for (const folder of folders.splice(0)) removeFolder(folder);
});

function newFolder(): string {
  const folder = scratchFolder("embedded");
  folders.push(folder);
  return folder;
}

function optionsFor(directory: string, more: Partial<EmbeddedOptions> = {}): EmbeddedOptions {
  return { directory, environment: process.env, clock: systemClock, random: randomBytes, isRoot, ...more };
}

async function start(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const server = await startEmbedded(options);
  servers.push(server);
  return server;
}

async function failure(options: EmbeddedOptions): Promise<string> {
  const outcome = await start(options).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(EmbeddedError);
  return (outcome as EmbeddedError).message;
}

async function query(server: EmbeddedServer, sql: string): Promise<string> {
  const client = findProgram("mariadb") ?? "mariadb";
  const result = await runProgram(
    [
      client,
      "--no-defaults",
      "-N",
      "-B",
      "-u",
      server.account.user,
      "-S",
      server.address.path,
      "-e",
      sql,
      "test",
    ],
    { env: { ...process.env, MYSQL_PWD: server.account.password() } },
  );
  return result.stdout + result.stderr;
}

/** A process of its own that starts an embedded database from the compiled code and holds it until it is killed. */
function startHolder(directory: string): Program {
  return startProgram(holderCommand(directory), { survivesParent: true });
}

function holderCommand(directory: string): readonly string[] {
  const dist = join(import.meta.dirname, "../../../dist");
  const code = `
    import { randomBytes } from "node:crypto";
    import { startEmbedded } from ${JSON.stringify(join(dist, "backend/embedded/start-embedded.js"))};
    import { systemClock } from ${JSON.stringify(join(dist, "base/clock.js"))};
    const server = await startEmbedded({
      directory: ${JSON.stringify(directory)}, environment: process.env, clock: systemClock, random: randomBytes,
      isRoot: ${isRoot},
    });
    console.log("socket " + server.address.path);
    setInterval(() => {}, 60000);`;
  return [process.execPath, "--input-type=module", "-e", code];
}

/** Servers (not their supervising shells) whose command line names the directory. */
function processesOf(directory: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "latin1");
        return command.includes(`--datadir=${directory}/`) && !command.startsWith("/bin/sh");
      } catch {
        return false;
      }
    });
}

describe("the embedded database", () => {
  it("initialises a new directory, serves the service account, keeps data over restarts and leaves nothing", async () => {
    const directory = join(newFolder(), "a long path with spaces ".repeat(5).trim(), "data & more");
    const first = await start(optionsFor(directory));
    expect(first.version).toMatch(/^5\.5\.5-\d+\.\d+\.\d+-MariaDB|^[89]\.\d/);
    expect(await query(first, "create table t (a int); insert into t values (7); select * from t")).toBe(
      "7\n",
    );
    expect(await query(first, "select 'é€😀', @@character_set_server, @@port, @@skip_networking")).toMatch(
      /^é€😀\tutf8mb4\t\d+\t1\n/,
    );
    expect(processesOf(directory).length).toBeGreaterThan(0);
    const runtime = join(first.address.path, "..");
    await first.stop();
    expect(await first.ended).toBe("stopped");
    expect(processesOf(directory)).toEqual([]);
    expect(existsSync(runtime)).toBe(false);
    const second = await start(optionsFor(directory));
    expect(await query(second, "select a from t")).toBe("7\n");
    expect(second.account.password()).not.toBe(first.account.password());
  });

  it("gives the service account no rights over files, accounts or the server", async () => {
    const server = await start(optionsFor(newFolder()));
    expect(await query(server, "select 1 into outfile '/tmp/gatehouse-outfile'")).toContain("Access denied");
    expect(await query(server, "set global general_log_file='/tmp/x.log'")).toContain("Access denied");
    expect(await query(server, "shutdown")).toContain("Access denied");
    expect(await query(server, "create user x")).toContain("denied");
    expect(await query(server, "update mysql.global_priv set priv='{}'")).toContain("denied");
    expect(await query(server, "create table mysql.x (a int)")).toContain("denied");
    expect(await query(server, "create database s; create table s.t (a int); select count(*) from s.t")).toBe(
      "0\n",
    );
  });

  it("refuses a second gateway on the same directory at once", async () => {
    const directory = newFolder();
    const first = await start(optionsFor(directory));
    const before = performance.now();
    expect(await failure(optionsFor(directory))).toContain(`"${directory}" is in use by another gateway`);
    expect(performance.now() - before).toBeLessThan(5_000);
    expect(await query(first, "select 1")).toBe("1\n");
  });

  it("goes when its gateway is killed with SIGKILL, and the next start waits for that", async () => {
    const directory = newFolder();
    const gateway = startHolder(directory);
    const line = await gateway.waitForLine((text) => text.startsWith("socket "), "the socket");
    const runtime = join(line.slice("socket ".length), "..");
    expect(processesOf(directory).length).toBeGreaterThan(0);
    gateway.kill("SIGKILL");
    await gateway.ended;
    const next = await start(optionsFor(directory));
    expect(await query(next, "select 1")).toBe("1\n");
    expect(processesOf(directory).length).toBe(1);
    expect(existsSync(runtime)).toBe(false);
  });

  it("goes when its gateway is killed while a new directory is being made, which is then made again", async () => {
    const directory = newFolder();
    const gateway = startHolder(directory);
    await waitUntil(() => existsSync(join(directory, "data.new")), "the new data directory");
    gateway.kill("SIGKILL");
    await gateway.ended;
    const next = await start(optionsFor(directory));
    expect(await query(next, "select 1")).toBe("1\n");
    expect(processesOf(directory).length).toBe(1);
  });

  it("takes a gateway that is dead, but that nobody has waited for, for gone", async () => {
    const directory = newFolder();
    // `sleep` takes the shell's place and waits for no child: the dead gateway stays in the table of processes.
    const line = holderCommand(directory)
      .map((word) => `'${word.replaceAll("'", "'\\''")}'`)
      .join(" ");
    const parent = startProgram(["/bin/sh", "-c", `${line} & echo "pid $!"; exec sleep 600`]);
    const pid = Number((await parent.waitForLine((text) => text.startsWith("pid "), "the pid")).slice(4));
    await parent.waitForLine((text) => text.startsWith("socket "), "the socket");
    process.kill(pid, "SIGKILL");
    await waitUntil(() => / [Z] /.test(readFileSync(`/proc/${pid}/stat`, "latin1")), "the dead gateway");
    const next = await start(optionsFor(directory));
    expect(await query(next, "select 1")).toBe("1\n");
    parent.kill();
  });

  it("starts the server again when it crashes, and gives up when it crashes at once", async () => {
    const directory = newFolder();
    const server = await start(optionsFor(directory, { settledAfterMs: 0 }));
    await query(server, "create table kept (a int); insert into kept values (5)");
    const crashed = processesOf(directory);
    expect(crashed.length).toBe(1);
    process.kill(Number(crashed[0]), "SIGKILL");
    await waitUntil(async () => (await query(server, "select a from kept")) === "5\n", "the server is back");
    await server.stop();

    const doomed = await start(optionsFor(directory, { settledAfterMs: 60_000 }));
    process.kill(Number(processesOf(directory)[0]), "SIGKILL");
    expect(await doomed.ended).toBe("failed");
  });

  it("tells what to install when a piece is missing", async () => {
    const empty = newFolder();
    expect(findPrograms(empty, [])).toMatch(/^neither mariadbd nor mysqld is installed; install/);
    for (const name of ["mariadbd", "mariadb-install-db", "apt-get"]) {
      writeFileSync(join(empty, name), "#!/bin/sh\n", { mode: 0o755 });
    }
    expect(findPrograms(empty, [])).toBe(
      "mariadbd is installed, but my_print_defaults is missing; install what is needed with " +
        "'apt-get install -y mariadb-server-core mariadb-client', or name a server with --backend=mysql://...",
    );
    writeFileSync(join(empty, "my_print_defaults"), "not a program", { mode: 0o644 });
    expect(findPrograms(empty, [])).toContain("my_print_defaults is missing");
    const programs = findPrograms("", [empty]);
    expect(programs).toContain("my_print_defaults is missing");
    expect(findPrograms(".", [])).toContain("neither");
  });

  it("shows the end of the server's log when it does not start", async () => {
    const directory = newFolder();
    const server = join(newFolder(), "mariadbd");
    writeFileSync(server, `#!/bin/sh\nexec ${findProgram("mariadbd")} "$@" --no-such-option\n`);
    chmodSync(server, 0o755);
    const programs: EmbeddedPrograms = {
      flavour: "mariadb",
      server,
      initializer: findProgram("mariadb-install-db") ?? "",
    };
    expect(await failure(optionsFor(directory, { programs }))).toMatch(
      /it ended at once; the end of .*no-such-option/s,
    );
  });

  it("refuses a directory that holds other things, and one that cannot be made", async () => {
    const directory = newFolder();
    mkdirSync(join(directory, "mysql"));
    expect(await failure(optionsFor(directory))).toContain('holds other things ("mysql")');
    expect(await failure(optionsFor("/dev/null/x"))).toContain("cannot be used");
  });

  it.skipIf(mysqldCommand === null)("runs MySQL's server too", async () => {
    const wrapper = join(newFolder(), "mysqld");
    writeFileSync(wrapper, `#!/bin/sh\nexec ${mysqldCommand?.join(" ")} "$@"\n`);
    chmodSync(wrapper, 0o755);
    const programs: EmbeddedPrograms = { flavour: "mysql", server: wrapper, initializer: wrapper };
    const directory = newFolder();
    const server = await start(optionsFor(directory, { programs }));
    expect(server.version).toMatch(/^[89]\.\d+\.\d+/);
    await waitUntil(() => existsSync(server.address.path), "the socket");
  });
});

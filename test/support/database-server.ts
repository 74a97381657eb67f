// Real database servers for tests: a private data directory each, copied from a template that is made once, a free
// port and a unix socket, and a fast end. Which program is started is the business of mariadb-server and mysql-server.
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import type { Connection } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import type { Program } from "./processes.ts";
import { startProgram } from "./processes.ts";
import { freePort, removeFolder, scratchFolder, waitUntil } from "./scratch.ts";

/** What a test may ask of a server. */
export interface DatabaseServerOptions {
  /** Options as the server's command line knows them, e.g. `--gtid-domain-id=1`. They come last and win. */
  readonly flags?: readonly string[];
  /** More of them, for the first start only. */
  readonly firstFlags?: readonly string[];
  /** Set in the server's environment, beside this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Only the unix socket. */
  readonly skipNetworking?: boolean;
  /** Statements for the start (--init-file), one a line, before anyone can connect. */
  readonly initSql?: readonly string[];
}

/** A running server. Account `gatehouse` / `gatehouse-secret` may do everything, so may `root` on the socket without password. */
export interface DatabaseServer {
  readonly flavour: "mariadb" | "mysql";
  /** 0 with skipNetworking. */
  readonly port: number;
  readonly socketPath: string;
  /** The process id of the server; changes with restart. */
  readonly pid: () => number;
  readonly log: () => readonly string[];
  /** A mysql2 connection of root over the unix socket: the caller ends it. */
  connect(database?: string): Promise<Connection>;
  /** Runs statements as root, one after the other; the rows of the last one. */
  admin(...statements: string[]): Promise<Record<string, unknown>[]>;
  /** The URL that `--backend` takes. */
  backendUrl(options?: { socket?: boolean; database?: string; query?: string }): string;
  /** Ends it at once, as a power cut would. The data directory stays until stop(). */
  kill(): Promise<void>;
  /** Ends it in order; resolves when it is gone. */
  shutdown(): Promise<void>;
  /** Starts it again, on the same port, after kill() or after a shutdown from elsewhere. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** The account that gateways under test use. */
export const serviceAccount = { user: "gatehouse", password: "gatehouse-secret" } as const;

/** What differs between the two families of servers. */
export interface ServerKind {
  readonly flavour: "mariadb" | "mysql";
  /** Names the template: changes with the program's version. */
  readonly templateKey: string;
  /** Fills an empty data directory. */
  initialise(datadir: string): Promise<void>;
  /** The command line without the options that every server gets. */
  readonly command: readonly string[];
  readonly flags: readonly string[];
  /** Matches the log line that says that clients may come. */
  readonly ready: RegExp;
}

const templates = join(tmpdir(), `gatehouse-test-${userInfo().uid}`);

/** Makes the template once per machine and program version; several test processes may race, one wins. */
async function template(kind: ServerKind): Promise<string> {
  const wanted = join(templates, kind.templateKey);
  if (existsSync(join(wanted, "complete"))) return wanted;
  mkdirSync(templates, { recursive: true, mode: 0o700 });
  const lock = `${wanted}.lock`;
  const held = await waitUntil(
    () => {
      try {
        mkdirSync(lock);
        return "mine" as const;
      } catch {
        if (existsSync(join(wanted, "complete"))) return "made" as const;
        const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
        if (age > 120_000) removeFolder(lock); // its maker was killed
        return false;
      }
    },
    `the template ${wanted}`,
    180_000,
  );
  if (held === "made") return wanted;
  try {
    if (existsSync(join(wanted, "complete"))) return wanted;
    const draft = `${wanted}.${process.pid}`;
    mkdirSync(draft);
    await kind.initialise(join(draft, "data"));
    writeFileSync(join(draft, "complete"), "");
    removeFolder(wanted);
    renameSync(draft, wanted);
    return wanted;
  } finally {
    removeFolder(lock);
  }
}

/** Starts a server of `kind` and waits until it takes connections. */
export async function startDatabaseServer(
  kind: ServerKind,
  options: DatabaseServerOptions = {},
): Promise<DatabaseServer> {
  const source = await template(kind);
  const folder = scratchFolder(kind.flavour);
  const datadir = join(folder, "data");
  cpSync(join(source, "data"), datadir, { recursive: true, preserveTimestamps: true });
  // MySQL keeps a server's identity there: each copy makes its own.
  rmSync(join(datadir, "auto.cnf"), { force: true });
  const socketPath = join(folder, "s.sock");
  const port = options.skipNetworking ? 0 : await freePort();
  const initFile = join(folder, "init.sql");
  const account = `'${serviceAccount.user}'@'%'`;
  writeFileSync(
    initFile,
    `${[
      // Every server of a group runs this by itself.
      "SET SESSION sql_log_bin = 0;",
      "CREATE DATABASE IF NOT EXISTS shop;",
      `CREATE USER IF NOT EXISTS ${account} IDENTIFIED BY '${serviceAccount.password}';`,
      `GRANT ALL PRIVILEGES ON *.* TO ${account} WITH GRANT OPTION;`,
      ...(options.initSql ?? []),
    ].join("\n")}\n`,
  );
  const command = [
    ...kind.command,
    "--no-defaults",
    `--datadir=${datadir}`,
    `--tmpdir=${folder}`,
    `--socket=${socketPath}`,
    `--pid-file=${join(folder, "pid")}`,
    `--init-file=${initFile}`,
    ...(port === 0 ? ["--skip-networking"] : [`--port=${port}`, "--bind-address=127.0.0.1"]),
    ...(process.getuid?.() === 0 ? ["--user=root"] : []),
    ...kind.flags,
    ...(options.flags ?? []),
  ];

  let program: Program;
  const start = async (more: readonly string[] = []): Promise<void> => {
    program = startProgram([...command, ...more], { env: { ...process.env, ...options.env } });
    await program.waitForLine((line) => kind.ready.test(line), `start of ${kind.flavour}`, 60_000);
  };
  await start(options.firstFlags);

  const connect = (database?: string): Promise<Connection> =>
    createConnection({ socketPath, user: "root", ...(database === undefined ? {} : { database }) });
  return {
    flavour: kind.flavour,
    port,
    socketPath,
    pid: () => program.pid,
    log: () => program.lines,
    connect,
    async admin(...statements) {
      const connection = await connect();
      try {
        let rows: Record<string, unknown>[] = [];
        for (const statement of statements) {
          const [result] = await connection.query(statement);
          rows = Array.isArray(result) ? (result as Record<string, unknown>[]) : [];
        }
        return rows;
      } finally {
        connection.destroy();
      }
    },
    backendUrl({ socket = false, database = "", query = "" } = {}) {
      const { user, password } = serviceAccount;
      const parts = [socket ? `socket=${encodeURIComponent(socketPath)}` : "", query].filter((part) => part);
      const host = socket ? "localhost" : `127.0.0.1:${port}`;
      return `mysql://${user}:${password}@${host}/${database}${parts.length > 0 ? `?${parts.join("&")}` : ""}`;
    },
    async kill() {
      program.kill("SIGKILL");
      await program.ended;
    },
    async shutdown() {
      program.kill("SIGTERM");
      await program.ended;
    },
    async restart() {
      program.kill("SIGKILL");
      await program.ended;
      await start();
    },
    async stop() {
      program.kill("SIGKILL");
      await program.ended;
      removeFolder(folder);
    },
  };
}

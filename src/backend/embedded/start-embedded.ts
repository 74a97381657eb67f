// The embedded backend: a private mariadbd or mysqld behind a unix socket, with a data directory of its own, that lives
// exactly as long as the gateway. It reads no system configuration and listens on no network.

import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join, resolve } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { type Deadline, deadlineAfter } from "../../base/deadline.ts";
import type { BackendAccount, BackendAddress } from "../../routing/route.ts";
import { fileBytes, readTail } from "./log-tail.ts";
import { type EmbeddedPrograms, findPrograms } from "./programs.ts";
import {
  childEnvironment,
  embeddedAccountName,
  embeddedInitialDatabase,
  initializerFlags,
  initStatements,
  serverCommand,
} from "./server-settings.ts";
import { type Supervisor, type SupervisorEnd, supervise } from "./supervisor.ts";

/** How the embedded database is started. */
export interface EmbeddedOptions {
  /** Made when new; holds `data`, `lock`, `server.log`, `files`. */
  readonly directory: string;
  /** PATH, XDG_RUNTIME_DIR, TMPDIR and the locale are read. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** `bytes` random bytes, fit for a password. */
  readonly random: (bytes: number) => Uint8Array;
  /** Whether the process is root: database servers want that said. */
  readonly isRoot: boolean;
  /** From start to the first greeting, crash recovery included. @default 120000 */
  readonly startTimeoutMs?: number;
  /** A server that crashes is started again when it has run that long; else it is given up. @default 20000 */
  readonly settledAfterMs?: number;
  /** @default what is found on PATH and in the usual folders */
  readonly programs?: EmbeddedPrograms;
  /** Told once when it runs, so that the caller can warn that this is no real database. */
  readonly announce?: (facts: EmbeddedFacts) => void;
}

/** What runs. */
export interface EmbeddedFacts {
  readonly directory: string;
  readonly program: string;
  /** As greeted, e.g. `10.11.19-MariaDB-0+deb12u1` behind MariaDB's `5.5.5-`. */
  readonly version: string;
}

/** The running database. */
export interface EmbeddedServer extends EmbeddedFacts {
  readonly address: BackendAddress & { readonly kind: "unix" };
  /** For the gateway alone: its password is new with every start and stands in no file that stays. */
  readonly account: BackendAccount;
  /** A schema that exists. */
  readonly initialDatabase: string;
  /** Resolves when the database is gone for good, asked for or not (a crash after the start is mended unseen). */
  readonly ended: Promise<"stopped" | "failed">;
  /** Shuts the database down; resolves when its last process is gone. */
  stop(): Promise<void>;
}

/** Why it cannot run: a sentence that says what to do. */
export class EmbeddedError extends Error {
  override readonly name = "EmbeddedError";
}

/** sockaddr_un holds 108 bytes on Linux with the closing NUL; 104 on macOS and the BSDs. */
const socketPathBytesMax = process.platform === "linux" ? 107 : 103;
const ownNames = /^(lock|data|data\.new|files|server\.log(\.1)?)$/;

/**
 * Starts the database and waits until it greets.
 * @throws EmbeddedError when no server is installed, the directory is in use or not ours, or the server does not start
 * (with the last lines of its log).
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const directory = resolve(options.directory);
  const programs = options.programs ?? findPrograms(options.environment.PATH ?? "");
  if (typeof programs === "string") throw cannot(programs);
  prepareDirectory(directory);
  const runtimeDirectory = makeRuntimeDirectory(options.environment);
  const socket = join(runtimeDirectory, "s");
  const password = Buffer.from(options.random(24)).toString("base64url");
  const initFile = join(runtimeDirectory, "init.sql");
  writeFileSync(initFile, initStatements(password), { mode: 0o600 });
  const logFile = join(directory, "server.log");
  const logStart = fileBytes(logFile);
  const supervisor = supervise({
    directory,
    runtimeDirectory,
    initializer: programs.initializer,
    initializerFlags: initializerFlags(programs, options.isRoot),
    command: serverCommand(programs, { directory, runtimeDirectory, socket, initFile }, options.isRoot),
    settledAfterMs: options.settledAfterMs ?? 20_000,
    environment: childEnvironment(options.environment),
  });
  const deadline = deadlineAfter(options.startTimeoutMs ?? 120_000, options.clock);
  const greeted = await waitForGreeting(socket, supervisor, deadline);
  if (greeted.kind !== "greeting") {
    supervisor.stop();
    await supervisor.ended;
    rmSync(runtimeDirectory, { recursive: true, force: true });
    const log = readTail(logFile, logStart).replaceAll(password, "...");
    throw cannot(describeFailure(greeted.kind, directory, log));
  }
  const facts = { directory, program: programs.server, version: greeted.version };
  options.announce?.(facts);
  return {
    ...facts,
    address: { kind: "unix", path: socket },
    account: { name: "embedded", user: embeddedAccountName, password: () => password, generation: 1 },
    initialDatabase: embeddedInitialDatabase,
    ended: supervisor.ended.then((end) => (end === "stopped" ? "stopped" : "failed")),
    stop: async () => {
      supervisor.stop();
      await supervisor.ended;
    },
  };
}

function cannot(reason: string): EmbeddedError {
  return new EmbeddedError(`Cannot start the embedded database: ${reason}`);
}

/** Makes the directory and refuses one that holds other things: it could be another server's data. */
function prepareDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const foreign = readdirSync(directory).find((name) => !ownNames.test(name));
    if (foreign !== undefined) {
      throw cannot(
        `directory "${directory}" holds other things ("${foreign}"): name a new one with --embedded_datadir`,
      );
    }
    chmodSync(directory, 0o700);
    mkdirSync(join(directory, "files"), { recursive: true, mode: 0o700 });
  } catch (error) {
    if (error instanceof EmbeddedError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw cannot(`directory "${directory}" cannot be used: ${why}; name another one with --embedded_datadir`);
  }
}

/** A short private folder for the socket: paths of sockets are limited, the data directory's may be long. */
function makeRuntimeDirectory(environment: EmbeddedOptions["environment"]): string {
  for (const base of [environment.XDG_RUNTIME_DIR, environment.TMPDIR, "/tmp"]) {
    if (base === undefined || base === "") continue;
    // mkdtemp adds six characters; the server adds `.lock` and `.tmp` to the socket's name.
    const longest = Buffer.byteLength(join(base, "gatehouse-XXXXXX", "s.lock"));
    if (longest > socketPathBytesMax) continue;
    try {
      return mkdtempSync(join(base, "gatehouse-"));
    } catch {
      // Missing or not writable: try the next one.
    }
  }
  throw cannot("no folder for its socket: set TMPDIR to a writable one with a short path");
}

type Greeted =
  | { readonly kind: "greeting"; readonly version: string }
  | { readonly kind: SupervisorEnd | "timeout" };

/** Connects until the server greets: it accepts only when recovery and init file are done. */
async function waitForGreeting(socket: string, supervisor: Supervisor, deadline: Deadline): Promise<Greeted> {
  let end: SupervisorEnd | null = null;
  const ended = supervisor.ended.then((how) => {
    end = how;
    return null;
  });
  while (end === null) {
    const remainingMs = deadline.remainingMs();
    if (remainingMs === 0) return { kind: "timeout" };
    const version = await Promise.race([readGreeting(socket, remainingMs), ended]);
    if (version !== null) return { kind: "greeting", version };
    await Promise.race([new Promise((wake) => setTimeout(wake, 25)), ended]);
  }
  return { kind: end };
}

/** The version of a server's greeting (`0a version NUL ...` behind a header of 4 bytes); null when it gives none. */
function readGreeting(socket: string, timeoutMs: number): Promise<string | null> {
  return new Promise((resolve) => {
    const connection = createConnection(socket);
    const finish = (version: string | null): void => {
      resolve(version);
      connection.destroy();
    };
    connection.setTimeout(Math.ceil(timeoutMs), () => finish(null));
    connection.once("error", () => finish(null));
    connection.once("close", () => finish(null));
    // The greeting is far smaller than what a unix socket delivers at once.
    connection.once("data", (packet) => {
      const end = packet.indexOf(0, 5);
      finish(packet[4] === 0x0a && end > 5 ? packet.toString("latin1", 5, end) : null);
    });
  });
}

function describeFailure(kind: SupervisorEnd | "timeout", directory: string, log: string): string {
  const lastLines = log === "" ? "its log is empty" : `the end of ${join(directory, "server.log")}:\n${log}`;
  switch (kind) {
    case "in_use":
      return `directory "${directory}" is in use by another gateway: stop that one, or name another directory with --embedded_datadir`;
    case "not_initialized":
      return `a new data directory cannot be made; ${lastLines}`;
    case "timeout":
      return `it did not get ready in time; ${lastLines}`;
    default:
      return `it ended at once; ${lastLines}`;
  }
}

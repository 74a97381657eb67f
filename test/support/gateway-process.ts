// The gateway as users start it: `node bin/gatehouse.js` with flags, its log read line by line, its end checked.
// GATEHOUSE_TEST_COMMAND replaces the command (a stand-in, another build, another Node).
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { DatabaseServer } from "./database-server.ts";
import type { Ended, Program } from "./processes.ts";
import { startProgram } from "./processes.ts";
import { freePort, removeFolder, scratchFolder, waitUntil, within } from "./scratch.ts";

const root = resolve(import.meta.dirname, "../..");

/** The content of a users file. */
export type UsersFile = Readonly<Record<string, unknown>>;

/** What a test may ask of a gateway. */
export interface GatewayOptions {
  /** Where it relays to; null: no --backend flag at all. */
  readonly backend: DatabaseServer | string | null;
  /** The users file's content, or its exact text. */
  readonly users?: UsersFile | string;
  /** Flags by name; false leaves one out that would be set by default. */
  readonly flags?: Readonly<Record<string, string | number | boolean>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Default: free ones. */
  readonly ports?: { readonly mysql: number; readonly admin: number };
}

/** One line of the gateway's log. */
export type LogRecord = Readonly<Record<string, unknown>>;

/** A running gateway. */
export interface GatewayProcess {
  readonly port: number;
  readonly socketPath: string;
  /** The admin HTTP. */
  readonly adminPort: number;
  readonly usersFile: string;
  /** A folder that goes with the gateway. */
  readonly folder: string;
  readonly pid: number;
  readonly lines: readonly string[];
  /** Log lines that are JSON. */
  records(): LogRecord[];
  /** The first record, past or future, that `matches`. */
  waitForRecord(matches: (record: LogRecord) => boolean, what: string): Promise<LogRecord>;
  /** A page of the admin HTTP. */
  admin(path: string): Promise<{ status: number; body: string }>;
  /** The sum over the labels of one metric; null when it is not there. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number | null>;
  /** Resident memory, KiB. */
  residentKib(): number;
  signal(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
  /** SIGTERM; throws unless it ends in time with code 0 and without an uncaught error in its log. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** Whether a record warns or tells of an error. */
export function isComplaint(record: LogRecord): boolean {
  return ["warn", "error", "fatal"].includes(String(record.level));
}

/** The user of tests that are not about login: `tester` / `tester-secret`. */
export const testUser = { user: "tester", password: "tester-secret" } as const;

const commandWords = (process.env.GATEHOUSE_TEST_COMMAND ?? "").split(" ").filter((word) => word !== "");

/** The command without flags. */
export const gatewayCommand: readonly string[] =
  commandWords.length > 0 ? commandWords : [process.execPath, join(root, "bin/gatehouse.js")];

function parseRecord(line: string): LogRecord | null {
  if (!line.startsWith("{")) return null;
  try {
    return JSON.parse(line) as LogRecord;
  } catch {
    return null;
  }
}

function flagWords(flags: Readonly<Record<string, string | number | boolean>>): string[] {
  return Object.entries(flags)
    .filter(([, value]) => value !== false)
    .map(([name, value]) => (value === true ? `--${name}` : `--${name}=${value}`));
}

/** Starts a gateway on free ports and waits until it answers. */
export async function startGateway(options: GatewayOptions): Promise<GatewayProcess> {
  const folder = scratchFolder("gw");
  const usersFile = join(folder, "users.json");
  const users = options.users ?? { [testUser.user]: [{ Password: testUser.password }] };
  writeFileSync(usersFile, typeof users === "string" ? users : JSON.stringify(users, null, 2), {
    mode: 0o600,
  });
  const { ports } = options;
  const port = ports?.mysql ?? (await freePort());
  const adminPort = ports?.admin ?? (await freePort());
  const socketPath = join(folder, "g.sock");
  const { backend } = options;
  const flags = {
    mysql_auth_server_impl: "static",
    mysql_auth_server_static_file: usersFile,
    mysql_server_port: port,
    mysql_server_socket_path: socketPath,
    port: adminPort,
    log_level: "debug",
    ...options.flags,
  };
  const url =
    backend === null || typeof backend === "string" ? backend : backend.backendUrl({ socket: true });
  const program = startProgram([...gatewayCommand, ...flagWords(flags)], {
    env: {
      ...process.env,
      ...(url === null ? {} : { GATEHOUSE_BACKEND: url }),
      ...options.env,
    },
    cwd: folder,
  });
  try {
    // Somebody else's gateway may answer at that port: ours makes its own socket.
    const listens = (): boolean => flags.mysql_server_socket_path !== socketPath || existsSync(socketPath);
    const isUp = async (): Promise<boolean> =>
      program.hasEnded() || (listens() && (await answers(adminPort)));
    await waitUntil(isUp, "the gateway's /healthz", 30_000);
    if (program.hasEnded()) throw new Error("it ended at once");
  } catch (cause) {
    program.kill();
    throw new Error(`The gateway did not start. Its output:\n${program.lines.slice(-40).join("\n")}`, {
      cause,
    });
  }
  return handle(program, { port, adminPort, socketPath, usersFile, folder });
}

async function answers(adminPort: number): Promise<boolean> {
  // Whoever takes the connection and says nothing is asked again.
  return fetch(`http://127.0.0.1:${adminPort}/healthz`, { signal: AbortSignal.timeout(5000) }).then(
    (response) => response.ok,
    () => false,
  );
}

type Places = Pick<GatewayProcess, "port" | "adminPort" | "socketPath" | "usersFile" | "folder">;

function handle(program: Program, places: Places): GatewayProcess {
  const admin = async (path: string): Promise<{ status: number; body: string }> => {
    const response = await fetch(`http://127.0.0.1:${places.adminPort}${path}`);
    return { status: response.status, body: await response.text() };
  };
  return {
    ...places,
    pid: program.pid,
    lines: program.lines,
    records: () => program.lines.map(parseRecord).filter((record) => record !== null),
    async waitForRecord(matches, what) {
      const line = await program.waitForLine((text) => {
        const record = parseRecord(text);
        return record !== null && matches(record);
      }, what);
      return parseRecord(line) ?? {};
    },
    admin,
    async metric(name, labels = {}) {
      const { body } = await admin("/metrics");
      return sumMetric(body, name, labels);
    },
    residentKib: () => {
      const status = readFileSync(`/proc/${program.pid}/status`, "utf8");
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
    },
    signal: (signal) => program.kill(signal),
    ended: program.ended,
    async stop() {
      program.kill("SIGTERM");
      const { code, signal } = await within(program.ended, "the gateway's end after SIGTERM", 15_000).catch(
        (error) => {
          program.kill();
          throw error;
        },
      );
      removeFolder(places.folder);
      const bad = program.lines.filter((line) =>
        /AssertionFailure|uncaught|unhandled|"level":"fatal"/i.test(line),
      );
      if (code !== 0 || bad.length > 0) {
        const tail = program.lines.slice(-20).join("\n");
        throw new Error(`The gateway ended with code ${code}, signal ${signal}:\n${bad.join("\n")}\n${tail}`);
      }
    },
    async kill() {
      program.kill();
      await program.ended;
      removeFolder(places.folder);
    },
  };
}

/** Adds up the samples of `name` (with or without the program's prefix) that carry `labels`; null: there are none. */
export function sumMetric(
  text: string,
  name: string,
  labels: Readonly<Record<string, string>>,
): number | null {
  let sum: number | null = null;
  for (const match of text.matchAll(/^(\w+)(?:\{([^}]*)\})? (\S+)/gm)) {
    const [, found = "", labelText = "", value = ""] = match;
    if (found !== name && found !== `gatehouse_${name}`) continue;
    if (!Object.entries(labels).every(([key, wanted]) => labelText.includes(`${key}="${wanted}"`))) continue;
    sum = (sum ?? 0) + Number(value);
  }
  return sum;
}

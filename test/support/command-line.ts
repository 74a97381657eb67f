// The command line clients, run as users run them: their text on stdin or after -e, their whole output kept.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { mysqlClientCommand } from "./mysql-server.ts";
import type { RunResult } from "./processes.ts";
import { findProgram, runProgram } from "./processes.ts";
import { scratchFolder } from "./scratch.ts";

/** Where and as whom a client connects. */
export interface ClientTarget {
  readonly user: string;
  readonly password: string;
  readonly port?: number;
  readonly socketPath?: string;
  readonly database?: string;
}

/** The command line of MariaDB's client. */
export const mariadbCommand: readonly string[] | null = (() => {
  const found = findProgram("mariadb");
  return found === null ? null : [found];
})();

/** Real command line clients on this machine, by name, for describe.each. */
export const commandLines: readonly { readonly name: string; readonly command: readonly string[] }[] = [
  ...(mariadbCommand === null ? [] : [{ name: "mariadb", command: mariadbCommand }]),
  ...(mysqlClientCommand === null ? [] : [{ name: "mysql", command: mysqlClientCommand }]),
];

/** The options that point a command line client at `target`; the password comes by {@link passwordEnvironment}. */
export function connectOptions(target: ClientTarget): string[] {
  return [
    "--no-defaults",
    `--user=${target.user}`,
    ...(target.socketPath === undefined
      ? ["--protocol=TCP", "--host=127.0.0.1", `--port=${target.port}`]
      : [`--socket=${target.socketPath}`]),
  ];
}

/**
 * The environment in which a command line client finds its password, without the warning about options, and its character
 * set: without a locale, MariaDB's takes latin1.
 */
export function passwordEnvironment(target: ClientTarget): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: "C.UTF-8", MYSQL_PWD: target.password };
}

/** Runs statements with a command line client in batch mode: tab-separated rows without headers come back. */
export function runCommandLine(
  command: readonly string[],
  target: ClientTarget,
  sql: string,
  options: { extra?: readonly string[]; timeoutMs?: number } = {},
): Promise<RunResult> {
  const words = [
    ...command,
    ...connectOptions(target),
    "--batch",
    "--skip-column-names",
    ...(options.extra ?? []),
    ...(target.database === undefined ? [] : [target.database]),
  ];
  return runProgram(words, {
    input: sql,
    timeoutMs: options.timeoutMs ?? 30_000,
    env: passwordEnvironment(target),
  });
}

const python = ["/usr/bin/python3", "python3"].find((name) => findProgram(name) !== null && hasPymysql(name));

function hasPymysql(name: string): boolean {
  return findProgram(name) !== null && spawnOk(name, "import pymysql");
}

function spawnOk(name: string, code: string): boolean {
  return spawnSync(name, ["-c", code]).status === 0;
}

/** Whether a Python with PyMySQL is at hand; tests skip with the reason otherwise. */
export const hasPython: boolean = python !== undefined;
if (!hasPython) console.warn("Skipping tests with PyMySQL: no python3 that imports pymysql");

/**
 * Runs a Python script in which `connect(**options)` is PyMySQL's with the target filled in, and `out(value)` adds one
 * JSON value to what is returned; files go into a folder of its own. Throws when the script fails.
 */
export async function runPymysql(target: ClientTarget, script: string): Promise<unknown[]> {
  const file = join(scratchFolder("py"), "script.py");
  const place =
    target.socketPath === undefined
      ? { host: "127.0.0.1", port: target.port }
      : { unix_socket: target.socketPath };
  const settings = { user: target.user, password: target.password, database: target.database, ...place };
  writeFileSync(
    file,
    `import json, os, pymysql, pymysql.cursors
os.chdir(os.path.dirname(os.path.abspath(__file__)))
settings = json.loads(${JSON.stringify(JSON.stringify(settings))})
def connect(**options):
    return pymysql.connect(**{**settings, **options})
def out(value):
    print(json.dumps(value, default=str), flush=True)
${script}
`,
  );
  const result = await runProgram([python ?? "python3", file]);
  if (result.code !== 0) throw new Error(`PyMySQL script failed (${result.code}):\n${result.stderr}`);
  return result.stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as unknown);
}

// Child processes that never outlive the test run: killed when the test process exits in any way, by the kernel's
// parent-death signal where `setpriv` is at hand (also after SIGKILL of the runner) and by an exit hook elsewhere.
import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const live = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of live) child.kill("SIGKILL");
});

const deathSignal: readonly string[] =
  process.platform === "linux" && spawnSync("setpriv", ["--pdeathsig", "KILL", "true"]).status === 0
    ? ["setpriv", "--pdeathsig", "KILL"]
    : [];

/** How a process ended: its exit code, or the signal that ended it. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running program whose output is kept line by line (stdout and stderr together, bounded). */
export interface Program {
  readonly pid: number;
  readonly lines: readonly string[];
  /** Resolves when the process has ended and its output was read. */
  readonly ended: Promise<Ended>;
  readonly hasEnded: () => boolean;
  /** The first line, past or future, that `matches`; rejects when the program ends or `timeoutMs` passes before. */
  waitForLine(matches: (line: string) => boolean, what: string, timeoutMs?: number): Promise<string>;
  kill(signal?: NodeJS.Signals): void;
}

const linesMax = 50_000;

/** Starts `command` with nothing on its stdin. Throws nothing: a missing program ends with code 127. */
export function startProgram(
  command: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; survivesParent?: boolean } = {},
): Program {
  const [file = "false", ...args] = options.survivesParent ? command : [...deathSignal, ...command];
  const child = spawn(file, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: options.env ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  live.add(child);
  const lines: string[] = [];
  const watchers = new Set<() => void>();
  let over: Ended | null = null;
  const wake = (): void => {
    for (const watcher of [...watchers]) watcher();
  };
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      if (lines.length > linesMax) lines.splice(0, linesMax / 10);
      wake();
    });
  }
  const ended = new Promise<Ended>((resolve) => {
    const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
      live.delete(child);
      over = { code, signal };
      wake();
      resolve(over);
    };
    child.once("error", (error) => {
      lines.push(String(error));
      finish(127, null);
    });
    child.once("close", finish);
  });

  return {
    pid: child.pid ?? -1,
    lines,
    ended,
    hasEnded: () => over !== null,
    kill: (signal = "SIGKILL") => {
      child.kill(signal);
    },
    // As patient as `waitUntil` by default: a machine under load may stand still for long.
    waitForLine(matches, what, timeoutMs = 60_000) {
      return new Promise((resolve, reject) => {
        let seen = 0;
        const fail = (why: string): void => {
          stop();
          reject(new Error(`${what}: ${why}. Last output:\n${lines.slice(-30).join("\n")}`));
        };
        const timer = setTimeout(() => fail(`not seen within ${timeoutMs} ms`), timeoutMs);
        const look = (): void => {
          for (; seen < lines.length; seen++) {
            const line = lines[seen] ?? "";
            if (matches(line)) {
              stop();
              resolve(line);
              return;
            }
          }
          if (over !== null) fail(`the process ended first (code ${over.code}, signal ${over.signal})`);
        };
        const stop = (): void => {
          clearTimeout(timer);
          watchers.delete(look);
        };
        watchers.add(look);
        look();
      });
    },
  };
}

/** What a program that ran to its end left behind. */
export interface RunResult extends Ended {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `command` to its end with `input` on stdin; kills it after `timeoutMs` (the signal then says so). */
export async function runProgram(
  command: readonly string[],
  options: { input?: string | Uint8Array; env?: NodeJS.ProcessEnv; cwd?: string; timeoutMs?: number } = {},
): Promise<RunResult> {
  const [file = "false", ...args] = [...deathSignal, ...command];
  const child = spawn(file, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: options.env ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  live.add(child);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  child.stdin.on("error", () => {}); // the program may end without reading its input
  child.stdin.end(options.input ?? "");
  const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? 30_000);
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  live.delete(child);
  return { code, signal, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
}

/** Whether a program can be found on PATH or in the usual sbin folders; its full path, or null. */
export function findProgram(name: string): string | null {
  const path = `${process.env.PATH ?? ""}:/usr/sbin:/usr/local/sbin:/sbin`;
  const found = spawnSync("sh", ["-c", `command -v "${name}"`], { env: { ...process.env, PATH: path } });
  return found.status === 0 ? found.stdout.toString().trim() : null;
}

/** The words of a command that a variable of the environment names; null where it is not set. */
export function commandFrom(variable: string): readonly string[] | null {
  const words = (process.env[variable] ?? "").split(" ").filter((word) => word !== "");
  return words.length > 0 ? words : null;
}

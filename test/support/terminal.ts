// A program in a real terminal (a pty made by Python's standard library), typed at by the test: for what command line
// clients do only on terminals, such as Ctrl-C.
import { spawn } from "node:child_process";
import { waitUntil } from "./scratch.ts";

// Copies between our pipes and the pty; a byte 0x03 on stdin becomes SIGINT by way of the terminal's line discipline.
const bridge = `
import os, pty, select, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
while True:
    ready, _, _ = select.select([fd, 0], [], [])
    if fd in ready:
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        os.write(1, data)
    if 0 in ready:
        data = os.read(0, 65536)
        if not data:
            break
        os.write(fd, data)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) & 255)
`;

/** A program that runs in a terminal. */
export interface Terminal {
  /** All that it has shown so far. */
  readonly screen: () => string;
  type(text: string): void;
  /** Ctrl-C. */
  interrupt(): void;
  /** Waits until what was shown after `mark` characters matches; returns the new length as the next mark. */
  waitFor(pattern: RegExp, mark?: number, timeoutMs?: number): Promise<number>;
  /** Hangs up and waits for the end. */
  close(): Promise<void>;
}

/** Starts `command` in a terminal of 80 x 24. */
export function openTerminal(
  command: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Terminal {
  const child = spawn("/usr/bin/python3", ["-c", bridge, ...command], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...environment, TERM: "dumb" },
  });
  let shown = "";
  child.stdout.on("data", (chunk: Buffer) => {
    shown += chunk.toString();
  });
  child.stdin.on("error", () => {});
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const kill = (): void => {
    child.kill("SIGKILL");
  };
  process.on("exit", kill);
  return {
    screen: () => shown,
    type: (text) => child.stdin.write(text),
    interrupt: () => child.stdin.write("\x03"),
    async waitFor(pattern, mark = 0, timeoutMs = 15_000) {
      try {
        await waitUntil(() => pattern.test(shown.slice(mark)), String(pattern), timeoutMs);
      } catch (cause) {
        throw new Error(`The terminal did not show ${pattern}. It shows:\n${shown.slice(mark)}`, { cause });
      }
      return shown.length;
    },
    async close() {
      child.stdin.end();
      child.kill("SIGTERM");
      await ended;
      process.off("exit", kill);
    },
  };
}

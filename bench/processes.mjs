// Processes of a measurement: started on one CPU, their CPU time and memory read from /proc over all their children,
// ended with the measurement.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect } from "node:net";

const live = new Set();
process.on("exit", () => {
  for (const child of live) child.kill("SIGKILL");
});

/** Starts `command` on CPU `cpu`; its output is kept for when it fails. */
export function startOn(cpu, command, env = {}) {
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "taskset", "-c", String(cpu), ...command], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  live.add(child);
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => output.push(chunk));
  child.output = () => Buffer.concat(output).toString();
  child.ended = new Promise((resolve) => {
    child.once("close", (code) => {
      live.delete(child);
      resolve(code);
    });
  });
  return child;
}

/** Runs `command` on CPU `cpu` to its end; its stdout. */
export async function runOn(cpu, command) {
  const child = startOn(cpu, command);
  const code = await child.ended;
  if (code !== 0) throw new Error(`${command.join(" ")} ended with code ${code}:\n${child.output()}`);
  return child.output();
}

/** Waits until `child` takes connections on `port` and says something (a greeting). */
export async function waitForGreeting(child, port) {
  const deadline = Date.now() + 30_000;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`ended at once:\n${child.output()}`);
    if (Date.now() > deadline) throw new Error(`no greeting on port ${port}:\n${child.output()}`);
    const greeted = await new Promise((resolve) => {
      const socket = connect({ port, host: "127.0.0.1" });
      const end = (answer) => {
        socket.destroy();
        resolve(answer);
      };
      socket.once("data", (bytes) => end(bytes[4] === 10));
      socket.once("error", () => end(false));
      socket.once("close", () => end(false));
      socket.setTimeout(1000, () => end(false));
    });
    if (greeted) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function childrenOf(pid) {
  try {
    const own = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
    return own.flatMap((child) => [Number(child), ...childrenOf(child)]);
  } catch {
    return [];
  }
}

/** `pid` and all processes below it. */
export const treeOf = (pid) => [pid, ...childrenOf(pid)];

/** User and system time of all of them so far, in microseconds (clock ticks of 10 ms). */
export function cpuMicroseconds(pids) {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * 10_000;
}

/** Memory of all of them, each shared page counted once, in KiB. */
export function memoryKib(pids) {
  let kib = 0;
  for (const pid of pids) {
    kib += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);
  }
  return kib;
}

import { EventEmitter } from "node:events";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import type { CommandContext } from "../../../src/cli/command.ts";
import { runCommand } from "../../../src/cli/run.ts";
import { type ServingProcess, serve } from "../../../src/cli/serve.ts";
import { type CreateGateway, StartError } from "../../../src/server/gateway-seam.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gatehouse-serve-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A process whose gateway only notes what it is asked. */
function start(argv: readonly string[], failure: Error | null = null) {
  const calls: string[] = [];
  const output: string[] = [];
  const events = new EventEmitter();
  let releaseStop = (): void => {};
  const createGateway: CreateGateway = async (_options, tools) => ({
    addresses: ["127.0.0.1:3306"],
    start: async () => {
      calls.push("start");
      if (failure !== null) throw failure;
    },
    reload: async (trigger) => {
      calls.push(`reload ${trigger}`);
      tools.audit.record("stop", { reason: "audit line" });
    },
    stop: (reason) => {
      calls.push(`stop ${reason}`);
      return new Promise<void>((resolve) => {
        const before = releaseStop;
        releaseStop = () => {
          before();
          resolve();
        };
        if (reason === "failed start") resolve();
      });
    },
  });
  const context: CommandContext = {
    argv,
    environment: {},
    homeDirectory: directory,
    clock: systemClock,
    width: 80,
    print: (text) => output.push(text),
    complain: (text) => output.push(text),
  };
  const serving: ServingProcess = {
    fork: () => {
      throw new Error("no worker was asked for");
    },
    channel: null,
    events,
    pid: process.pid,
    setTitle: (title: string) => void calls.push(`title ${title}`),
    exitNow: (code: number) => void calls.push(`exit ${code}`),
    killNow: () => void calls.push("kill"),
  };
  const exit = runCommand(context, {
    serve: (inner) => serve(inner, serving, createGateway),
    check: async () => 0,
  });
  return { calls, output, events, exit, releaseStop: () => releaseStop() };
}

const quiet = ["--mysql_auth_server_static_string={}", "--log_level=silent"];
const ready = async (run: ReturnType<typeof start>): Promise<void> => {
  await vi.waitFor(() => expect(run.events.listenerCount("unhandledRejection")).toBe(1), { interval: 1 });
};

describe("gatehouse serve", () => {
  it("starts, reloads on SIGHUP, stops on SIGTERM and ends with 0", async () => {
    const run = start(quiet);
    await ready(run);
    run.events.emit("SIGHUP");
    run.events.emit("SIGTERM");
    await vi.waitFor(() => expect(run.calls).toContain("stop SIGTERM"), { interval: 1 });
    run.releaseStop();
    expect(await run.exit).toBe(0);
    expect(run.calls).toEqual(["title gatehouse", "start", "reload SIGHUP", "stop SIGTERM"]);
    expect(run.events.listenerCount("SIGTERM")).toBe(0);
  });

  it("asks again at the second signal and exits at the third", async () => {
    const run = start(quiet);
    await ready(run);
    for (let signal = 0; signal < 3; signal++) run.events.emit("SIGINT");
    await vi.waitFor(() => expect(run.calls.filter((call) => call === "stop SIGINT").length).toBe(3), {
      interval: 1,
    });
    await vi.waitFor(() => expect(run.calls).toContain("exit 1"), { interval: 1 });
    run.releaseStop();
    await run.exit;
  });

  it("ends a process that does not stop in time", async () => {
    const run = start([...quiet, "--onterm_timeout=1s", "--backend=mysql://u:p@127.0.0.1:1"]);
    await ready(run);
    vi.useFakeTimers();
    try {
      run.events.emit("SIGTERM");
      await vi.advanceTimersByTimeAsync(15_999);
      expect(run.calls).not.toContain("exit 1");
      await vi.advanceTimersByTimeAsync(1);
    } finally {
      vi.useRealTimers();
    }
    await vi.waitFor(() => expect(run.calls).toContain("exit 1"), { interval: 1 });
    run.releaseStop();
    expect(await run.exit).toBe(0);
  });

  it("goes on after errors that nothing caught", async () => {
    const log = join(directory, "log");
    const run = start([...quiet.slice(0, 1), `--log_file=${log}`]);
    await ready(run);
    run.events.emit("uncaughtException", new Error("boom"));
    run.events.emit("unhandledRejection", "reason");
    run.events.emit("SIGTERM");
    await vi.waitFor(() => expect(run.calls).toContain("stop SIGTERM"), { interval: 1 });
    run.releaseStop();
    expect(await run.exit).toBe(0);
    const lines = readFileSync(log, "utf8");
    expect(lines.match(/Uncaught failure/g)?.length).toBe(2);
    expect(lines).toContain("boom");
  });

  it("reopens log and audit log on SIGUSR2 and SIGHUP", async () => {
    const log = join(directory, "log");
    const audit = join(directory, "audit");
    const run = start([...quiet.slice(0, 1), `--log_file=${log}`, `--audit_log_file=${audit}`]);
    await ready(run);
    for (const [round, signal] of ["SIGUSR2", "SIGHUP"].entries()) {
      await vi.waitFor(() => expect(readFileSync(log, "utf8")).not.toBe(""), { interval: 1 });
      renameSync(log, `${log}.${round}`);
      renameSync(audit, `${audit}.${round}`);
      run.events.emit(signal);
      await vi.waitFor(() => expect(existsSync(log) && existsSync(audit)).toBe(true), { interval: 1 });
    }
    run.events.emit("SIGTERM");
    await vi.waitFor(() => expect(run.calls).toContain("stop SIGTERM"), { interval: 1 });
    run.releaseStop();
    await run.exit;
    expect(readFileSync(`${audit}.0`, "utf8")).toContain('"audit":"start"');
    expect(readFileSync(audit, "utf8")).toContain("audit line");
    expect(readFileSync(log, "utf8")).toContain("Stopped");
  });

  it("writes the pid file while it runs, replaces a dead one, and respects a live one", async () => {
    const pidFile = join(directory, "pid");
    writeFileSync(pidFile, "999999999\n");
    const run = start([...quiet, `--pid_file=${pidFile}`]);
    await ready(run);
    expect(readFileSync(pidFile, "utf8")).toBe(`${process.pid}\n`);
    run.events.emit("SIGTERM");
    await vi.waitFor(() => expect(run.calls).toContain("stop SIGTERM"), { interval: 1 });
    run.releaseStop();
    await run.exit;
    expect(existsSync(pidFile)).toBe(false);
    writeFileSync(pidFile, "1\n");
    const second = start([...quiet, `--pid_file=${pidFile}`]);
    expect(await second.exit).toBe(1);
    expect(second.output).toEqual([
      `gatehouse: Another process (1) holds the pid file ${pidFile}: stop it or choose another --pid_file`,
    ]);
    expect(readFileSync(pidFile, "utf8")).toBe("1\n");
  });

  it("ends a failed start with one sentence, exit code 1 and nothing left behind", async () => {
    const pidFile = join(directory, "pid");
    const run = start(
      [...quiet, `--pid_file=${pidFile}`],
      new StartError("Cannot find mariadbd: install it"),
    );
    expect(await run.exit).toBe(1);
    expect(run.output).toEqual(["gatehouse: Cannot find mariadbd: install it"]);
    expect(run.calls).toEqual(["title gatehouse", "start", "stop failed start"]);
    expect(existsSync(pidFile)).toBe(false);
    const busy = Object.assign(new Error("x"), { code: "EADDRINUSE", address: "127.0.0.1", port: 3306 });
    const second = start(quiet, busy);
    expect(await second.exit).toBe(1);
    expect(second.output).toEqual([
      "gatehouse: Cannot listen on 127.0.0.1:3306: it is in use; stop the other program or choose another port or path",
    ]);
  });

  it.each([
    [["serv"], "gatehouse: Unknown command 'serv': did you mean serve?"],
    [["--prot=1"], "gatehouse: Unknown flag --prot: did you mean --port?"],
    [["serve", "now"], "gatehouse: Unexpected word 'now': a command stands first, flags begin with --"],
    [
      [...quiet, "--log_file=/nonexistent/log"],
      "gatehouse: Cannot open --log_file /nonexistent/log: its folder does not exist",
    ],
  ])("of %j says: %s", async (argv, message) => {
    const run = start(argv);
    expect(await run.exit).toBe(1);
    expect(run.output).toEqual([message]);
  });

  it("shows help and version", async () => {
    for (const argv of [["--help"], ["help"], ["serve", "-h"]]) {
      const run = start(argv);
      expect(await run.exit).toBe(0);
      expect(run.output.join("\n")).toContain("--mysql_server_port=NUMBER  (default 3306)");
    }
    const run = start(["--version"]);
    expect(await run.exit).toBe(0);
    expect(run.output[0]).toMatch(/^\d+\.\d+\.\d+$/);
  });
});

// The program: the only place that touches the process's arguments, environment, streams and exit code.

import { homedir } from "node:os";
import { systemClock } from "../base/clock.ts";
import { createGateway } from "../server/gateway.ts";
import { check } from "./check.ts";
import type { CommandContext } from "./command.ts";
import { explain } from "./explain.ts";
import { channelOfWorker, forkWorker } from "./node-cluster.ts";
import { runCommand } from "./run.ts";
import { type ServingProcess, serve } from "./serve.ts";
import { users } from "./users/users-command.ts";

const widthDefault = 100;

/** Runs the command that the process was started with and sets its exit code. Never rejects. */
export async function main(): Promise<void> {
  // A reader that goes away (`| head`) must not be an uncaught error.
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
  const context: CommandContext = {
    argv: process.argv.slice(2),
    environment: process.env,
    homeDirectory: homedir(),
    clock: systemClock,
    width: process.stdout.columns ?? widthDefault,
    print: (text) => void process.stdout.write(`${text}\n`),
    complain: (text) => void process.stderr.write(`${text}\n`),
  };
  const channel = channelOfWorker();
  const serving: ServingProcess = {
    fork: forkWorker,
    channel,
    events: process,
    pid: process.pid,
    setTitle: (title) => {
      process.title = title;
    },
    exitNow: (code) => process.exit(code),
    killNow: () => void process.kill(process.pid, "SIGKILL"),
  };
  process.exitCode = await runCommand(context, {
    serve: (inner) => serve(inner, serving, createGateway),
    check,
    explain: (inner) => explain(inner, process.stdin),
    users: (inner) =>
      users(inner, {
        input: process.stdin,
        show: (text) => void process.stderr.write(text),
      }),
  });
  // Node ends a worker whose channel is closed: its last words are written by now.
  channel?.close();
}

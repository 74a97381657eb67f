// Runs the embedded database under a shell that outlives neither the gateway nor the database. The shell's stdin is a
// pipe that only the gateway holds: its end, also after SIGKILL, stops the database. Knows processes, no MySQL.

import { type ChildProcess, spawn } from "node:child_process";

/** What is to be run. All paths are absolute. */
export interface SupervisedServer {
  /** Holds `lock`, `data`, `server.log`, `files`; only one supervisor at a time runs in it. */
  readonly directory: string;
  /** Removed when the server has ended: socket, pid file, init file. */
  readonly runtimeDirectory: string;
  /** Makes a data directory: called with `initializerFlags` and `--datadir=...`. */
  readonly initializer: string;
  /** Without white space in them. */
  readonly initializerFlags: readonly string[];
  readonly command: readonly string[];
  /** A server that ends by itself is started again when it has run that long. */
  readonly settledAfterMs: number;
  /** For the programs; nothing else of the gateway's environment reaches them. */
  readonly environment: Readonly<Record<string, string>>;
}

/** How the supervisor ended. `failed`: the server or its shell ended without having been asked to. */
export type SupervisorEnd = "stopped" | "in_use" | "not_initialized" | "failed";

/** A supervisor at work. */
export interface Supervisor {
  /** Resolves when shell and server are gone. */
  readonly ended: Promise<SupervisorEnd>;
  /** Asks the server to shut down; `ended` follows, within a minute at the latest. */
  stop(): void;
}

const exitInUse = 75;
const exitNotInitialized = 76;
/** A server that does not shut down on SIGTERM is killed then. */
const killAfterSeconds = 60;

// - The lock is flock's: the kernel drops it with the last process that has fd 9, which the server inherits. So a
//   server that outlived its shell still holds it. An owner that lives refuses at once; after a killed gateway we wait
//   for its server to finish shutting down. A killed owner that nobody has waited for yet (Z in Linux's /proc) is no
//   owner. Without flock, the server's own lock on its files must do.
// - A new data directory is made beside and renamed, so that a half-made one is never used.
// - A server that has run for a while and then ends by itself is started again; one that does not get that far is not.
const script = `
set -u
umask 077
exec 3<&0 </dev/null
cd / || exit 1
lock="$GATEHOUSE_DIRECTORY/lock" data="$GATEHOUSE_DIRECTORY/data" log="$GATEHOUSE_DIRECTORY/server.log"
exec 9>>"$lock" || exit 1
if command -v flock >/dev/null; then
  if ! flock -n 9; then
    owner=$(head -n 1 "$lock")
    state=
    [ ! -r "/proc/$owner/stat" ] || read -r state <"/proc/$owner/stat" || state=
    case "\${state##*) }" in
      Z* | X*) ;;
      *) kill -0 "$owner" 2>/dev/null && exit ${exitInUse} ;;
    esac
    flock -w ${killAfterSeconds + 10} 9 || exit ${exitInUse}
  fi
fi
echo "$GATEHOUSE_OWNER" >"$lock"
stopping= server=
trap 'stopping=yes; [ -z "$server" ] || kill -TERM "$server"' TERM
trap '' INT HUP
(
  trap - TERM
  exec 9>&-
  read -r _ <&3
  kill -TERM $$ || kill -TERM 0
  n=0
  while [ $n -lt ${killAfterSeconds} ]; do sleep 1; n=$((n + 1)); done
  kill -KILL 0
) &
watcher=$!
exec 3<&-
[ "$(wc -c 2>/dev/null <"$log" || echo 0)" -lt 8388608 ] || mv "$log" "$log.1"
if [ ! -d "$data" ]; then
  rm -rf "$data.new"
  if "$GATEHOUSE_INITIALIZER" $GATEHOUSE_INITIALIZER_FLAGS --datadir="$data.new" >>"$log" 2>&1; then
    mv "$data.new" "$data"
  else
    kill "$watcher"
    rm -rf "$data.new" "$GATEHOUSE_RUNTIME"
    exit ${exitNotInitialized}
  fi
fi
status=0
while [ -z "$stopping" ]; do
  began=$(date +%s)
  "$@" >>"$log" 2>&1 &
  server=$!
  [ -z "$stopping" ] || kill -TERM "$server"
  while kill -0 "$server" 2>/dev/null; do wait "$server"; status=$?; done
  server=
  [ -n "$stopping" ] || [ $(($(date +%s) - began)) -ge "$GATEHOUSE_SETTLED" ] || break
done
kill "$watcher"
rm -rf "$GATEHOUSE_RUNTIME"
[ -n "$stopping" ] && exit 0
[ "$status" -eq 0 ] && exit 1
exit "$status"
`;

/** Starts it; failures are told by `ended`. */
export function supervise(what: SupervisedServer): Supervisor {
  const child = spawn("/bin/sh", ["-c", script, "gatehouse-embedded", ...what.command], {
    // A session of its own: Ctrl-C in a terminal reaches the gateway alone, which still needs its database to drain.
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    env: {
      ...what.environment,
      GATEHOUSE_DIRECTORY: what.directory,
      GATEHOUSE_RUNTIME: what.runtimeDirectory,
      GATEHOUSE_INITIALIZER: what.initializer,
      GATEHOUSE_INITIALIZER_FLAGS: what.initializerFlags.join(" "),
      GATEHOUSE_SETTLED: String(Math.ceil(what.settledAfterMs / 1000)),
      GATEHOUSE_OWNER: String(process.pid),
    },
  });
  // The gateway's event loop ends when it wants to; the pipe then does the rest.
  child.unref();
  child.stdin?.on("error", () => {});
  let asked = false;
  return {
    ended: new Promise((resolve) => {
      child.once("error", () => resolve("failed"));
      child.once("exit", (code) => {
        killGroup(child);
        if (code === exitInUse) resolve("in_use");
        else if (code === exitNotInitialized) resolve("not_initialized");
        else resolve(asked ? "stopped" : "failed");
      });
    }),
    stop: () => {
      asked = true;
      // `ended` is awaited from now on: the process must not end before it.
      child.ref();
      child.stdin?.destroy();
    },
  };
}

/** What a killed shell left behind; normally nobody is there any more. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGTERM");
  } catch {
    // ESRCH: the group is empty.
  }
}

// `gatehouse [serve]`: the gateway's life as a process, from flags to exit code.

import type { CreateGateway, Gateway } from "../server/gateway-seam.ts";
import { createFirstProcess, type ForkWorker } from "../server/workers/first-process.ts";
import type { WorkerChannel } from "../server/workers/worker-seat.ts";
import { splitArguments, UsageError } from "./arguments.ts";
import type { CommandContext, ExitCode } from "./command.ts";
import { serveFlags } from "./flags.ts";
import { formatHelp } from "./help.ts";
import { makeServeOptions, type ServeOptions } from "./options.ts";
import { packageVersion } from "./package-version.ts";
import { type PidFile, writePidFile } from "./pid-file.ts";
import { type EndingProcess, endProcess, letProcessEnd, stopLimitMs } from "./process-end.ts";
import {
  type EventSource,
  runUntilStopped,
  type StopLimit,
  surviveUncaughtErrors,
} from "./process-events.ts";
import { openTelemetry } from "./process-telemetry.ts";
import { type Surroundings, serveAsWorker } from "./serve-as-worker.ts";
import { gatherSettings, type Settings } from "./settings.ts";

/** The process, as far as serving needs it. */
export interface ServingProcess extends EndingProcess {
  /** Starts a worker; with `channel`, this process is one itself. */
  readonly fork: ForkWorker;
  /** To the first process; null: this is the first, or the only one. */
  readonly channel: WorkerChannel | null;
  readonly events: EventSource;
  readonly pid: number;
  readonly setTitle: (title: string) => void;
}

/** Reads the flags of serve and check. @throws UsageError */
export function readServeOptions(context: CommandContext): {
  readonly options: ServeOptions;
  readonly settings: Settings<typeof serveFlags>;
  readonly words: readonly string[];
} {
  const { flags, words } = splitArguments(context.argv, serveFlags);
  const settings = gatherSettings(serveFlags, { flags, environment: context.environment });
  return { settings, words, options: makeServeOptions(settings, context) };
}

/** Runs a gateway until it is told to stop. @throws whatever keeps it from starting */
export async function serve(
  context: CommandContext,
  serving: ServingProcess,
  createGateway: CreateGateway,
): Promise<ExitCode> {
  const split = splitArguments(context.argv, serveFlags);
  if (split.help) {
    context.print(serveHelp(context.width));
    return 0;
  }
  if (split.words.length > 0) {
    throw new UsageError(`Unexpected word '${split.words[0]}': a command stands first, flags begin with --`);
  }
  const { options, settings } = readServeOptions(context);
  if (options.secretInArguments) serving.setTitle("gatehouse");
  const telemetry = openTelemetry(options.process, context.clock);
  const surroundings = { options, context, serving, telemetry };
  let code: ExitCode = 1;
  try {
    if (serving.channel !== null) {
      code = await serveAsWorker(serving.channel, surroundings, createGateway);
    } else {
      for (const warning of settings.warnings) telemetry.logger.warn(warning);
      await serveUntilStopped(surroundings, makerOf(surroundings, createGateway));
      code = 0;
    }
    return code;
  } finally {
    await letProcessEnd(serving, () => telemetry.close(), code, context.complain);
  }
}

/** One gateway, or the first process of several. */
function makerOf({ options, serving, telemetry }: Surroundings, createGateway: CreateGateway): CreateGateway {
  const { workers } = options.process;
  if (workers === 1) return createGateway;
  return async (gateway, tools) => {
    const first = createFirstProcess(gateway, tools, workers, serving.fork);
    telemetry.onReopen(() => first.reopen());
    return first;
  };
}

async function serveUntilStopped(
  { options, context, serving, telemetry }: Surroundings,
  createGateway: CreateGateway,
): Promise<void> {
  const { logger, audit, metrics, queryLog } = telemetry;
  let pidFile: PidFile | null = null;
  let gateway: Gateway | null = null;
  try {
    if (options.process.pidFile !== null) pidFile = writePidFile(options.process.pidFile, serving.pid);
    const tools = { clock: context.clock, logger, audit, metrics, queryLog, version: packageVersion };
    gateway = await createGateway(options.gateway, tools);
    const starting = gateway.start();
    const stopped = runUntilStopped(
      gateway,
      starting,
      telemetry,
      serving.events,
      stopLimitOf({ options, serving, telemetry }),
    );
    await starting;
    surviveUncaughtErrors(telemetry, serving.events);
    audit.record("start", { version: packageVersion, listening: gateway.addresses });
    logger.info("Ready for clients", { version: packageVersion, listening: gateway.addresses });
    const reason = await stopped;
    audit.record("stop", { reason });
    logger.info("Stopped", { reason });
  } catch (error) {
    await gateway?.stop("failed start");
    throw error;
  } finally {
    pidFile?.remove();
  }
}

/** What a stop of this process may take. */
export function stopLimitOf({
  options,
  serving,
  telemetry,
}: Pick<Surroundings, "options" | "serving" | "telemetry">): StopLimit {
  return {
    withinMs: stopLimitMs(options.gateway),
    endNow: () => void endProcess(serving, () => telemetry.close(), 1),
  };
}

function serveHelp(width: number): string {
  return formatHelp(
    {
      usage: "gatehouse [serve] [flags]",
      about: [
        "Gatehouse stands in front of MySQL and MariaDB servers and decides who a client is, what it may do and where its statements go.",
        "Other commands: gatehouse check [flags] validates all files without serving; gatehouse explain tells what a user may do (gatehouse explain --help); gatehouse users rotates passwords (gatehouse users --help).",
        "Every flag can also be set by an environment variable (--mysql_server_port is GATEHOUSE_MYSQL_SERVER_PORT) or by a key of --config_file; the command line wins over the environment, the environment over the file. On the command line dashes and underscores in names are the same. Durations are written 500ms, 10s, 1h30m; sizes 4096, 64MiB.",
      ],
    },
    serveFlags,
    width,
  );
}

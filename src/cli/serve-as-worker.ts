// `gatehouse serve` in a process that another one started (`--workers`): the same gateway with its share of the limits,
// told by the first process what to do. Signals go to the first process; this one only hears of them.

import type { GatewayOptions } from "../server/gateway-options.ts";
import type { CreateGateway, Gateway, GatewayTools } from "../server/gateway-seam.ts";
import type { WorkerStart } from "../server/workers/messages.ts";
import { type WorkerChannel, WorkerSeat } from "../server/workers/worker-seat.ts";
import type { CommandContext, ExitCode } from "./command.ts";
import { describeFailure } from "./failure.ts";
import type { ServeOptions } from "./options.ts";
import { packageVersion } from "./package-version.ts";
import { surviveUncaughtErrors } from "./process-events.ts";
import type { ProcessTelemetry } from "./process-telemetry.ts";
import type { ServingProcess } from "./serve.ts";

/** What serving goes on in. */
export interface Surroundings {
  readonly options: ServeOptions;
  readonly context: CommandContext;
  readonly serving: ServingProcess;
  readonly telemetry: ProcessTelemetry;
}

/** Those of a terminal or a service manager reach the whole group; the first process passes them on. */
const passedOn = ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR2"] as const;

/** Serves until the first process says stop, or is gone. Never rejects: the first process is told what went wrong. */
export async function serveAsWorker(
  channel: WorkerChannel,
  { options, context, serving, telemetry }: Surroundings,
  createGateway: CreateGateway,
): Promise<ExitCode> {
  for (const signal of passedOn) serving.events.on(signal, () => {});
  let gateway: Gateway | null = null;
  let stopWanted = false;
  let onStopped: () => void = () => {};
  const stopped = new Promise<void>((resolve) => {
    onStopped = resolve;
  });
  const seat = new WorkerSeat(channel, {
    stop: (reason) => {
      stopWanted = true;
      if (gateway === null) onStopped();
      else void gateway.stop(reason).then(onStopped);
    },
    reload: (trigger) => void gateway?.reload(trigger),
    reopen: () => telemetry.reopen(),
  });
  const start = await Promise.race([seat.started, stopped]);
  if (start === undefined) return 0;
  const { logger, audit, metrics, queryLog } = telemetry;
  const { idPrefix, fingerprintKey, rsaKeyPem, embedded, primaries } = start;
  const tools: GatewayTools = {
    clock: context.clock,
    logger: logger.child({ worker_pid: serving.pid }),
    audit,
    metrics,
    queryLog,
    version: packageVersion,
    seat: {
      siblings: seat.siblings,
      idPrefix,
      fingerprintKey: Buffer.from(fingerprintKey, "base64"),
      rsaKeyPem,
      embedded,
      primaries,
      attach: (duties) => seat.attach(duties),
    },
  };
  try {
    gateway = await createGateway(shareOf(options.gateway, start), tools);
    await gateway.start();
  } catch (error) {
    await gateway?.stop("failed start");
    seat.failed(describeFailure(error));
    return 1;
  }
  surviveUncaughtErrors(telemetry, serving.events);
  seat.ready(gateway.addresses);
  if (stopWanted) void gateway.stop("stopped while starting").then(onStopped);
  await stopped;
  return 0;
}

/** What is counted by each process alone is divided; admin HTTP is the first process's. */
function shareOf(options: GatewayOptions, { workers, tcpPort }: WorkerStart): GatewayOptions {
  const share = (whole: number): number => Math.max(1, Math.floor(whole / workers));
  const { listen, limits, backendPool, buffer } = options;
  const tcp = listen.tcp === null || tcpPort === null ? listen.tcp : { ...listen.tcp, port: tcpPort };
  return {
    ...options,
    listen: { ...listen, tcp },
    backendPool: {
      ...backendPool,
      connectionsMax: share(backendPool.connectionsMax),
      minIdle: Math.ceil(backendPool.minIdle / workers),
    },
    buffer: { ...buffer, statementsMax: share(buffer.statementsMax) },
    limits: {
      ...limits,
      preparedStatementsMax: share(limits.preparedStatementsMax),
      statementBufferBytesMax: share(limits.statementBufferBytesMax),
    },
    admin: null,
  };
}

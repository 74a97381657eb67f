// Gatehouse as a library: `import { createGateway } from "mysql-gatehouse"`. The settings are the flags of the command
// line by name; hooks stand in place of its parts. Everything that this file exports is the public interface.

import { homedir } from "node:os";
import { systemClock } from "../base/clock.ts";
import { nearestName } from "../base/nearest-name.ts";
import { UsageError } from "../cli/arguments.ts";
import type { FlagDefinition } from "../cli/flag-table.ts";
import { serveFlags } from "../cli/flags.ts";
import { makeServeOptions } from "../cli/options.ts";
import { packageVersion } from "../cli/package-version.ts";
import { openTelemetry } from "../cli/process-telemetry.ts";
import { gatherSettings } from "../cli/settings.ts";
import { createGateway as createServer } from "../server/gateway.ts";
import type { GatewayHooks } from "../server/gateway-hooks.ts";

export type { HookVerdict } from "../acl/hooked-authorizer.ts";
export type { ImmediateCallerId } from "../identity/caller-id.ts";
export type { Identity } from "../identity/identity.ts";
export type { Peer } from "../identity/peer.ts";
export type { BackendAccount, BackendAddress, BackendTls, Route, Tablet } from "../routing/route.ts";
export type { RouteRequest } from "../routing/router.ts";
export type {
  AuthorizerHook,
  GatewayHooks,
  RouteResult,
  RouterHook,
  UsersFileContent,
  UsersHook,
} from "../server/gateway-hooks.ts";
export type { RoutineReference, StatementSummary, TableReference } from "../sql/statement-summary.ts";

type Flags = typeof serveFlags;
type SettingValue<Definition extends FlagDefinition> = Definition["type"] extends "boolean"
  ? boolean
  : Definition["type"] extends "integer" | "fraction"
    ? number
    : Definition["type"] extends "list"
      ? string | readonly string[]
      : Definition extends { readonly choices: readonly (infer Choice)[] }
        ? Choice
        : Definition["type"] extends "size"
          ? string | number
          : string;

/** What is the command line's alone: a library neither starts processes nor writes their ids. */
const processFlags = ["config_file", "pid_file", "workers"] as const;
type ProcessFlag = (typeof processFlags)[number];

/** Flags of the command line by name (docs/flags.md); those that are about the process alone are left out. */
export type GatewaySettings = {
  readonly [Name in Exclude<keyof Flags, ProcessFlag>]?: SettingValue<Flags[Name]> | undefined;
};

/** What a gateway is made of. */
export interface GatewayConfiguration {
  readonly settings: GatewaySettings;
  readonly hooks?: GatewayHooks;
}

/** A gateway in the hands of a program. */
export interface LibraryGateway {
  /**
   * Listens. Resolves when clients can connect, whether or not the backend can be reached yet.
   * @throws Error with a sentence that says what to do: a port is taken, a database binary is missing.
   */
  start(): Promise<void>;
  /** What it listens on, once started: `127.0.0.1:3306`, `/run/gatehouse.sock`. */
  readonly addresses: readonly string[];
  /** Reads all watched files again, and the users hook. Never rejects: failures are logged and counted. */
  reload(): Promise<void>;
  /** Opens log files anew, after a log rotation. */
  reopenLogs(): void;
  /** All metrics in the Prometheus text format. */
  metrics(): Promise<string>;
  /** Stops as `onterm_timeout` and `mysql_server_drain_onterm` say; a second call ends at once what is left. */
  stop(): Promise<void>;
}

/**
 * Makes a gateway: reads and validates its files, asks the users hook. It neither reads the environment nor handles
 * signals.
 * @throws Error with one line per mistake in settings, files or the hook's users
 */
export async function createGateway({ settings, hooks = {} }: GatewayConfiguration): Promise<LibraryGateway> {
  const gathered = gatherSettings(serveFlags, { flags: textsOf(settings), environment: {} });
  const surroundings = { homeDirectory: homedir(), environment: {} };
  const options = makeServeOptions(gathered, surroundings, hooks.users === undefined ? "flags" : "hook");
  if (hooks.users !== undefined && options.gateway.auth.kind !== "static") {
    throw new UsageError("The users hook has no effect with another mysql_auth_server_impl than static");
  }
  const telemetry = openTelemetry(options.process, systemClock);
  const { logger, audit, metrics, queryLog } = telemetry;
  const tools = { clock: systemClock, logger, audit, metrics, queryLog, hooks, version: packageVersion };
  try {
    const gateway = await createServer(options.gateway, tools);
    return {
      start: async () => {
        await gateway.start();
        audit.record("start", { version: packageVersion, listening: gateway.addresses });
      },
      get addresses() {
        return gateway.addresses;
      },
      reload: () => gateway.reload("reload()"),
      reopenLogs: telemetry.reopen,
      metrics: () => metrics.text(),
      stop: async () => {
        await gateway.stop("stop()");
        audit.record("stop", { reason: "stop()" });
        await telemetry.close();
      },
    };
  } catch (error) {
    await telemetry.close();
    throw error;
  }
}

/** As the command line would have them. */
function textsOf(settings: GatewaySettings): Map<string, readonly string[]> {
  const texts = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries<unknown>(settings)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(serveFlags, name) || processFlags.some((flag) => flag === name)) {
      const nearest = nearestName(name, Object.keys(serveFlags));
      throw new UsageError(
        `Unknown setting '${name}'${nearest === null ? "" : `: did you mean ${nearest}?`}`,
      );
    }
    texts.set(name, Array.isArray(value) ? value.map(String) : [String(value)]);
  }
  return texts;
}

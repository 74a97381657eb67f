// What the first process can ask of the gateway in a worker.

import type { SessionRegistry } from "../../session/session-registry.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { AdminView } from "../admin-view.ts";
import type { WorkerDuties } from "./worker-seat.ts";

/** Answers from the gateway's own parts. */
export function workerDuties(
  registry: SessionRegistry,
  view: AdminView,
  metrics: Metrics,
  primaries: WorkerDuties["primaries"],
): WorkerDuties {
  return {
    primaries,
    ownerOf: (id) => registry.get(id)?.identity?.loginUser ?? null,
    sessions: () => view.sessions(),
    kill: (id, scope) => registry.get(id)?.kill(scope),
    endSession: (id, from) => void view.endSession(id, from),
    users: (part) => view.userActivity(part),
    report: async (withSessions) => ({
      readiness: view.readiness(),
      sessions: withSessions ? view.sessions() : [],
      tablets: view.tablets(),
      denials: withSessions ? view.denials() : [],
      files: view.files(),
      certificates: view.certificates(),
      counters: view.counters(),
      metrics: await metrics.json(),
    }),
  };
}

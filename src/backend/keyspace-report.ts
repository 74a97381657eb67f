// What operators are told when a keyspace's primary or replicas change: log lines and metrics. Names come from the
// topology file, never from clients.

import type { KeyspaceVerdict } from "../routing/judge-keyspace.ts";
import type { TabletCondition } from "../routing/tablet-condition.ts";
import type { KeyspaceConfig } from "../routing/topology.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";

const msPerSecond = 1000;
const rolesOfTablets = ["primary", "replica", "rdonly"] as const;

/** Reports keyspaces. */
export class KeyspaceReport {
  readonly #logger: Logger;
  readonly #metrics: Metrics;

  constructor(logger: Logger, metrics: Metrics) {
    this.#logger = logger;
    this.#metrics = metrics;
  }

  /** Tells what differs, and sets the gauges. */
  changed(config: KeyspaceConfig, before: KeyspaceVerdict, after: KeyspaceVerdict): void {
    const keyspace = config.name;
    const { primary, noPrimaryBecause: reason } = after;
    if (primary !== null && primary !== before.primary)
      this.#newPrimary(keyspace, primary, before.lastPrimary);
    if (primary === null && after.complete && reason !== before.noPrimaryBecause)
      this.#logger.warn("A keyspace has no primary", { keyspace, reason });
    if (after.rivals.length > 0 && before.rivals.length === 0) {
      this.#logger.error("Several tablets take writes at once: none is written to", {
        keyspace,
        tablets: after.rivals,
      });
    }
    this.#readersChanged(keyspace, before, after);
    this.gauges(config, after);
  }

  /** Sets the gauges of a keyspace that has been read, or read anew. */
  gauges({ name: keyspace, tablets }: KeyspaceConfig, after: KeyspaceVerdict): void {
    const metrics = this.#metrics;
    metrics.gauge("keyspace_conflict", { keyspace }).set(after.rivals.length > 0 ? 1 : 0);
    metrics.counter("primary_changes_total", { keyspace }).add(0);
    const roles = { primary: [after.primary], replica: after.replicas, rdonly: after.rdonly };
    for (const { tablet } of tablets) {
      for (const role of rolesOfTablets) {
        const serves = roles[role].includes(tablet.alias);
        metrics.gauge("tablet_serving", { keyspace, tablet: tablet.alias, role }).set(serves ? 1 : 0);
      }
    }
  }

  /** A keyspace or tablet is gone: it must read zero. */
  forget({ name: keyspace, tablets }: KeyspaceConfig): void {
    this.#metrics.gauge("keyspace_conflict", { keyspace }).set(0);
    for (const { tablet } of tablets) {
      for (const role of rolesOfTablets)
        this.#metrics.gauge("tablet_serving", { keyspace, tablet: tablet.alias, role }).set(0);
    }
  }

  /** The lag of a tablet, as its last check told it. */
  lag(tablet: string, { lagMs }: TabletCondition): void {
    if (lagMs !== null)
      this.#metrics
        .gauge("replica_lag_seconds", { tablet })
        .set(Number.isFinite(lagMs) ? lagMs / msPerSecond : -1);
  }

  #newPrimary(keyspace: string, tablet: string, former: string | null): void {
    if (former === null || former === tablet) {
      this.#logger.info("A keyspace has its primary", { keyspace, tablet });
      return;
    }
    this.#logger.warn("A keyspace has another primary", { keyspace, tablet, former });
    this.#metrics.counter("primary_changes_total", { keyspace }).add();
  }

  #readersChanged(keyspace: string, before: KeyspaceVerdict, after: KeyspaceVerdict): void {
    const was = new Set([...before.replicas, ...before.rdonly]);
    const is = new Set([...after.replicas, ...after.rdonly]);
    for (const tablet of is)
      if (!was.has(tablet)) this.#logger.info("A tablet serves reads", { keyspace, tablet });
    for (const tablet of was) {
      const reason = after.unusable.get(tablet);
      if (reason !== undefined && !is.has(tablet))
        this.#logger.warn("A tablet serves no reads", { keyspace, tablet, reason: `It ${reason}` });
    }
  }
}

// Admin HTTP of the first process: one page and one set of metrics for all workers. Every request asks the workers anew;
// traffic over time is collected here.

import { type AdminServer, startAdminServer } from "../../admin/admin-server.ts";
import type { AdminSources, UserActivitySnapshot, UsersPart } from "../../admin/admin-sources.ts";
import { loadPageAssets } from "../../admin/page/page-reply.ts";
import { historyIntervalMs, type TrafficCounters, TrafficHistory } from "../../admin/traffic-history.ts";
import type { Reloadable } from "../../base/reloadable.ts";
import { type MetricsJson, mergedMetrics, pastMetrics } from "../../telemetry/metrics.ts";
import { openAdminToken } from "../admin-token.ts";
import type { AdminOptions } from "../gateway-options.ts";
import type { GatewayTools } from "../gateway-seam.ts";
import type { WorkerHandle } from "./worker-handle.ts";
import {
  mergeActivity,
  mergeReports,
  sumCounters,
  usersMissingFrom,
  type WorkerReport,
} from "./worker-report.ts";

/** See the file's head. */
export class FirstAdmin {
  readonly #tools: GatewayTools;
  readonly #workers: () => readonly WorkerHandle[];
  readonly #token: Reloadable<string> | null;
  readonly #timer: NodeJS.Timeout;
  readonly #history: TrafficHistory;
  readonly #startedMs: number;
  #reports = new Map<number, WorkerReport>();
  /** Of workers that are gone: what they did still counts. */
  #past: TrafficCounters[] = [];
  #pastMetrics: Promise<MetricsJson> = Promise.resolve([]);
  #server: AdminServer | null = null;

  private constructor(
    tools: GatewayTools,
    workers: () => readonly WorkerHandle[],
    token: Reloadable<string> | null,
  ) {
    this.#tools = tools;
    this.#workers = workers;
    this.#token = token;
    this.#startedMs = tools.clock.wallMs();
    this.#history = new TrafficHistory(() => this.#counters(), tools.clock.monotonicMs());
    this.#timer = setInterval(() => void this.#tick(), historyIntervalMs);
    this.#timer.unref();
  }

  /** @throws the system's error when it cannot listen; FileProblemsError for the token's file. */
  static async start(
    options: AdminOptions,
    tools: GatewayTools,
    workers: () => readonly WorkerHandle[],
  ): Promise<FirstAdmin> {
    const token =
      options.tokenFile === null
        ? null
        : await openAdminToken(options.tokenFile, tools.clock, { ...tools, watchedFiles: [] });
    const admin = new FirstAdmin(tools, workers, token);
    await admin.#refresh(false);
    const context = {
      sources: admin.#sources(),
      metrics: { ...tools.metrics, text: () => admin.#metricsText() },
      version: tools.version,
      assets: loadPageAssets(),
    };
    admin.#server = await startAdminServer(
      { ...options, token: () => token?.current() ?? null },
      context,
      tools.logger,
    );
    return admin;
  }

  async reload(trigger: string): Promise<void> {
    await this.#token?.reload(trigger);
  }

  workerWent(worker: number): void {
    const last = this.#reports.get(worker);
    this.#reports.delete(worker);
    if (last === undefined) return;
    const past = { ...last.counters, sessions: 0, leased: 0, waiting: 0, memoryBytes: 0, eventLoopBusy: 0 };
    this.#past = [sumCounters([...this.#past, { ...past, eventLoopDelayMs: 0 }])];
    this.#pastMetrics = this.#pastMetrics.then((before) => pastMetrics([before, last.metrics]));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#token?.close();
    await this.#server?.close();
  }

  #sources(): AdminSources {
    const { clock } = this.#tools;
    const merged = () => mergeReports([...this.#reports.values()]);
    return {
      nowMs: () => clock.wallMs(),
      startedMs: this.#startedMs,
      history: this.#history,
      refresh: () => this.#refresh(true),
      readiness: () => merged()?.readiness ?? { ready: false, reasons: ["No worker is running"], notes: [] },
      userActivity: (part) => this.#userActivity(part),
      sessions: () => merged()?.sessions ?? [],
      tablets: () => merged()?.tablets ?? [],
      denials: () => merged()?.denials ?? null,
      files: () => merged()?.files ?? [],
      certificates: () => merged()?.certificates ?? [],
      endSession: (id, from) => this.#endSession(id, from),
    };
  }

  async #userActivity(part: UsersPart): Promise<UserActivitySnapshot | null> {
    const ask = async (worker: WorkerHandle, about: UsersPart): Promise<UserActivitySnapshot | null> =>
      (await worker.ask({ about: "users", part: about })) as UserActivitySnapshot | null;
    const answers = await Promise.all(
      this.#workers().map(async (worker) => ({ worker, answer: await ask(worker, part) })),
    );
    const all = answers.flatMap(({ answer }) => answer ?? []);
    const [first, ...others] = all;
    if (first === undefined) return null;
    // Between the reloads of two workers: the newest content is what the file says.
    const base = others.reduce((best, one) => (one.loadedAtMs > best.loadedAtMs ? one : best), first);
    const more = await Promise.all(
      answers.map(async ({ worker, answer }) => {
        const users = answer === null || answer === base ? [] : usersMissingFrom(answer, base);
        if (users.length === 0) return answer ?? [];
        const rest = { users, holding: "", from: 0, limit: Number.MAX_SAFE_INTEGER, proof: null };
        const missing = await ask(worker, rest);
        const isMissing = new Set(base.entries.map(({ fingerprint }) => fingerprint));
        for (const { fingerprint } of answer?.entries ?? []) isMissing.delete(fingerprint);
        const entries = (missing?.entries ?? []).filter(({ fingerprint }) => isMissing.has(fingerprint));
        return answer === null ? [] : { ...answer, entries: [...answer.entries, ...entries] };
      }),
    );
    return mergeActivity(base, more.flat());
  }

  #endSession(id: number, from: string): boolean {
    for (const [worker, { sessions }] of this.#reports) {
      if (!sessions.some((session) => session.id === id)) continue;
      const handle = this.#workers().find((one) => one.id === worker);
      handle?.send({ kind: "end_session", id, from });
      return handle !== undefined;
    }
    return false;
  }

  async #tick(): Promise<void> {
    await this.#refresh(false);
    this.#history.tick(this.#tools.clock.wallMs(), this.#tools.clock.monotonicMs());
  }

  /** A worker that does not answer keeps its last report, unless it is gone. */
  async #refresh(withSessions: boolean): Promise<void> {
    await Promise.all(
      this.#workers().map(async (worker) => {
        const report = (await worker.ask({ about: "report", withSessions })) as WorkerReport | null;
        if (report !== null && this.#workers().includes(worker)) this.#reports.set(worker.id, report);
      }),
    );
  }

  #counters(): TrafficCounters {
    return sumCounters([...[...this.#reports.values()].map(({ counters }) => counters), ...this.#past]);
  }

  async #metricsText(): Promise<string> {
    const [own, past] = await Promise.all([this.#tools.metrics.json(), this.#pastMetrics]);
    return mergedMetrics([own, past, ...[...this.#reports.values()].map(({ metrics }) => metrics)]);
  }
}

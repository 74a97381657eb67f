// Stand-ins for what a gateway shows to its admin side: every list has something in it, nothing is live.
import type { AdminSources, SessionRow } from "../../src/admin/admin-sources.ts";
import type { PageAssets } from "../../src/admin/page/page-reply.ts";
import { TrafficHistory } from "../../src/admin/traffic-history.ts";

/** No scripts. */
export const noAssets: PageAssets = {
  script: () => ({ status: 503, contentType: "text/plain", body: "" }),
};

/** A session for lists. */
export function sessionRow(changes: Partial<SessionRow> = {}): SessionRow {
  return {
    id: 1,
    user: "app",
    userData: "app_data",
    groups: [],
    entry: "app[0]",
    host: "192.0.2.1",
    port: 5,
    transport: "tcp",
    tls: null,
    plugin: "mysql_native_password",
    program: null,
    database: null,
    phase: "idle",
    command: null,
    statement: null,
    phaseMs: 10,
    ageMs: 10,
    inTransaction: false,
    pinnedBecause: null,
    preparedStatements: 0,
    tablet: null,
    ...changes,
  };
}

/** All sources, with `changes`. */
export function quietSources(changes: Partial<AdminSources> = {}): AdminSources {
  const counters = {
    commands: 0,
    errors: 0,
    loginsAccepted: 0,
    loginsRefused: 0,
    denials: 0,
    bytesReceived: 0,
    bytesSent: 0,
    latencyCounts: [0, 0],
    latencyBoundsMs: [1],
    sessions: 0,
    leased: 0,
    waiting: 0,
    memoryBytes: 0,
    eventLoopBusy: 0,
    eventLoopDelayMs: 0,
  };
  const history = new TrafficHistory(() => counters, 0);
  history.tick(2000, 2000);
  const pool = { account: "default", leased: 1, idle: 2, connecting: 0, waiting: 0, loginError: null };
  return {
    nowMs: () => 0,
    startedMs: 0,
    history,
    refresh: async () => {},
    readiness: () => ({ ready: true, reasons: [], notes: [] }),
    userActivity: async () => ({
      countingSinceMs: 0,
      generation: 3,
      loadedAtMs: 0,
      stale: false,
      total: 1,
      matching: 1,
      proven: null,
      entries: [
        {
          user: "u",
          index: 0,
          fingerprint: "f",
          userData: "d",
          credentialKinds: ["sha2"],
          notBeforeMs: null,
          notAfterMs: 1000,
          accountLocked: false,
          countingSinceMs: 0,
          lastLoginMs: 1000,
          liveSessions: 2,
          logins: 5,
        },
      ],
    }),
    sessions: () => [
      sessionRow(),
      sessionRow({ id: 2, phase: "busy" }),
      sessionRow({ id: 3, phase: "login", user: "other" }),
    ],
    tablets: () => [
      {
        alias: "backend",
        address: "127.0.0.1:3306",
        ready: true,
        reason: null,
        version: "8.4.0",
        roles: [],
        readOnly: false,
        poolSize: 100,
        pools: [pool],
      },
    ],
    denials: () => [
      {
        outcome: "denied",
        statementKind: "SELECT",
        object: "table",
        name: "shop.orders",
        role: "reader",
        ruleGroup: null,
        ruleEntry: null,
        ruleList: null,
        rulePrincipal: null,
        errorCode: 1142,
        user: "u",
        host: "192.0.2.1",
        userData: "d",
        groups: ["g"],
        count: 2,
        lastMs: 0,
        explanation: ["Because"],
      },
    ],
    files: () => [{ name: "users file", path: "/u.json", generation: 1, loadedAtMs: 0, failure: null }],
    certificates: () => [
      { use: "server certificate", path: "/c.pem", subject: "CN=c", notAfterMs: 0, warnMs: 0 },
    ],
    endSession: () => false,
    ...changes,
  };
}

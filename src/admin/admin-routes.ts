// THE table of admin routes, and what each answers. Pure: a request's path in, a reply out.

import type { Metrics } from "../telemetry/metrics.ts";
import type { AdminSources } from "./admin-sources.ts";

/** An HTTP reply, before the headers that all replies share. */
export interface AdminReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** What routes read. */
export interface RouteContext {
  readonly sources: AdminSources;
  readonly metrics: Metrics;
  readonly version: string;
}

/** One route. */
export interface AdminRoute {
  readonly help: string;
  /** `token`: beyond loopback, or when a token file is set, the request must carry the token. */
  readonly access: "open" | "token";
  readonly answer: (context: RouteContext) => AdminReply | Promise<AdminReply>;
}

const plain = "text/plain; charset=utf-8";

export const adminRoutes: Readonly<Record<string, AdminRoute>> = {
  "/healthz": {
    help: "200 while the process answers at all",
    access: "open",
    answer: () => ({ status: 200, contentType: plain, body: "ok\n" }),
  },
  "/readyz": {
    help: "200 when clients should be sent here, else 503 with the reasons, one per line",
    access: "open",
    answer: ({ sources }) => {
      const { ready, reasons, notes } = sources.readiness();
      const lines = [ready ? "ready" : "not ready", ...reasons, ...notes.map((note) => `note: ${note}`)];
      return { status: ready ? 200 : 503, contentType: plain, body: `${lines.join("\n")}\n` };
    },
  },
  "/metrics": {
    help: "All metrics in the Prometheus text format",
    access: "open",
    answer: async ({ metrics }) => ({
      status: 200,
      contentType: metrics.contentType,
      body: await metrics.text(),
    }),
  },
  "/api/users": {
    help: "JSON: every entry of the users file with its last login and live sessions, and since when they are counted",
    access: "token",
    answer: ({ sources, version }) => {
      const activity = sources.userActivity();
      if (activity === null) {
        return jsonReply(404, { error: "Logins are not judged by a users file" });
      }
      return jsonReply(200, {
        version,
        counting_since: isoTime(activity.countingSinceMs),
        users_generation: activity.generation,
        users_file_stale: activity.stale,
        entries: activity.entries.map((entry) => ({
          user: entry.user,
          index: entry.index,
          fingerprint: entry.fingerprint,
          user_data: entry.userData,
          credential_kinds: entry.credentialKinds,
          counting_since: isoTime(entry.countingSinceMs),
          last_login: entry.lastLoginMs === null ? null : isoTime(entry.lastLoginMs),
          live_sessions: entry.liveSessions,
          logins: entry.logins,
        })),
      });
    },
  },
};

/** A reply that tells of a mistake of the asker. */
export function refusalReply(status: number, sentence: string): AdminReply {
  return { status, contentType: plain, body: `${sentence}\n` };
}

function jsonReply(status: number, value: unknown): AdminReply {
  return { status, contentType: "application/json; charset=utf-8", body: `${JSON.stringify(value)}\n` };
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

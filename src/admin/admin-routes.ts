// THE table of admin routes, and what each answers. Pure: a request in, a reply out. docs/admin.md is generated from it.

import type { Metrics } from "../telemetry/metrics.ts";
import type { RouteAccess } from "./admin-access.ts";
import type { AdminSources, UsersPart } from "./admin-sources.ts";
import { denialsJson, historyJson, sessionsJson, statusJson, usersJson } from "./api-answers.ts";
import { type PageAssets, pageReply, type ScriptName, scriptNames } from "./page/page-reply.ts";

/** An HTTP reply, before the headers that all replies share. */
export interface AdminReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** In place of the strictest one, under which nothing may be loaded. */
  readonly contentSecurityPolicy?: string;
}

/** What routes read. */
export interface RouteContext {
  readonly sources: AdminSources;
  readonly metrics: Metrics;
  readonly version: string;
  readonly assets: PageAssets;
}

/** What a request asks for, decoded. */
export interface RouteRequest {
  /** What stands in place of `{id}`: digits; 0 for routes without. */
  readonly id: number;
  readonly query: URLSearchParams;
  /** The asker's address. */
  readonly from: string;
}

/** One route. */
export interface AdminRoute {
  readonly method: "GET" | "POST";
  readonly help: string;
  readonly access: RouteAccess;
  /** Of JSON replies: every field and what it means. A test compares it with what is answered. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly answer: (context: RouteContext, request: RouteRequest) => AdminReply | Promise<AdminReply>;
}

const plain = "text/plain; charset=utf-8";

export const adminRoutes: Readonly<Record<string, AdminRoute>> = {
  "/": {
    method: "GET",
    help: "The status page, for people; it asks the routes below for its data",
    access: "page",
    answer: () => pageReply(),
  },
  ...Object.fromEntries(scriptNames.map((name) => [`/${name}`, scriptRoute(name)])),
  "/healthz": {
    method: "GET",
    help: "200 while the process answers at all",
    access: "open",
    answer: () => ({ status: 200, contentType: plain, body: "ok\n" }),
  },
  "/readyz": {
    method: "GET",
    help: "200 when clients should be sent here, else 503 with the reasons, one per line",
    access: "open",
    answer: ({ sources }) => {
      const { ready, reasons, notes } = sources.readiness();
      const lines = [ready ? "ready" : "not ready", ...reasons, ...notes.map((note) => `note: ${note}`)];
      return { status: ready ? 200 : 503, contentType: plain, body: `${lines.join("\n")}\n` };
    },
  },
  "/metrics": {
    method: "GET",
    help: "All metrics in the Prometheus text format",
    access: "open",
    answer: async ({ metrics }) => ({
      status: 200,
      contentType: metrics.contentType,
      body: await metrics.text(),
    }),
  },
  "/api/status": {
    method: "GET",
    help: "What the gateway is and how it is: readiness, database servers with their pools, watched files, certificates",
    access: "read",
    fields: statusJson.fields,
    answer: ({ sources, version }) => jsonReply(200, statusJson.make(sources, version)),
  },
  "/api/history": {
    method: "GET",
    help: "Traffic, latency and logins of the last 30 minutes, a point every 2 seconds; `?after=MS` leaves out older points (milliseconds since the epoch)",
    access: "read",
    fields: historyJson.fields,
    answer: ({ sources }, { query }) =>
      jsonReply(200, historyJson.make(sources, Number(query.get("after")) || 0)),
  },
  "/api/sessions": {
    method: "GET",
    help: "Live sessions, busy ones first, each kind longest first; `?limit=N` (default 200, at most 1000), `?user=NAME` keeps those of one login name",
    access: "read",
    fields: sessionsJson.fields,
    answer: ({ sources }, { query }) =>
      jsonReply(200, sessionsJson.make(sources, query.get("user"), Number(query.get("limit")) || 200)),
  },
  "/api/sessions/{id}/end": {
    method: "POST",
    help: "Ends a session at once, as KILL does: its client loses the connection, its statement is cancelled. Recorded in the audit log",
    access: "change",
    fields: { ended: "The id of the session" },
    answer: ({ sources }, { id, from }) =>
      sources.endSession(id, from)
        ? jsonReply(200, { ended: id })
        : jsonReply(404, { error: "There is no session with this id (any more)" }),
  },
  "/api/denials": {
    method: "GET",
    help: "What the table ACL has denied of late, or would have in a dry run: the last 200 kinds of denials, the latest first, each with the rule that decided and an explanation; 404 where nobody judges statements",
    access: "read",
    fields: denialsJson.fields,
    answer: ({ sources }) => {
      const denials = sources.denials();
      return denials === null
        ? jsonReply(404, { error: "There is no table ACL" })
        : jsonReply(200, denialsJson.make(denials));
    },
  },
  "/api/users": {
    method: "GET",
    help: "Entries of the users file with their last login and live sessions, and since when they are counted, `?limit=N` of them (default 1000, at most 5000) from `?from=N`; `?user=NAME` keeps those of one user, `?holding=TEXT` those with it in user or UserData; 404 where logins are not judged by a users file",
    access: "read",
    fields: usersJson.fields,
    answer: async ({ sources, version }, { query }) => {
      const activity = await sources.userActivity(usersPartOf(query));
      return activity === null
        ? jsonReply(404, { error: "Logins are not judged by a users file" })
        : jsonReply(200, usersJson.make(activity, version));
    },
  },
};

/** More in one answer would hold up sessions. */
const entriesMax = 5000;

function usersPartOf(query: URLSearchParams): UsersPart {
  const numberOf = (name: string, otherwise: number): number =>
    Math.max(0, Math.trunc(Number(query.get(name)))) || otherwise;
  const [user, key, digest] = [query.get("user"), query.get("key"), query.get("digest")];
  return {
    users: user === null ? null : [user],
    holding: query.get("holding") ?? "",
    from: numberOf("from", 0),
    limit: Math.min(numberOf("limit", 1000), entriesMax),
    proof: key === null || digest === null ? null : { key, digest },
  };
}

function scriptRoute(name: ScriptName): AdminRoute {
  return {
    method: "GET",
    help: "A script of the status page",
    access: "page",
    answer: ({ assets }) => assets.script(name),
  };
}

/** A reply that tells of a mistake of the asker. */
export function refusalReply(status: number, sentence: string): AdminReply {
  return { status, contentType: plain, body: `${sentence}\n` };
}

/** Finds the route of a path; `{id}` stands for up to ten digits. */
export function findRoute(path: string): { readonly route: AdminRoute; readonly id: number } | null {
  if (Object.hasOwn(adminRoutes, path)) {
    const route = adminRoutes[path];
    return route === undefined || path.includes("{") ? null : { route, id: 0 };
  }
  const match = /^(.*\/)(\d{1,10})(\/.*)$/.exec(path);
  if (match === null) return null;
  const pattern = `${match[1]}{id}${match[3]}`;
  const route = Object.hasOwn(adminRoutes, pattern) ? adminRoutes[pattern] : undefined;
  return route === undefined ? null : { route, id: Number(match[2]) };
}

function jsonReply(status: number, value: unknown): AdminReply {
  return { status, contentType: "application/json; charset=utf-8", body: `${JSON.stringify(value)}\n` };
}

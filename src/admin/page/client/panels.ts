// Runs in the browser: from the answers of /api to the charts and tables of the status page.

import {
  ago,
  bytes,
  count,
  type Entry,
  type Point,
  type Session,
  type Status,
  span,
  stamp,
} from "./answers.ts";
import { byId, drawChart, fillTable, type Row, visible } from "./draw.ts";

/** How far back charts go at most and at least, in milliseconds. */
export const spanMsMax: number = 30 * 60_000;
const spanMsMin = 60_000;

/** What an operator should know, above everything else. */
export function showNotices(status: Status, nowMs: number): void {
  const notices = [
    ...status.reasons.map((text) => ({ text, bad: true })),
    ...status.files.filter((file) => file.failed_at !== null).map(fileNotice),
    ...status.certificates.flatMap((certificate) => {
      const left = (Date.parse(certificate.not_after) - nowMs) / 1000;
      const text = left < 0 ? "has expired" : `expires in ${span(left)}`;
      return endsSoon(certificate, nowMs)
        ? [{ text: `The ${certificate.use} ${text} (${certificate.path})`, bad: left < 0 }]
        : [];
    }),
    ...status.notes.map((text) => ({ text, bad: false })),
  ];
  const list = byId("notices");
  const wanted = JSON.stringify(notices);
  if (list.dataset.shown !== wanted) {
    list.dataset.shown = wanted;
    list.replaceChildren(
      ...notices.map(({ text, bad }) => {
        const item = document.createElement("li");
        item.classList.toggle("bad", bad);
        item.textContent = visible(text);
        return item;
      }),
    );
  }
  list.hidden = notices.length === 0;
}

function fileNotice(file: Status["files"][number]) {
  return { text: `The ${file.name} on disk cannot be loaded: ${file.problems[0] ?? ""}`, bad: true };
}

/** Database servers, a row per account. */
export function showTablets(status: Status): void {
  const rows = status.tablets.flatMap((tablet): Row[] => {
    const facts = [
      { text: tablet.alias, more: tablet.address },
      {
        text: tablet.ready ? "Ready" : "Not ready",
        more: tablet.reason ?? [...tablet.roles, ...(tablet.read_only ? ["read only"] : [])].join(", "),
        bad: !tablet.ready,
      },
      { text: tablet.version ?? "not known yet" },
    ];
    const limit = { text: String(tablet.pool_size), numeric: true };
    const none = { text: "0", numeric: true };
    if (tablet.pools.length === 0)
      return [{ key: tablet.alias, cells: [...facts, { text: "–" }, none, none, none, limit] }];
    return tablet.pools.map((pool) => ({
      key: `${tablet.alias} ${pool.account}`,
      cells: [
        ...facts,
        { text: pool.account, more: pool.login_error ?? "", bad: pool.login_error !== null },
        { text: String(pool.leased), numeric: true },
        { text: String(pool.idle + pool.connecting), numeric: true },
        { text: String(pool.waiting), numeric: true, bad: pool.waiting > 0 },
        limit,
      ],
    }));
  });
  fillTable("tablets", rows, "No database server is configured.");
}

/** Watched files. */
export function showFiles(status: Status, nowMs: number): void {
  fillTable(
    "files",
    status.files.map((file) => ({
      key: `${file.name} ${file.path}`,
      cells: [
        { text: file.name },
        {
          text: file.failed_at === null ? "As on disk" : "An older content is in use",
          more: file.failed_at === null ? "" : `${stamp(file.failed_at)}: ${file.problems.join("; ")}`,
          bad: file.failed_at !== null,
        },
        { text: String(file.generation), numeric: true },
        { text: ago(file.loaded_at, nowMs), more: stamp(file.loaded_at) },
        { text: file.path },
      ],
    })),
    "No file is watched.",
  );
}

/** Certificates. */
export function showCertificates(status: Status, nowMs: number): void {
  fillTable(
    "certificates",
    status.certificates.map((certificate) => {
      const left = (Date.parse(certificate.not_after) - nowMs) / 1000;
      return {
        key: `${certificate.use} ${certificate.path}`,
        cells: [
          { text: certificate.use, more: certificate.subject },
          {
            text: stamp(certificate.not_after),
            more: left < 0 ? `expired ${span(-left)} ago` : `${span(left)} left`,
            bad: endsSoon(certificate, nowMs),
          },
          { text: certificate.path },
        ],
      };
    }),
    "No certificate is configured.",
  );
}

function endsSoon({ warn_after }: Status["certificates"][number], nowMs: number): boolean {
  return Date.parse(warn_after) <= nowMs;
}

/** All charts. */
export function showCharts(points: readonly Point[], nowMs: number): void {
  const times = points.map((point) => point.at);
  const spanMs = Math.min(spanMsMax, Math.max(spanMsMin, nowMs - (times[0] ?? nowMs)));
  const base = { times, untilMs: nowMs, spanMs, since: `${span(spanMs / 1000)} ago` };
  const line = (name: string, read: (point: Point) => number | null) => ({ name, values: points.map(read) });
  const perSecond = (value: number): string => `${count(value)}/s`;
  const milliseconds = (value: number): string => `${count(value)} ms`;
  const share = (value: number): string => `${(value * 100).toFixed(0)} %`;
  const draw = (id: string, format: (value: number) => string, ...lines: ReturnType<typeof line>[]) =>
    drawChart(id, { ...base, format, lines });
  draw(
    "commands",
    perSecond,
    line("commands", (point) => point.commands),
    line("errors", (point) => point.errors),
  );
  draw(
    "latency",
    milliseconds,
    line("median", (point) => point.p50_ms),
    line("99 of 100", (point) => point.p99_ms),
  );
  draw(
    "logins",
    perSecond,
    line("logins", (point) => point.logins),
    line("refused", (point) => point.refusals),
    line("denied", (point) => point.denials),
  );
  draw(
    "sessions",
    count,
    line("logged in", (point) => point.sessions),
    line("backend connections in use", (point) => point.leased),
  );
  draw(
    "bytes",
    (value) => `${bytes(value)}/s`,
    line("sent", (point) => point.bytes_sent),
    line("received", (point) => point.bytes_received),
  );
  draw(
    "process",
    share,
    line("busy", (point) => point.event_loop_busy),
  );
}

/** A row of the table of sessions; `end` is called with the id and a description. */
export function sessionRow(session: Session, end: (id: number, who: string) => void): Row {
  const from = session.transport === "unix" ? "unix socket" : `${session.host}:${session.port}`;
  const doing = [session.command, session.statement].filter((word) => word !== null).join(" ");
  const phase = { login: "logging in", idle: "idle", busy: doing === "" ? "busy" : doing }[session.phase];
  const holds = [
    session.in_transaction ? "open transaction" : "",
    session.pinned_because ?? "",
    session.prepared_statements > 0 ? `${session.prepared_statements} prepared` : "",
  ].filter((text) => text !== "");
  const user = session.user ?? "–";
  return {
    key: String(session.id),
    busy: session.phase === "busy",
    cells: [
      { text: String(session.id), numeric: true },
      { text: user, more: session.entry ?? "" },
      { text: session.user_data ?? "–", more: session.groups.join(", ") },
      { text: from, more: session.tls ?? (session.transport === "unix" ? "" : "no TLS") },
      { text: session.program ?? "–" },
      { text: phase },
      {
        text: span(session.phase_seconds),
        more: `connected ${span(session.age_seconds)}`,
        numeric: true,
      },
      { text: session.database ?? "–" },
      {
        text: session.tablet === null ? "–" : `connection to ${session.tablet}`,
        more: holds.join("; "),
      },
    ],
    button: {
      text: "End",
      label: `End session ${session.id} of ${user} from ${from}`,
      press: () => end(session.id, `Session ${session.id} of ${user} from ${from}`),
    },
  };
}

/** A row of the table of users. */
export function entryRow(entry: Entry, nowMs: number): Row {
  const kinds = entry.credential_kinds.join(", ");
  return {
    key: `${entry.user} ${entry.fingerprint} ${entry.index}`,
    cells: [
      { text: `${entry.user}[${entry.index}]`, more: stateOf(entry, nowMs) },
      { text: entry.user_data },
      { text: kinds === "" ? "no password" : kinds },
      entry.last_login === null
        ? { text: "not seen" }
        : { text: ago(entry.last_login, nowMs), more: stamp(entry.last_login) },
      { text: String(entry.live_sessions), numeric: true },
      { text: String(entry.logins), numeric: true },
      { text: stamp(entry.counting_since) },
    ],
  };
}

/** Whether the entry lets anybody in now, and until when; empty: always. */
function stateOf({ not_before, not_after, account_locked }: Entry, nowMs: number): string {
  if (account_locked) return "locked";
  if (not_before !== null && Date.parse(not_before) > nowMs) return `not before ${stamp(not_before)}`;
  if (not_after === null) return "";
  return Date.parse(not_after) <= nowMs ? `ended ${stamp(not_after)}` : `until ${stamp(not_after)}`;
}

// The tables as subject: documents are generated from them (UPDATE_DOCS=1 writes them), and every row has code behind it.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { adminRoutes } from "../../src/admin/admin-routes.ts";
import type { FlagDefinition } from "../../src/cli/flag-table.ts";
import { environmentName, serveFlags } from "../../src/cli/flags.ts";
import { placeholder } from "../../src/cli/help.ts";
import { usersCommands } from "../../src/cli/users/users-command.ts";
import { mysqlErrors } from "../../src/errors/mysql-errors.ts";
import { missingFingerprintReasons } from "../../src/session/query-note.ts";
import { type AuditEvent, type AuditField, auditTable } from "../../src/telemetry/audit-table.ts";
import { type MetricDefinition, metricTable } from "../../src/telemetry/metric-table.ts";
import { queryLogFields } from "../../src/telemetry/query-log-table.ts";

const root = resolve(import.meta.dirname, "../..");

function sourceText(except: readonly string[]): string {
  return readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !except.includes(name))
    .map((name) => readFileSync(join(root, "src", name), "utf8"))
    .join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** A table as the formatter lays it out: columns padded to their widest cell. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map(cell));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [first = [], ...rest] = cells;
  return [line(first), line(widths.map((width) => "-".repeat(width))), ...rest.map(line)].join("\n");
}

function flagsPage(): string {
  const groups = new Map<string, [string, FlagDefinition][]>();
  for (const [name, definition] of Object.entries<FlagDefinition>(serveFlags)) {
    groups.set(definition.group, [...(groups.get(definition.group) ?? []), [name, definition]]);
  }
  const parts = [
    "# Flags",
    "Generated from `src/cli/flags.ts`. Every flag `--name` also reads the environment variable `GATEHOUSE_NAME` and the key `name` of `--config_file`; the command line wins over the environment, the environment over the file. On the command line dashes and underscores in names are the same. Flags marked with * name a file whose content is loaded again when it changes; everything else needs a restart.",
  ];
  for (const [group, flags] of groups) {
    const rows = flags.map(([name, definition]) => [
      `\`${name}\`${definition.reloadable ? " *" : ""}`,
      `\`${placeholder(definition)}\``,
      definition.default === null ? "none" : `\`${definition.default}\``,
      definition.help,
    ]);
    parts.push(`## ${group}`, table(["flag", "value", "default", "meaning"], rows));
  }
  return `${parts.join("\n\n")}\n`;
}

function usersPage(): string {
  const parts = [
    "# gatehouse users",
    "Generated from `src/cli/users/users-command.ts` and `src/cli/users/users-flags.ts`. How they are used together: [rotate a password](how-to/rotate-a-password.md).",
  ];
  for (const [name, command] of Object.entries(usersCommands)) {
    parts.push(`## users ${name} ${command.words}`.trim(), command.help);
    const rows = Object.entries<FlagDefinition>(command.flags).map(([flag, definition]) => [
      `\`--${flag}\``,
      `\`${placeholder(definition)}\``,
      definition.default === null ? "none" : `\`${definition.default}\``,
      definition.help,
    ]);
    if (rows.length > 0) parts.push(table(["flag", "value", "default", "meaning"], rows));
  }
  return `${parts.join("\n\n")}\n`;
}

function metricsPage(): string {
  const rows = Object.entries<MetricDefinition>(metricTable).map(([name, row]) => [
    `\`gatehouse_${name}\``,
    row.type,
    Object.entries(row.labels)
      .map(([label, values]) =>
        "distinctMax" in values
          ? `\`${label}\` (at most ${values.distinctMax})`
          : `\`${label}\`: ${values.join(", ")}`,
      )
      .join("; "),
    row.help,
  ]);
  return `${[
    "# Metrics",
    "Generated from `src/telemetry/metric-table.ts`. Beside these, `/metrics` has the numbers of the process that prom-client collects (`process_*`, `nodejs_*`: CPU, memory, event-loop delay, garbage collection). A label never has more different values than its row allows; later ones count as `other`. Counters whose labels have known values are there from the start, as 0.",
    table(["metric", "type", "labels", "meaning"], rows),
  ].join("\n\n")}\n`;
}

function auditPage(): string {
  const parts = [
    "# Audit log",
    "Generated from `src/telemetry/audit-table.ts`. One JSON object per line, in `--audit_log_file` or between the lines of the log. Every line has `time` (RFC 3339, UTC) and `audit` (the kind of event). Names and meanings are stable; new fields may be added. No line holds a password, a hash or a statement's text.",
  ];
  for (const [kind, event] of Object.entries<AuditEvent>(auditTable)) {
    const rows = Object.entries(event.fields).map(([name, field]) => [`\`${name}\``, field.type, field.help]);
    parts.push(`## ${kind}`, `${event.help}.`, table(["field", "type", "meaning"], rows));
  }
  return `${parts.join("\n\n")}\n`;
}

function queryLogPage(): string {
  const rows = Object.entries<AuditField>(queryLogFields).map(([name, field]) => [
    `\`${name}\``,
    field.type,
    field.help,
  ]);
  return `${[
    "# Query log",
    "Generated from `src/telemetry/query-log-table.ts` and `src/session/query-note.ts`. `--log_queries_to_file` names its file: one JSON object per line and statement. Without more flags every statement is recorded; `--querylog_time_threshold` records those that took at least so long, `--querylog_sample_rate` that share of all by chance; both together record what either chooses. SIGHUP and SIGUSR2 open the file anew.",
    "Names and meanings are stable; new fields may be added. Every line has `time` (RFC 3339, UTC; when the reply had ended). No line holds a value of a statement: literals become `?`, comments are left out, and where it is not certain what is a literal nothing of the text is recorded but its kind and length. Names of tables, columns and variables are recorded as they are written. What a client sends as statement without being one is not recorded either.",
    table(["field", "type", "meaning"], rows),
    "## no_fingerprint_because",
    table(
      ["code", "why there is no fingerprint"],
      Object.entries(missingFingerprintReasons).map(([code, help]) => [`\`${code}\``, help]),
    ),
    "## What it costs",
    "Without the flag nothing. With it every statement is copied once, up to 64 KiB; what is recorded is read once more to find its literals, in time linear in its length. Lines that cannot be written in time are dropped and counted in `gatehouse_dropped_lines_total`, label `queries`: no client waits for the log.",
  ].join("\n\n")}\n`;
}

function errorsPage(): string {
  const rows = Object.entries(mysqlErrors)
    .sort(([, a], [, b]) => a.code - b.code)
    .map(([symbol, row]) => [String(row.code), row.sqlState, `\`${symbol}\``, row.kind, row.wording]);
  return `${[
    "# Errors",
    "Generated from `src/errors/mysql-errors.ts`: the errors that the gateway itself sends. Errors of the database behind it are relayed byte for byte.",
    table(["number", "SQLSTATE", "symbol", "kind", "text"], rows),
  ].join("\n\n")}\n`;
}

function adminPage(): string {
  const parts = [
    "# Admin HTTP",
    "Generated from `src/admin/admin-routes.ts`. `--port` turns it on, `--bind_address` says where. Times are RFC 3339 in UTC unless a field says otherwise; durations are in the unit of the field's name. New fields may be added.",
    table(
      ["access", "means"],
      [
        ["open", "Everybody"],
        ["page", "On loopback everybody; beyond it only where `--admin_token_file` is set. Holds no data"],
        ["read", "On loopback everybody, unless `--admin_token_file` is set; beyond loopback the token"],
        ["change", "The token, even on loopback; not from pages of another origin"],
      ],
    ),
    "The token is sent as `Authorization: Bearer TOKEN`. On loopback, and for changes everywhere, the `Host` header must be `localhost` or an IP address (421), so that no web page can reach the gateway under a name of its own (DNS rebinding).",
    table(
      ["path", "method", "access", "answers"],
      Object.entries(adminRoutes).map(([path, route]) => [
        `\`${path}\``,
        route.method,
        route.access,
        route.help,
      ]),
    ),
  ];
  for (const [path, { method, fields }] of Object.entries(adminRoutes)) {
    if (fields === undefined) continue;
    const rows = Object.entries(fields).map(([name, help]) => [`\`${name}\``, help]);
    parts.push(`## ${method} ${path}`, table(["field", "meaning"], rows));
  }
  return `${parts.join("\n\n")}\n`;
}

describe("documents made from tables", () => {
  const pages: [string, () => string][] = [
    ["docs/flags.md", flagsPage],
    ["docs/users-command.md", usersPage],
    ["docs/metrics.md", metricsPage],
    ["docs/audit.md", auditPage],
    ["docs/query-log.md", queryLogPage],
    ["docs/errors.md", errorsPage],
    ["docs/admin.md", adminPage],
  ];
  it.each(pages)("%s is current", (path, make) => {
    const wanted = make();
    expect(wanted.split("\n").length).toBeGreaterThan(20);
    if (process.env.UPDATE_DOCS === "1") writeFileSync(join(root, path), wanted);
    expect(readFileSync(join(root, path), "utf8"), "UPDATE_DOCS=1 npx vitest run test/house writes it").toBe(
      wanted,
    );
  });
});

describe("rows of tables", () => {
  it("of flags are all read by cli/options or settings", () => {
    const text = ["options", "login-options"]
      .map((name) => readFileSync(join(root, `src/cli/${name}.ts`), "utf8"))
      .join("\n");
    const unread = Object.keys(serveFlags).filter(
      (name) => name !== "config_file" && !new RegExp(`\\bvalues\\.${name}\\b|\\b${name}: \\w+`).test(text),
    );
    expect(unread).toEqual([]);
  });

  it("of flags have distinct environment variables", () => {
    const names = Object.keys(serveFlags).map(environmentName);
    expect(new Set(names).size).toBe(names.length);
  });

  it("of metrics are all moved by some code", () => {
    const text = sourceText(["telemetry/metric-table.ts"]);
    const names = Object.keys(metricTable);
    expect(names.length).toBeGreaterThan(20);
    const unmoved = names.filter(
      (name) => !new RegExp(`\\.(counter|gauge|histogram|replaceSeries)\\(\\s*"${name}"`).test(text),
    );
    expect(unmoved).toEqual([]);
  });

  it("of audit events are all recorded by some code", () => {
    const text = sourceText(["telemetry/audit-table.ts"]);
    const unrecorded = Object.keys(auditTable).filter(
      (kind) => !new RegExp(`\\.record\\(\\s*"${kind}"`).test(text),
    );
    expect(unrecorded).toEqual([]);
  });

  it("of admin routes say what they answer", () => {
    for (const [path, route] of Object.entries(adminRoutes)) {
      expect(path).toMatch(/^\/[a-z/]*(\{id\}\/[a-z]+|\.js)?$/);
      expect(route.help.length).toBeGreaterThan(20);
    }
  });
});

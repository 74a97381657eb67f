// The files of deploy/ as subject: every flag, path, port, probe and metric in them is one that the program has.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { adminRoutes } from "../../src/admin/admin-routes.ts";
import { serveFlags } from "../../src/cli/flags.ts";
import { makeServeOptions } from "../../src/cli/options.ts";
import { gatherSettings } from "../../src/cli/settings.ts";
import { type MetricDefinition, metricTable } from "../../src/telemetry/metric-table.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";

const root = resolve(import.meta.dirname, "../..");
const deploy = join(root, "deploy");
const read = (name: string): string => readFileSync(join(deploy, name), "utf8");
const names = readdirSync(deploy, { recursive: true, encoding: "utf8" }).filter((name) =>
  /\.[a-z]+$|Dockerfile$/.test(name),
);
const manifest = read("kubernetes/gatehouse.yaml");

/** A text of the ConfigMap: what is indented below its key. */
function configMapText(key: string): string {
  const match = new RegExp(`^ {2}${key.replace(".", "\\.")}: \\|\\n((?: {4}.*\\n)+)`, "m").exec(manifest);
  return (match?.[1] ?? "").replaceAll(/^ {4}/gm, "");
}

const configs: [string, Record<string, unknown>][] = [
  ["systemd/config.json", JSON.parse(read("systemd/config.json")) as Record<string, unknown>],
  ["kubernetes ConfigMap", JSON.parse(configMapText("config.json")) as Record<string, unknown>],
];

/** All paths in a configuration, those of the backend's URL included. */
function pathsIn(config: Record<string, unknown>): string[] {
  return Object.values(config)
    .map(String)
    .flatMap((value) => value.match(/(?<![\w/:])\/(?:etc|run|var)\/[^&"]+/g) ?? []);
}

function metricUses(): { file: string; name: string; labels: string[] }[] {
  return names.flatMap((file) =>
    [...read(file).matchAll(/\b((?:gatehouse|process|nodejs)_[a-z0-9_]+)(\{[^}]*\})?/g)]
      .filter(([, name]) => !/^gatehouse_[a-z]+$/.test(name ?? "") || name === "gatehouse_sessions")
      .map(([, name = "", selector = ""]) => ({
        file,
        name,
        labels: [...selector.matchAll(/([a-z_]+)\s*(?:=|!=|=~|!~)\\?"/g)].map((match) => match[1] ?? ""),
      })),
  );
}

function definitionOf(name: string): MetricDefinition | undefined {
  const rows: Readonly<Record<string, MetricDefinition>> = metricTable;
  const own = name.replace(/^gatehouse_/, "");
  const histogram = rows[own.replace(/_(bucket|sum|count)$/, "")];
  return rows[own] ?? (histogram?.type === "histogram" ? histogram : undefined);
}

describe("deploy/", () => {
  it("was found, and its README names every file", () => {
    expect(names.length).toBeGreaterThan(8);
    const text = read("README.md");
    const unnamed = names.filter((name) => name !== "README.md" && !name.endsWith(".dockerignore"));
    expect(unnamed.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  it.each(configs)("%s: the command line takes it, and every setting has an effect", (_name, config) => {
    const flags = new Map(Object.entries(config).map(([name, value]) => [name, [String(value)]]));
    expect(Object.keys(config).filter((name) => !Object.hasOwn(serveFlags, name))).toEqual([]);
    const settings = gatherSettings(serveFlags, { flags, environment: {} });
    expect(() => makeServeOptions(settings, { homeDirectory: "/", environment: {} })).not.toThrow();
  });

  it("names only flags that exist", () => {
    const unknown: string[] = [];
    let seen = 0;
    for (const file of names) {
      for (const [, flag = ""] of read(file).matchAll(/--([a-z]+(?:_[a-z]+)+)\b/g)) {
        seen += 1;
        if (!Object.hasOwn(serveFlags, flag)) unknown.push(`${file}: --${flag}`);
      }
    }
    expect(seen).toBeGreaterThan(1);
    expect(unknown).toEqual([]);
  });

  it("asks only for routes that exist, on the ports that are configured", () => {
    const probes = [...manifest.matchAll(/path: (\/[a-z]+), port: (\w+)/g)];
    expect(probes.map(([, path]) => path)).toEqual(["/healthz", "/healthz", "/readyz"]);
    const dockerfile = read("docker/Dockerfile");
    const routes = [...manifest.matchAll(/(?:path: |prometheus\.io\/path: )(\/\w+)/g)].map(
      (match) => match[1],
    );
    routes.push(/127\.0\.0\.1:\d+(\/\w+)/.exec(dockerfile)?.[1]);
    for (const route of routes) {
      expect(Object.keys(adminRoutes)).toContain(route);
      expect(adminRoutes[route ?? ""]?.access, "answered to everybody, without a token").toBe("open");
    }
    const ports = { mysql: configs[1]?.[1].mysql_server_port, admin: configs[1]?.[1].port };
    for (const [name, port] of Object.entries(ports)) {
      expect(manifest).toContain(`{ name: ${name}, containerPort: ${String(port)} }`);
      expect(dockerfile).toMatch(new RegExp(`EXPOSE .*\\b${String(port)}\\b`));
    }
    expect(manifest).toContain(`prometheus.io/port: "${String(ports.admin)}"`);
    expect(dockerfile).toContain(`127.0.0.1:${String(ports.admin)}/`);
  });

  it("gives the process every path that its configuration names", () => {
    const mounts = [...manifest.matchAll(/mountPath: ([\w/-]+)/g)].map((match) => match[1]);
    const wanted = pathsIn(configs[1]?.[1] ?? {});
    expect(wanted.length).toBeGreaterThan(5);
    expect(wanted.filter((path) => !mounts.includes(dirname(path)))).toEqual([]);
    // Beside what is written down for the Secrets, only the ConfigMap's own texts.
    const given = [...manifest.matchAll(/--from-file=([\w.-]+)/g)].map((match) => match[1]);
    const texts = [...manifest.matchAll(/^ {2}([\w.-]+\.json): \|/gm)].map((match) => match[1]);
    expect(wanted.filter((path) => ![...given, ...texts].includes(path.split("/").at(-1)))).toEqual([]);
    const unit = read("systemd/gatehouse.service");
    for (const path of pathsIn(configs[0]?.[1] ?? {})) {
      if (path.startsWith("/run/")) expect(unit).toContain(`RuntimeDirectory=${path.split("/")[2]}`);
      if (path.startsWith("/var/log/")) expect(unit).toContain(`LogsDirectory=${path.split("/")[3]}`);
    }
    expect(unit).toMatch(
      /ExecStart=\/usr\/bin\/node \/usr\/local\/lib\/node_modules\/mysql-gatehouse\/bin\/gatehouse\.js /,
    );
    for (const file of ["bin/gatehouse.js", "docs/operations.md"])
      expect(existsSync(join(root, file))).toBe(true);
  });

  it("waits longer for the end than the gateway takes for it", () => {
    const ontermSeconds = (config: Record<string, unknown>) =>
      Number(/^(\d+)s$/.exec(String(config.onterm_timeout))?.[1]);
    const stop = Number(/TimeoutStopSec=(\d+)/.exec(read("systemd/gatehouse.service"))?.[1]);
    expect(stop).toBeGreaterThan(ontermSeconds(configs[0]?.[1] ?? {}) + 5);
    const grace = Number(/terminationGracePeriodSeconds: (\d+)/.exec(manifest)?.[1]);
    const preStop = Number(/setTimeout\(\(\) => \{\}, (\d+)\)/.exec(manifest)?.[1]) / 1000;
    expect(grace).toBeGreaterThan(ontermSeconds(configs[1]?.[1] ?? {}) + preStop + 5);
  });

  it("uses only metrics and labels that exist", async () => {
    const uses = metricUses();
    expect(uses.length).toBeGreaterThan(40);
    const ofProcess = await createMetrics({ processMetrics: true }).text();
    // Labels that Prometheus adds, and those of buckets.
    const added = ["job", "instance", "le"];
    const wrong = uses.flatMap(({ file, name, labels }) => {
      if (!name.startsWith("gatehouse_"))
        return ofProcess.includes(`# TYPE ${name} `) ? [] : [`${file}: ${name}`];
      const definition = definitionOf(name);
      if (definition === undefined) return [`${file}: ${name}`];
      return labels
        .filter((label) => !added.includes(label) && !Object.hasOwn(definition.labels, label))
        .map((label) => `${file}: ${name}{${label}}`);
    });
    expect(wrong).toEqual([]);
  });

  it("groups metrics by labels that they have", () => {
    const wrong: string[] = [];
    let seen = 0;
    for (const file of names) {
      for (const match of read(file).matchAll(
        /(?:sum|min|max) by \(([^)]*)\) \(+(?:\w+\()?(gatehouse_\w+)/g,
      )) {
        seen += 1;
        const definition = definitionOf(match[2] ?? "");
        for (const label of (match[1] ?? "").split(",").map((item) => item.trim()))
          if (!["job", "instance", "le"].includes(label) && !Object.hasOwn(definition?.labels ?? {}, label))
            wrong.push(`${file}: ${match[2]} by ${label}`);
      }
    }
    expect(seen).toBeGreaterThan(15);
    expect(wrong).toEqual([]);
  });

  it("shows in the dashboard what an operator looks for, in panels that do not overlap", () => {
    const { panels } = JSON.parse(read("grafana/gatehouse.json")) as {
      panels: { title: string; gridPos: { x: number; y: number; w: number; h: number } }[];
    };
    expect(panels.length).toBeGreaterThan(25);
    for (const [index, { gridPos: a, title }] of panels.entries()) {
      expect(a.x + a.w, title).toBeLessThanOrEqual(24);
      for (const { gridPos: b } of panels.slice(index + 1)) {
        const overlaps = a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
        expect(overlaps, title).toBe(false);
      }
    }
  });
});

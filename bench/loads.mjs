// What is done to every system: sysbench's scripts and two of our own, one measurement each.
import { join } from "node:path";
import { cpuMicroseconds, runOn, treeOf } from "./processes.mjs";
import { account } from "./systems.mjs";

const lua = join(import.meta.dirname, "lua");

// Text protocol: 4 x 10,000 rows make 40,000 distinct texts, deliberately hard on a cache of exact texts.
const tables = ["--tables=4", "--table-size=10000", "--db-ps-mode=disable"];

/** The loads by name; `unit` is what CPU time is divided by. */
export const loads = {
  "point-1": { script: "oltp_point_select", threads: 1, options: tables, unit: "query" },
  "point-16": { script: "oltp_point_select", threads: 16, options: tables, unit: "query" },
  "read-only-16": { script: "oltp_read_only", threads: 16, options: tables, unit: "query" },
  "result-2mb": { script: join(lua, "result.lua"), threads: 1, options: [], unit: "query" },
  login: { script: join(lua, "connect.lua"), threads: 4, options: [], unit: "event" },
  "prepared-16": {
    script: "oltp_point_select",
    threads: 16,
    options: ["--tables=4", "--table-size=10000"],
    unit: "query",
  },
};

/** The loads of a plain `npm run bench`. */
export const usualLoads = ["point-1", "point-16", "read-only-16", "result-2mb", "login"];

const sysbench = (port) => [
  "sysbench",
  "--db-driver=mysql",
  "--mysql-host=127.0.0.1",
  `--mysql-port=${port}`,
  `--mysql-user=${account.user}`,
  `--mysql-password=${account.password}`,
  `--mysql-db=${account.database}`,
];

/** Creates the tables. */
export async function prepare(cpu, port) {
  await runOn(cpu, [...sysbench(port), ...tables, "oltp_point_select", "prepare"]);
}

/** Runs one load against one system: { perSecond, cpuUs, p95Ms }. */
export async function measure(cpu, system, load, seconds) {
  const { script, threads, options, unit } = load;
  const pids = system.pid === null ? [] : treeOf(system.pid);
  const before = cpuMicroseconds(pids);
  const output = await runOn(cpu, [
    ...sysbench(system.port),
    ...options,
    `--threads=${threads}`,
    `--time=${seconds}`,
    script,
    "run",
  ]);
  const cpu_us = cpuMicroseconds(pids) - before;
  const number = (pattern, what) => {
    const found = pattern.exec(output);
    if (found === null) throw new Error(`sysbench did not tell ${what}:\n${output}`);
    return Number(found[1]);
  };
  const elapsed = number(/total time:\s+([\d.]+)s/, "the total time");
  const count =
    unit === "query"
      ? number(/^ +total:\s+(\d+)/m, "the number of queries")
      : number(/total number of events:\s+(\d+)/, "the number of events");
  const errors = number(/ignored errors:\s+(\d+)/, "the number of errors");
  if (count === 0 || errors > 0) throw new Error(`${count} done, ${errors} errors:\n${output}`);
  return {
    perSecond: count / elapsed,
    cpuUs: cpu_us / count,
    p95Ms: number(/95th percentile:\s+([\d.]+)/, "the 95th percentile"),
  };
}

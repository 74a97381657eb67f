// npm run bench: what the gateway costs, beside HAProxy and no proxy at all.
//
// Everything runs on one CPU: what a wake-up across CPUs costs would hide what is measured. Every round runs every
// system once for every load, in random order; the table shows medians over the rounds, and ratios to HAProxy of the
// same run. Only ratios mean anything on another machine.
//
//   node bench/run.mjs [--rounds=5] [--seconds=2] [--cpu=N] [--loads=point-16,login] [--memory=true|false]
//                      [--database-port=N --peer=router:6446:PID ...] [--write]
//
// --peer names a proxy that runs already (on the same CPU: taskset) in front of 127.0.0.1:N, user bench, password
// bench-secret; --write appends to bench/results.md.
import { execFileSync } from "node:child_process";
import { appendFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { idleSessionKib } from "./idle-sessions.mjs";
import { loads, measure, prepare, usualLoads } from "./loads.mjs";
import { startSystems } from "./systems.mjs";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "2" },
    cpu: { type: "string", default: String(cpus().length - 1) },
    loads: { type: "string", default: usualLoads.join(",") },
    memory: { type: "string", default: "true" },
    "database-port": { type: "string", default: "0" },
    peer: { type: "string", multiple: true, default: [] },
    write: { type: "boolean", default: false },
  },
});

/** What the issue that built the gate allows, as a ratio to HAProxy. */
const allowed = { "point-16": 1.7, "result-2mb": 1.4, login: 1.5 };
const idleSessionKibMax = 24;

const median = (values) => {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

const shuffled = (items) => {
  const mixed = [...items];
  for (let index = mixed.length - 1; index > 0; index--) {
    const other = Math.floor(Math.random() * (index + 1));
    [mixed[index], mixed[other]] = [mixed[other], mixed[index]];
  }
  return mixed;
};

/** Medians of one system under one load. */
const summary = (samples) => ({
  perSecond: median(samples.map((sample) => sample.perSecond)),
  cpuUs: median(samples.map((sample) => sample.cpuUs)),
  p95Ms: median(samples.map((sample) => sample.p95Ms)),
});

/** V8 compiles what a load uses within some ten thousand of its rounds. */
const warmUpSeconds = 5;

/** The systems about which a load says something. */
const takingPart = (systems, name) => systems.filter(({ loads: own = [name] }) => own.includes(name));

async function runRounds(cpu, systems, names) {
  // Warms every system up: what a compiler or a pool does once would weigh on the first rounds.
  for (const name of names) {
    for (const system of takingPart(systems, name))
      await measure(cpu, system, loads[name], system.name.startsWith("gatehouse") ? warmUpSeconds : 1);
  }
  const samples = new Map();
  for (let round = 1; round <= Number(options.rounds); round++) {
    for (const name of shuffled(names)) {
      for (const system of shuffled(takingPart(systems, name))) {
        const key = `${name} ${system.name}`;
        const sample = await measure(cpu, system, loads[name], Number(options.seconds));
        samples.set(key, [...(samples.get(key) ?? []), sample]);
      }
    }
    console.error(`round ${round} of ${options.rounds} done`);
  }
  return samples;
}

function tableOf(systems, names, samples) {
  const rows = [["load", "system", "CPU us", "x HAProxy", "per second", "x direct", "p95 ms"]];
  const failed = [];
  for (const name of names) {
    const direct = summary(samples.get(`${name} direct`));
    const haproxy = summary(samples.get(`${name} haproxy`));
    for (const system of takingPart(systems, name)) {
      const { perSecond, cpuUs, p95Ms } = summary(samples.get(`${name} ${system.name}`));
      const ratio = cpuUs / haproxy.cpuUs;
      if (system.name === "gatehouse" && ratio > (allowed[name] ?? Infinity)) {
        failed.push(`${name}: ${ratio.toFixed(2)} times HAProxy's CPU time, allowed are ${allowed[name]}`);
      }
      const cells = system.pid === null ? ["-", "-"] : [cpuUs.toFixed(1), ratio.toFixed(2)];
      const rest = [perSecond.toFixed(0), (perSecond / direct.perSecond).toFixed(2), p95Ms.toFixed(2)];
      rows.push([name, system.name, ...cells, ...rest]);
    }
  }
  return { lines: markdownTable(rows), failed };
}

/** A table as the formatter writes it: columns of one width. The first row is the head. */
function markdownTable([head, ...rows]) {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)];
}

async function main() {
  const cpu = Number(options.cpu);
  const names = options.loads.split(",");
  for (const name of names) if (!(name in loads)) throw new Error(`no load '${name}': ${Object.keys(loads)}`);
  const { systems, database, stop } = await startSystems(cpu, options.peer, Number(options["database-port"]));
  await prepare(cpu, database.port);
  const samples = await runRounds(cpu, systems, names);
  const { lines, failed } = tableOf(systems, names, samples);
  if (options.memory === "true") {
    const rows = [["system", "KiB per idle session"]];
    for (const system of systems.filter(({ pid, loads: own }) => pid !== null && own === undefined)) {
      const kib = await idleSessionKib(system, { few: 200, many: 1200 }).catch((error) => {
        if (system.name === "gatehouse") throw error;
        return error; // a peer's own limit must not lose the whole measurement
      });
      rows.push([system.name, kib instanceof Error ? kib.message : kib.toFixed(1)]);
      if (system.name === "gatehouse" && kib > idleSessionKibMax) {
        failed.push(`${kib.toFixed(1)} KiB per idle session, allowed are ${idleSessionKibMax}`);
      }
    }
    lines.push("", ...markdownTable(rows));
  }
  await stop();
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const title = `## ${new Date().toISOString().slice(0, 10)}, ${commit}, Node ${process.version}, ${options.rounds} rounds of ${options.seconds} s, ${cpus()[0].model}`;
  console.log([title, "", ...lines].join("\n"));
  if (options.write) {
    appendFileSync(join(import.meta.dirname, "results.md"), `\n${title}\n\n${lines.join("\n")}\n`);
  }
  for (const line of failed) console.log(`MISSED: ${line}`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}

await main();

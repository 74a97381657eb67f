// node bench/sharing.mjs: what it costs when many client sessions share few backend connections, beside one connection
// for each of them. Point selects without a pause between them, everything on one CPU; systems in turn, medians.
//
//   node bench/sharing.mjs [--rounds=5] [--seconds=3] [--cpu=N] [--sessions=1,100,2000] [--connections=20] [--write]
import { execFileSync } from "node:child_process";
import { appendFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loads, measure, prepare } from "./loads.mjs";
import { startGatehouse, startSystems } from "./systems.mjs";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    cpu: { type: "string", default: String(cpus().length - 1) },
    sessions: { type: "string", default: "1,100,2000" },
    connections: { type: "string", default: "20" },
    write: { type: "boolean", default: false },
  },
});

const median = (values) => [...values].sort((left, right) => left - right)[values.length >> 1];
const cpu = Number(options.cpu);
const connections = Number(options.connections);

const started = await startSystems(cpu, [], 0);
const shared = await startGatehouse(cpu, started.folder, started.database, "shared", [], connections);
const each = started.systems.find(({ name }) => name === "gatehouse");
const direct = started.systems.find(({ name }) => name === "direct");
const systems = [
  { label: "direct", ...direct },
  { label: "one connection each", ...each },
  { label: `${connections} connections`, ...shared },
];
try {
  await prepare(cpu, direct.port);
  const lines = [
    "| sessions | system | queries/s | gateway CPU us/query | p95 ms |",
    "| --- | --- | --- | --- | --- |",
  ];
  for (const threads of options.sessions.split(",").map(Number)) {
    const samples = new Map(systems.map(({ label }) => [label, []]));
    for (let round = 0; round < Number(options.rounds); round++) {
      for (const system of systems) {
        const load = { ...loads["point-1"], threads };
        samples.get(system.label).push(await measure(cpu, system, load, Number(options.seconds)));
      }
    }
    for (const [label, of] of samples) {
      const value = (key) => median(of.map((sample) => sample[key]));
      const own = label === "direct" ? "-" : value("cpuUs").toFixed(1);
      lines.push(
        `| ${threads} | ${label} | ${Math.round(value("perSecond"))} | ${own} | ${value("p95Ms").toFixed(1)} |`,
      );
    }
  }
  console.log(lines.join("\n"));
  if (options.write) {
    const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"]).toString().trim();
    const head = `\n## Sharing, commit ${commit}, Node ${process.version}, ${cpus()[0]?.model ?? "unknown CPU"}, load ${execFileSync("cut", ["-d ", "-f1", "/proc/loadavg"]).toString().trim()}\n\n`;
    appendFileSync(join(import.meta.dirname, "results.md"), `${head}${lines.join("\n")}\n`);
  }
} finally {
  shared.child.kill("SIGKILL");
  await started.stop();
}

// What a users file costs, by its size: memory, time and CPU of a reload in which every entry is new, the longest wait for
// an answer meanwhile, and the CPU of one scrape and of one list for the status page.
//   node bench/users-file.mjs [users ...]        (after npm run build; two entries each; no database is needed)
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { memoryKib } from "./processes.mjs";

const program = resolve(import.meta.dirname, "../bin/gatehouse.js");
const folder = mkdtempSync(join(tmpdir(), "users-bench-"));
const path = join(folder, "users.json");

const digest = (text) => `*${createHash("sha256").update(text).digest("hex")}`;

function write(users, salt) {
  const file = { bench: [{ Password: "bench-secret" }] };
  for (let user = 0; user < users; user++)
    file[`user${user}`] = [0, 1].map((entry) => ({
      UserData: `application${user % 100}`,
      CachingSha2Password: digest(`${salt} ${user} ${entry}`),
    }));
  writeFileSync(`${path}.new`, JSON.stringify(file, null, 2), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

const freePort = () =>
  new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

/** User and system, in milliseconds. */
function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function measure(users) {
  write(users, "first");
  const [port, admin] = [await freePort(), await freePort()];
  const flags = [`--mysql_auth_server_static_file=${path}`, `--mysql_server_port=${port}`, `--port=${admin}`];
  const child = spawn(process.execPath, [program, ...flags, "--backend=mysql://nobody@127.0.0.1:1"], {
    stdio: "ignore",
  });
  const ask = async (what) => (await fetch(`http://127.0.0.1:${admin}${what}`)).text();
  try {
    while (!(await ask("/healthz").catch(() => null))) await sleep(50);
    await sleep(3000);
    const row = { users, "file MB": (statSync(path).size / 1e6).toFixed(1) };
    row["memory MiB"] = Math.round(memoryKib([child.pid]) / 1024);
    write(users, "second");
    const [beganMs, cpuBefore] = [performance.now(), cpuMs(child.pid)];
    const waits = [];
    let most = 0;
    for (;;) {
      const asked = performance.now();
      await ask("/healthz");
      waits.push(performance.now() - asked);
      most = Math.max(most, memoryKib([child.pid]));
      const [, generation] = /file_generation\{file="users file"\} (\d)/.exec(
        waits.length % 40 === 0 ? await ask("/metrics") : "",
      ) ?? ["", "1"];
      if (generation === "2") break;
      await sleep(5);
    }
    waits.sort((a, b) => b - a);
    row["reload s"] = ((performance.now() - beganMs) / 1000).toFixed(1);
    row["reload CPU s"] = ((cpuMs(child.pid) - cpuBefore) / 1000).toFixed(1);
    row["most MiB"] = Math.round(most / 1024);
    row["longest waits ms"] = waits
      .slice(0, 3)
      .map((ms) => Math.round(ms))
      .join(" ");
    for (const [name, what] of [
      ["scrape CPU ms", "/metrics"],
      ["page CPU ms", "/api/users?limit=200"],
    ]) {
      const before = cpuMs(child.pid);
      for (let round = 0; round < 20; round++) await ask(what);
      row[name] = ((cpuMs(child.pid) - before) / 20).toFixed(1);
    }
    return row;
  } finally {
    child.kill("SIGKILL");
  }
}

const sizes = process.argv.slice(2).map(Number);
const rows = [];
for (const users of sizes.length > 0 ? sizes : [1, 1000, 10_000, 100_000]) rows.push(await measure(users));
console.table(rows);
rmSync(folder, { recursive: true });

// `gatehouse users` as several people and programs at once use it: edits never get lost, a killed one leaves the file whole,
// links and modes stay.
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { gatewayCommand } from "../support/gateway-process.ts";
import { runProgram, startProgram } from "../support/processes.ts";
import { removeFolder, scratchFolder } from "../support/scratch.ts";

const folder = scratchFolder("users-race");
afterAll(() => removeFolder(folder));
const add = (path: string, name: string): string[] => [
  ...gatewayCommand,
  "users",
  "add",
  name,
  `--file=${path}`,
];
const usersIn = (path: string): string[] =>
  Object.keys(JSON.parse(readFileSync(path, "utf8")) as object).sort();

describe("users commands at the same time", () => {
  it("lose no edit, also where a dead editor has left its lock", async () => {
    const path = join(folder, "users.json");
    writeFileSync(path, '{ "first": [ { "Password": "x-secret" } ] }\n', { mode: 0o640 });
    const gone = await runProgram(["sh", "-c", "echo $$"]);
    writeFileSync(`${path}.lock`, gone.stdout);
    const names = Array.from({ length: 8 }, (_, index) => `user${index}`);
    const results = await Promise.all(
      names.map((name) => runProgram(add(path, name), { timeoutMs: 50_000 })),
    );
    const done = names.filter((_, index) => results[index]?.code === 0);
    expect(usersIn(path)).toEqual(["first", ...done].sort());
    // Whoever waited too long says so; on any machine the first ones get through.
    for (const { code, stderr } of results) if (code !== 0) expect(stderr).toContain("is being edited by");
    expect(done.length).toBeGreaterThan(1);
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder).filter((name) => name !== "users.json")).toEqual([]);
  });

  it("leave the file whole when they are killed, and the next one goes on", async () => {
    const path = join(folder, "killed.json");
    writeFileSync(path, '{ "first": [ { "Password": "x-secret" } ] }\n', { mode: 0o600 });
    for (let delayMs = 100; delayMs <= 900; delayMs += 200) {
      const program = startProgram(add(path, `at${delayMs}`));
      // Not a wait for anything: the moment of the kill is what is tried out.
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      program.kill("SIGKILL");
      await program.ended;
      expect(usersIn(path)).toContain("first");
    }
    const last = await runProgram(add(path, "last"), { timeoutMs: 50_000 });
    expect(last.code).toBe(0);
    expect(usersIn(path)).toEqual(expect.arrayContaining(["first", "last"]));
  });

  it("edit what a link names and keep the link; a link in place of their own files is not followed", async () => {
    const real = join(folder, "real");
    mkdirSync(real);
    const target = join(real, "users.json");
    writeFileSync(target, '{ "first": [ { "Password": "x-secret" } ] }\n', { mode: 0o600 });
    const link = join(folder, "link.json");
    symlinkSync(target, link);
    const victim = join(folder, "victim");
    writeFileSync(victim, "precious");
    expect((await runProgram(add(link, "second"))).code).toBe(0);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(usersIn(target)).toEqual(["first", "second"]);
    symlinkSync(victim, `${target}.lock`);
    const refused = await runProgram(add(link, "third"), { timeoutMs: 30_000 });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("is being edited by another program");
    expect(readFileSync(victim, "utf8")).toBe("precious");
    expect(usersIn(target)).toEqual(["first", "second"]);
  });
});

// The package as npm makes it, unpacked in another folder: it holds what it needs and nothing else, and it runs.
import { mkdirSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { findProgram, runProgram, startProgram } from "../support/processes.ts";
import { freePort, removeFolder, scratchFolder } from "../support/scratch.ts";

const root = resolve(import.meta.dirname, "../..");
const folder = scratchFolder("package");
afterAll(() => removeFolder(folder));

/** What may lie in the package, a pattern per line. */
const wanted = [
  /^(package\.json|README\.md|LICENSE|ARCHITECTURE\.md|CHANGELOG\.md|users\.example\.json)$/,
  /^bin\/(gatehouse\.js|load\.js|package\.json)$/,
  /^dist\/[a-z0-9/-]+\.(js|d\.ts)$/,
  /^schemas\/[a-z-]+\.schema\.json$/,
  /^deploy\/([a-z]+\/)?[A-Za-z.]+$/,
  /^docs\/[A-Za-z0-9/-]+\.(md|json|mjs|ts|yaml|yml|cnf)$/,
];

async function unpack(): Promise<readonly string[]> {
  // Not its scripts: the build at hand is what the other tests use.
  const packed = await runProgram(
    ["npm", "pack", "--json", "--ignore-scripts", `--pack-destination=${folder}`],
    { cwd: root, timeoutMs: 60_000 },
  );
  expect(packed.code).toBe(0);
  const [made] = JSON.parse(packed.stdout) as { filename: string; files: { path: string }[] }[];
  const archive = join(folder, made?.filename ?? "");
  const unpacked = await runProgram([findProgram("tar") ?? "tar", "-xzf", archive, "-C", folder]);
  expect(unpacked.code).toBe(0);
  return (made?.files ?? []).map((file) => file.path);
}

describe("the package", () => {
  it("holds the program, its schemas and its documents, and starts elsewhere", async () => {
    const files = await unpack();
    expect(files.length).toBeGreaterThan(200);
    expect(files.filter((file) => !wanted.some((pattern) => pattern.test(file)))).toEqual([]);
    const home = join(folder, "package");
    // As an installation would have it beside the package.
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    const elsewhere = join(folder, "elsewhere");
    mkdirSync(elsewhere);
    const command = [process.execPath, join(home, "bin/gatehouse.js")];
    const run = (...words: string[]) =>
      runProgram([...command, ...words], { cwd: elsewhere, timeoutMs: 20_000 });
    expect((await run("--version")).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const users = `--mysql_auth_server_static_file=${join(home, "users.example.json")}`;
    expect(await run("check", users)).toMatchObject({ code: 0 });
    const port = await freePort();
    const adminPort = await freePort();
    const flags = [users, `--mysql_server_port=${port}`, `--port=${adminPort}`];
    const gateway = startProgram([...command, ...flags, "--backend=mysql://u:p@127.0.0.1:1"], {
      cwd: elsewhere,
    });
    await gateway.waitForLine((line) => line.includes("Ready for clients"), "readiness");
    const page = await fetch(`http://127.0.0.1:${adminPort}/`);
    expect(page.status).toBe(200);
    const script = /src="([^"]+)"/.exec(await page.text())?.[1] ?? "";
    expect((await fetch(new URL(script, page.url))).status).toBe(200);
    gateway.kill("SIGTERM");
    expect(await gateway.ended).toMatchObject({ code: 0 });
  });
});

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../../..");
const bin = join(root, "bin/gatehouse.js");

function runAsNode(version: string) {
  const script = `Object.defineProperty(process.versions, "node", { value: "${version}" });
    Object.defineProperty(process, "version", { value: "v${version}" });
    require(${JSON.stringify(bin)});`;
  return spawnSync(process.execPath, ["-e", script, "--", "--version"], { encoding: "utf8" });
}

describe("bin/gatehouse.js", () => {
  it.each(["0.10.48", "12.22.0", "18.20.8", "20.18.3"])("refuses Node %s in one sentence", (version) => {
    const { status, stderr } = runAsNode(version);
    expect(stderr).toBe(`gatehouse: Node.js 20.19 or newer is needed, this is v${version}\n`);
    expect(status).toBe(1);
  });

  it.each(["20.19.0", "22.0.0", "24.1.0"])("goes on with Node %s", (version) => {
    expect(runAsNode(version).stderr).not.toContain("is needed");
  });

  it("is written so that old Nodes can parse it", () => {
    const code = readFileSync(bin, "utf8").replaceAll(/\/\/.*$/gm, "");
    expect(code).toContain("require(");
    expect(code).not.toMatch(/=>|\b(const|let|class|async|await|import)\b|`|\?\?|\?\./);
  });
});

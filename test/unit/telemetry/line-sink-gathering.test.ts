// Lines that come close together leave in one write; closing writes what waits.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { openFileLines } from "../../../src/telemetry/line-sink.ts";

const writes = vi.hoisted(() => ({ count: 0 }));
vi.mock("node:fs", async (importOriginal) => {
  const fs = await importOriginal<typeof import("node:fs")>();
  const write = (...args: Parameters<typeof fs.write>): void => {
    writes.count += 1;
    fs.write(...args);
  };
  return { ...fs, write };
});

it("gathers what comes while a write is under way, too", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lines-"));
  const sink = openFileLines(join(folder, "log"));
  writes.count = 0;
  const startedMs = performance.now();
  let lines = 0;
  for (; performance.now() - startedMs < 200; lines++) {
    sink.write(`line ${lines}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await sink.close();
  // One each 25 ms, and the last.
  expect(writes.count).toBeLessThanOrEqual((performance.now() - startedMs) / 25 + 2);
  expect(readFileSync(join(folder, "log"), "utf8").split("\n")).toHaveLength(lines + 1);
  rmSync(folder, { recursive: true });
});

it("close() writes lines that are still being gathered", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lines-"));
  const path = join(folder, "log");
  const sink = openFileLines(path);
  for (let index = 0; index < 100; index++) sink.write(`line ${index}`);
  await sink.close();
  const lines = readFileSync(path, "utf8").split("\n");
  expect(lines).toHaveLength(101);
  expect(lines[99]).toBe("line 99");
  rmSync(folder, { recursive: true });
});

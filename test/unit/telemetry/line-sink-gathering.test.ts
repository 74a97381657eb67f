// Lines that come close together leave in one write; closing writes what waits.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openFileLines } from "../../../src/telemetry/line-sink.ts";

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

import { describe, expect, it } from "vitest";
import { formatByteSize, parseByteSize } from "../../../src/base/byte-size.ts";
import { formatDuration, parseDuration } from "../../../src/base/duration.ts";
import { nearestName } from "../../../src/base/nearest-name.ts";

describe("parseDuration()", () => {
  it.each([
    ["0", 0],
    ["0s", 0],
    ["500ms", 500],
    ["10s", 10_000],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000],
    [".5s", 500],
    ["1h0m1s", 3_601_000],
    ["250us", 0.25],
    ["+5s", 5000],
    ["2562047h", 2562047 * 3_600_000],
  ])("reads %s", (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each([
    "",
    " ",
    "10",
    "-1s",
    "1 s",
    "s",
    "1d",
    "1h30",
    ".s",
    "1e3s",
    "Infinity",
    "9".repeat(400),
    "1S",
    "1h 1m",
  ])("refuses %j", (text) => {
    expect(parseDuration(text)).toBeNull();
  });

  it("reads back what formatDuration() writes", () => {
    for (const milliseconds of [0, 0.25, 1, 500, 999, 1000, 1500, 10_000, 60_000, 5_400_000, 28_800_000]) {
      expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds);
    }
    expect(formatDuration(28_800_000)).toBe("8h");
    expect(formatDuration(5_400_000)).toBe("1h30m");
  });
});

describe("parseByteSize()", () => {
  it.each([
    ["4096", 4096],
    ["64MiB", 67_108_864],
    ["64M", 67_108_864],
    ["1 GB", 1_000_000_000],
    ["0.5KiB", 512],
    ["0", 0],
  ])("reads %s", (text, bytes) => {
    expect(parseByteSize(text)).toBe(bytes);
  });

  it.each(["", "MiB", "-1", "1.0000001KiB", "1XB", "1e3", "9999999999999999TiB"])("refuses %j", (text) => {
    expect(parseByteSize(text)).toBeNull();
  });

  it("reads back what formatByteSize() writes", () => {
    for (const bytes of [0, 1, 1023, 1024, 1536, 67_108_864, 536_870_912]) {
      expect(parseByteSize(formatByteSize(bytes))).toBe(bytes);
    }
    expect(formatByteSize(67_108_864)).toBe("64MiB");
  });
});

describe("nearestName()", () => {
  const known = ["mysql_server_port", "mysql_server_bind_address", "port", "log_level"];
  it.each([
    ["mysql_server_prot", "mysql_server_port"],
    ["mysql-server-port", "mysql_server_port"],
    ["prot", "port"],
    ["LogLevel", "log_level"],
    ["zzzzzzzz", null],
    ["", null],
    ["x".repeat(100_000), null],
  ])("for %s is %s", (written, expected) => {
    expect(nearestName(written, known)).toBe(expected);
  });
});

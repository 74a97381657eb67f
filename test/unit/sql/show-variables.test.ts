import { performance } from "node:perf_hooks";
import { describe, expect, it } from "vitest";
import { isLike } from "../../../src/sql/show-variables.ts";

describe("isLike()", () => {
  it.each([
    ["check_proxy_users", "%proxy%", true],
    ["check_proxy_users", "check\\_proxy\\_users", true],
    ["check_proxy_users", "check_proxy_user", false],
    ["check_proxy_users", "check%users", true],
    ["check_proxy_users", "%", true],
    ["check_proxy_users", "", false],
    ["check_proxy_users", "%_users%%", true],
    ["check_proxy_users", "%users_", false],
    ["check_proxy_users", "check%%%proxy_______", false],
    ["check_proxy_users", "check%%%proxy______", true],
    ["a%b", "a\\%b", true],
    ["axb", "a\\%b", false],
    ["ab", "a\\", false],
    ["a\\", "a\\", true],
    ["aab", "%ab", true],
  ])("%s LIKE %s: %s", (name, pattern, expected) => {
    expect(isLike(name, pattern)).toBe(expected);
  });

  it("takes time in proportion to both lengths, whatever the pattern is", () => {
    const began = performance.now();
    expect(isLike("check_proxy_users_of_some_length", `${"%_".repeat(100_000)}x`)).toBe(false);
    expect(isLike("c".repeat(200), `${"%c".repeat(150)}x`)).toBe(false);
    expect(performance.now() - began).toBeLessThan(2000);
  });
});

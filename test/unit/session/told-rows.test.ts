import { describe, expect, it } from "vitest";
import { rowTruthOf } from "../../../src/session/told-rows.ts";
import { noProxyUsers } from "../../../src/users/proxy-users.ts";
import type { ColumnDefinition } from "../../../src/wire/packets/column-definition.ts";
import { identityOf } from "../../session/harness.ts";

const peer = { transport: "tcp", address: "192.0.2.1", port: 1, host: "192.0.2.1", tls: null } as const;
const identity = {
  ...identityOf({ user: "alice", peer } as unknown as Parameters<typeof identityOf>[0]),
  proxyUser: "'anna'@'%'",
};
const truth = {
  identity,
  connectionId: 77,
  proxyUsers: { ...noProxyUsers, checkProxyUsers: true },
  serviceUser: "svc",
};
const columns = (names: readonly string[], schema = "", type = 253): ColumnDefinition[] =>
  names.map((name) => ({
    name,
    collation: 45,
    length: 100,
    type: /^C.?o/.test(name) ? 3 : type,
    flags: 0,
    decimals: 0,
    origin: { database: schema, table: "", originalTable: "", originalName: "" },
  }));
const variables = columns(["Variable_name", "Value"], "performance_schema");
const bytes = (...values: string[]) => values.map((value) => Buffer.from(value));

describe("rowTruthOf()", () => {
  it.each([
    ["proxy_user", "'anna'@'%'"],
    ["pseudo_thread_id", "77"],
    ["check_proxy_users", "ON"],
    ["sha256_password_proxy_users", "OFF"],
    ["external_user", ""],
    ["sql_mode", null],
    ["proxy_user_x", null],
  ])("tells the variable %s", (name, value) => {
    const told = rowTruthOf(variables, truth)?.tell(bytes(name, "x")) ?? null;
    expect(told === null ? null : Buffer.from(told).toString()).toBe(value);
  });

  it("names the client in messages, in wide characters too", () => {
    const wide = (text: string) => Buffer.from(text, "utf16le").swap16();
    const headings = ["Level", "Code", "Message"];
    const message = "denied to user 'svc'@'h' for";
    const told = rowTruthOf(columns(headings), truth)?.tell(bytes("Error", "1142", message));
    expect(String(told)).toBe("denied to user 'alice'@'192.0.2.1' for");
    const wideHeadings = headings.map((heading) => wide(heading).toString());
    const answer = rowTruthOf(columns(wideHeadings), truth)?.tell([
      wide("Error"),
      wide("1044"),
      wide(message),
    ]);
    expect(
      Buffer.from(answer ?? [])
        .swap16()
        .toString("utf16le"),
    ).toBe("denied to user 'alice'@'%' for");
  });

  it("leaves other results alone", () => {
    expect(rowTruthOf(columns(["Level", "Code"]), truth)).toBeNull();
    expect(rowTruthOf(columns(["Level", "Code", "Message"], "", 3), truth)).toBeNull();
    expect(rowTruthOf(columns(["Variable_name", "Value"], "shop"), truth)).toBeNull();
    expect(rowTruthOf(columns(["Variable_name", "Value"], "information_schema"), truth)).not.toBeNull();
    expect(rowTruthOf(columns(["Variable_name", "Value", "x"]), truth)).toBeNull();
  });
});

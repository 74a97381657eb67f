import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { formatProblem } from "../../../src/base/problem.ts";
import { parseTabletAddress } from "../../../src/routing/tablet-address.ts";
import { formatTarget, parseTarget } from "../../../src/routing/target.ts";
import { parseTopologyFile } from "../../../src/routing/topology-file.ts";

const db1 = { alias: "db1", type: "primary", address: "db1:3306" };
const db2 = { alias: "db2", type: "replica", address: "[::1]:3307" };
const accounts = { default: { user: "gatehouse", password_file: "secret" } };

function parse(content: unknown) {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return parseTopologyFile({ text, path: "/etc/gatehouse/topology.json" });
}

function problemsOf(content: unknown): string[] {
  const result = parse(content);
  return result.ok
    ? []
    : result.problems.map((problem) => formatProblem(problem).replace(/^.*topology\.json:/, ""));
}

function sentencesOf(content: unknown): string[] {
  return problemsOf(content).map((line) => line.replace(/^[\d:]+ /, ""));
}

/** A good file but for some parts. */
function withParts(parts: object): object {
  return { keyspaces: { shop: { tablets: [db1, db2] } }, accounts, ...parts };
}

describe("parseTarget()", () => {
  it.each([
    ["shop", { keyspace: "shop", tabletType: null }],
    ["shop@primary", { keyspace: "shop", tabletType: "primary" }],
    ["shop@REPLICA", { keyspace: "shop", tabletType: "replica" }],
    ["shop@rdonly", { keyspace: "shop", tabletType: "rdonly" }],
    ["@replica", { keyspace: null, tabletType: "replica" }],
    ["a@b@replica", { keyspace: "a@b", tabletType: "replica" }],
  ] as const)("reads %s", (text, target) => {
    expect(parseTarget(text)).toEqual(target);
    expect(formatTarget(target).toLowerCase()).toBe(text.toLowerCase());
  });

  it.each(["", "@", "shop@", "shop@master", "shop@replica ", "@shop"])("refuses '%s'", (text) => {
    expect(parseTarget(text)).toBe(null);
  });
});

describe("parseTabletAddress()", () => {
  it.each([
    ["db1:3306", { kind: "tcp", host: "db1", port: 3306 }],
    ["10.0.0.1:1", { kind: "tcp", host: "10.0.0.1", port: 1 }],
    ["[2001:db8::1]:3306", { kind: "tcp", host: "2001:db8::1", port: 3306 }],
    ["/run/mysqld.sock", { kind: "unix", path: "/run/mysqld.sock" }],
  ])("reads %s", (text, address) => {
    expect(parseTabletAddress(text)).toEqual(address);
  });

  it.each([
    "db1",
    "db1:",
    "db1:0",
    "db1:65536",
    ":3306",
    "::1:3306",
    "db 1:3306",
    "user@db1:3306",
    `/${"x".repeat(107)}`,
  ])("refuses '%s'", (text) => {
    expect(typeof parseTabletAddress(text)).toBe("string");
  });
});

describe("parseTopologyFile()", () => {
  it("reads everything that the format has", () => {
    const tls = { mode: "VERIFY_IDENTITY", ca: "ca.pem", cert: "/tls/cert.pem", key: "/tls/key.pem" };
    const result = parse({
      keyspaces: {
        shop: {
          database: "shop_db",
          monitor: "galera",
          max_replica_lag: "10s",
          health_interval: "250ms",
          health_failures: 5,
          failback_checks: 30,
          tablets: [{ ...db1, tls }, db2],
        },
        crm: { tablets: [{ ...db1, tls }] },
      },
      accounts: {
        ...accounts,
        monitor: { user: "watch", password_env: "WATCH_PASSWORD" },
        by_user_data: { "bi_%": { user: "reporting", password_file: "/secrets/bi" } },
      },
      routing_rules: [
        { user_data: ["reporting", "bi_%"], target: "shop@replica" },
        { groups: ["web"], target: "shop", reads: "shop@replica", read_your_writes: "2s" },
      ],
      default_target: "shop",
    });
    if (!result.ok) throw new Error(result.problems.map(formatProblem).join("\n"));
    const { topology } = result;
    const shop = topology.keyspaces.get("shop");
    expect(shop).toMatchObject({
      name: "shop",
      database: "shop_db",
      monitor: "galera",
      maxReplicaLagMs: 10_000,
      healthIntervalMs: 250,
      healthFailures: 5,
      failbackChecks: 30,
    });
    expect(shop?.tablets[0]?.tablet).toEqual({
      alias: "db1",
      address: { kind: "tcp", host: "db1", port: 3306 },
      tls: { ...tls, ca: "/etc/gatehouse/ca.pem" },
    });
    const crm = topology.keyspaces.get("crm");
    expect(crm).toMatchObject({
      database: "crm",
      monitor: "read_only",
      maxReplicaLagMs: null,
      healthIntervalMs: 1000,
      healthFailures: 3,
      failbackChecks: 0,
    });
    // One server is one object, in however many keyspaces it stands.
    expect(crm?.tablets[0]?.tablet).toBe(shop?.tablets[0]?.tablet);
    expect(topology.accounts).toEqual({
      default: {
        name: "default",
        user: "gatehouse",
        secret: { kind: "file", path: "/etc/gatehouse/secret" },
      },
      monitor: { name: "monitor", user: "watch", secret: { kind: "env", variable: "WATCH_PASSWORD" } },
      byUserData: new Map([
        ["bi_%", { name: "bi_%", user: "reporting", secret: { kind: "file", path: "/secrets/bi" } }],
      ]),
    });
    expect(topology.rules).toEqual([
      {
        userData: ["reporting", "bi_%"],
        groups: [],
        target: { keyspace: "shop", tabletType: "replica" },
        reads: null,
        readYourWritesMs: null,
      },
      {
        userData: [],
        groups: ["web"],
        target: { keyspace: "shop", tabletType: null },
        reads: "replica",
        readYourWritesMs: 2000,
      },
    ]);
    expect(topology.defaultTarget).toEqual({ keyspace: "shop", tabletType: null });
    expect(result.warnings).toEqual([]);
  });

  it("tells every problem with its place, and suggests the nearest name", () => {
    const text = `{
  "keyspaces": { "shop": { "tablets": [
    { "alias": "db1", "type": "primary", "address": "db1" },
    { "alias": "db1", "type": "replica", "address": "db2:3306" } ] } },
  "accounts": { "default": { "user": "gatehouse" } },
  "routing_rules": [ { "user_data": ["a"], "target": "shp@replica" } ],
  "default_target": "shop@master"
}`;
    expect(problemsOf(text)).toEqual([
      `3:53: Key 'address' must be "host:port", "[ipv6]:port" or the path of a unix socket`,
      `4:16: Alias "db1" stands twice in this keyspace`,
      `5:28: Account "default" must have either 'password_file' or 'password_env': an account without a password is not used`,
      `6:54: There is no keyspace "shp": did you mean "shop"?`,
      `7:21: Target "shop@master" must end with a tablet type behind '@': primary, replica, rdonly`,
    ]);
  });

  it("refuses unknown and repeated keys", () => {
    expect(sentencesOf(withParts({ keyspace: {} }))[0]).toContain("did you mean 'keyspaces'?");
    expect(
      sentencesOf(withParts({ keyspaces: { shop: { tablets: [{ ...db1, adress: "x" }] } } }))[0],
    ).toContain("did you mean 'address'?");
    expect(problemsOf('{ "keyspaces": {}, "keyspaces": {}, "accounts": {} }').join()).toContain(
      "Duplicate key",
    );
    expect(problemsOf({ keyspaces: {}, accounts }).length).toBe(1);
    expect(problemsOf({ accounts }).join()).toContain("'keyspaces'");
    expect(problemsOf({ keyspaces: { shop: { tablets: [] } }, accounts }).length).toBe(1);
  });

  it.each([
    [{ "sh@op": { tablets: [db1] } }, "behind '@' stands a tablet type"],
    [{ mysql: { tablets: [db1] } }, "every server has a schema of this name"],
    [{ "": { tablets: [db1] } }, "the name is empty"],
    [{ shop: { tablets: [db1] }, Shop: { tablets: [db1] } }, "differ in case only"],
    [{ shop: { database: "sys", tablets: [db1] } }, "the server's own schema"],
    [
      { shop: { tablets: [db1] }, crm: { tablets: [{ ...db1, address: "x:1" }] } },
      "is another server in keyspace",
    ],
    [{ shop: { tablets: [db1, { ...db1, alias: "twin" }] } }, "has the same address"],
    [{ shop: { monitor: "none", tablets: [db1, { ...db2, type: "primary" }] } }, "there can be only one"],
    [{ shop: { health_interval: "1ms", tablets: [db1] } }, "at least 50ms"],
    [{ shop: { health_interval: "soon", tablets: [db1] } }, "must be a duration"],
    [{ shop: { failback_checks: 3, tablets: [db1] } }, "has no effect without"],
    [{ shop: { tablets: [{ ...db1, alias: "a b" }] } }, "letters, digits"],
    [{ shop: { tablets: [{ ...db1, tls: { cert: "x" } }] } }, "given together"],
    [{ shop: { tablets: [{ ...db1, tls: { mode: "DISABLED", ca: "x" } }] } }, "no effect"],
  ])("refuses keyspaces %#", (keyspaces, sentence) => {
    expect(sentencesOf({ keyspaces, accounts }).join("\n")).toContain(sentence);
  });

  it.each([
    [{ target: "shop" }, "must say whom it is for"],
    [{ user_data: ["a%b"], target: "shop" }, "at its end only"],
    [{ user_data: ["a"], target: "@replica" }, "must name a keyspace"],
    [{ user_data: ["a"], target: "shop", reads: "shop" }, "must end with '@replica'"],
    [{ user_data: ["a"], target: "shop", reads: "crm@replica" }, "of the keyspace that 'target' names"],
    [{ user_data: ["a"], target: "shop@replica", reads: "shop@rdonly" }, "has no effect"],
    [{ user_data: ["a"], target: "shop", read_your_writes: "1s" }, "has no effect without 'reads'"],
  ])("refuses rule %#", (rule, sentence) => {
    const keyspaces = { shop: { tablets: [db1] }, crm: { tablets: [db2] } };
    expect(sentencesOf({ keyspaces, accounts, routing_rules: [rule] }).join("\n")).toContain(sentence);
  });

  it("refuses accounts with two passwords, and names that have a role", () => {
    const two = { default: { user: "a", password_file: "x", password_env: "Y" } };
    expect(sentencesOf(withParts({ accounts: two }))[0]).toContain(
      "either 'password_file' or 'password_env'",
    );
    const role = { ...accounts, by_user_data: { monitor: { user: "x", password_env: "Y" } } };
    expect(sentencesOf(withParts({ accounts: role }))[0]).toContain("choose another UserData");
    const odd = { default: { user: "a", password_env: "not a name" } };
    expect(sentencesOf(withParts({ accounts: odd }))[0]).toContain("environment variable");
  });

  it("warns of what has no effect", () => {
    const rule = { user_data: ["%"], target: "shop" };
    const result = parse(withParts({ routing_rules: [rule, { user_data: ["a"], target: "shop@replica" }] }));
    expect(result.ok && result.warnings.map(({ message }) => message)).toEqual([
      "This rule decides nothing: the rule before it, number 1, is for everybody",
    ]);
    const readers = { keyspaces: { shop: { monitor: "none", tablets: [db2] } }, accounts };
    const warned = parse(readers);
    expect(warned.ok && warned.warnings[0]?.message).toContain("nothing can be written");
  });
});

describe("docs/examples/topology.json", () => {
  it("is a good file without a warning", () => {
    const path = new URL("../../../docs/examples/topology.json", import.meta.url);
    const result = parseTopologyFile({ text: readFileSync(path), path: path.pathname });
    expect(result).toMatchObject({ ok: true, warnings: [] });
  });
});

import { beforeEach, describe, expect, it } from "vitest";
import { SqlError } from "../../../src/errors/sql-error.ts";
import type { Identity } from "../../../src/identity/identity.ts";
import type { KeyspaceState } from "../../../src/routing/keyspace-state.ts";
import type { Route, Tablet } from "../../../src/routing/route.ts";
import { NoPrimary, type RouteRequest } from "../../../src/routing/router.ts";
import type { Target } from "../../../src/routing/target.ts";
import type { Topology } from "../../../src/routing/topology.ts";
import { parseTopologyFile } from "../../../src/routing/topology-file.ts";
import { TopologyRouter } from "../../../src/routing/topology-router.ts";
import { analyzeText } from "../../../src/sql/analyze.ts";
import { defaultReadingModes } from "../../../src/sql/dialect.ts";

const secret = { password_env: "X" };
const tablet = (alias: string, type: string) => ({ alias, type, address: `${alias}:3306` });

/** shop on a, b, c (rdonly); crm on a and b as well; far on z; other is called `elsewhere` on its server. */
const file = {
  keyspaces: {
    shop: { tablets: [tablet("a", "primary"), tablet("b", "replica"), tablet("c", "rdonly")] },
    crm: { tablets: [tablet("a", "primary"), tablet("b", "replica")] },
    far: { tablets: [tablet("z", "primary")] },
    other: { database: "elsewhere", tablets: [tablet("a", "primary")] },
  },
  accounts: {
    default: { user: "svc", ...secret },
    by_user_data: { "bi_%": { user: "bi", ...secret }, bi_chief: { user: "chief", ...secret } },
  },
  routing_rules: [
    { user_data: ["report%"], target: "shop@replica" },
    { groups: ["web"], target: "shop", reads: "shop@replica", read_your_writes: "1s" },
    { user_data: ["crmer"], target: "crm" },
  ],
  default_target: "shop",
};

function parse(content: object): Topology {
  const result = parseTopologyFile({ text: JSON.stringify(content), path: "/t.json" });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.topology;
}

function person(username: string, groups: readonly string[] = []): Identity {
  return { callerId: { username, groups }, authUser: username, peer: { host: "h" } } as unknown as Identity;
}

let topology: Topology;
let states: Map<string, KeyspaceState>;
let folds = false;
let router: TopologyRouter;

function build(content: object): void {
  topology = parse(content);
  states = new Map();
  for (const { name, tablets } of topology.keyspaces.values()) {
    const of = (type: string): Tablet[] =>
      tablets.filter((one) => one.type === type).map((one) => one.tablet);
    const primary = of("primary")[0] ?? null;
    states.set(name, { primary, noPrimaryBecause: null, replicas: of("replica"), rdonly: of("rdonly") });
  }
  router = new TopologyRouter({
    topology,
    states: { generation: 7, keyspace: (name) => states.get(name) ?? null },
    account: (name) => ({ name, user: name, password: () => "", generation: 1 }),
    foldsCase: () => folds,
  });
}

beforeEach(() => {
  folds = false;
  build(file);
});

function request(sql: string | null, more: Partial<RouteRequest> = {}): RouteRequest {
  const database = more.database === undefined ? "shop" : more.database;
  const context = {
    modes: defaultReadingModes,
    flavour: "mysql",
    version: 80400,
    characterSet: "utf8",
    defaultSchema: database,
    lowerCaseTableNames: 0,
  } as const;
  return {
    target: { keyspace: database === "information_schema" ? "shop" : database, tabletType: null },
    database,
    statements: sql === null ? null : analyzeText(Buffer.from(sql), context).statements,
    readsMayLeave: true,
    held: null,
    stuck: null,
    spread: 0,
    ...more,
  };
}

function goes(sql: string | null, more: Partial<RouteRequest> = {}, who: Identity = person("app")): string {
  const route = router.route(who, request(sql, more));
  if (route instanceof SqlError) return `${route.code} ${route.message}`;
  if (route instanceof NoPrimary) return `no primary of ${route.keyspace}: ${route.because}`;
  return `${route.tablet.alias} ${route.tabletType} ${route.database} ${route.account.name}`;
}

function routeOf(sql: string | null, more: Partial<RouteRequest> = {}): Route {
  const route = router.route(person("app"), request(sql, more));
  if (route instanceof SqlError || route instanceof NoPrimary) throw new Error(String(route));
  return route;
}

const at = (keyspace: string | null, tabletType: Target["tabletType"] = null): Target => ({
  keyspace,
  tabletType,
});

describe("TopologyRouter.route()", () => {
  it("sends a session to the primary of its keyspace, into the schema as the server calls it", () => {
    expect(goes(null)).toBe("a primary shop default");
    expect(goes("select * from t")).toBe("a primary shop default");
    expect(goes("select 1", { database: "other" })).toBe("a primary elsewhere default");
    expect(goes("insert into t values (1)", { database: "far" })).toBe("z primary far default");
  });

  it("sends it to the kind of tablet that its target names", () => {
    expect(goes("select * from t", { target: at("shop", "replica") })).toBe("b replica shop default");
    expect(goes("select * from t", { target: at("shop", "rdonly") })).toBe("c rdonly shop default");
    expect(goes("select * from t", { target: at("shop", "primary") })).toBe("a primary shop default");
  });

  it("follows the names in a text", () => {
    expect(goes("select * from far.t")).toBe("z primary far default");
    // Where both are, the session's own schema stays the default one.
    expect(goes("select * from crm.t")).toBe("a primary shop default");
    expect(goes("select * from t join crm.u using (id)")).toBe("a primary shop default");
    expect(goes("select f(1) from far.t")).toMatch(/^1235 .*'shop' and 'far' in one statement/);
    expect(goes("select far.f(1)")).toBe("z primary far default");
    expect(goes("select database() from far.t")).toMatch(/^1235 /);
    expect(goes("select * from far.t", { database: null, target: at(null) })).toBe("z primary null default");
    expect(goes("show tables from far")).toBe("z primary far default");
    expect(goes("select 1; select * from far.t")).toBe("z primary far default");
  });

  it("refuses what needs two servers at once", () => {
    const sentence = /^1235 .*'shop' and 'far' in one statement: these keyspaces are on different servers/;
    expect(goes("select * from t join far.u")).toMatch(sentence);
    expect(goes("insert into t select * from far.u")).toMatch(sentence);
    expect(goes("select * from t; select * from far.u")).toMatch(sentence);
    expect(goes("select * from crm.t, far.u")).toMatch(/^1235 .*'crm' and 'far'/);
  });

  it("knows no schemas but keyspaces and the server's own", () => {
    expect(goes("select * from nosuch.t")).toBe("1049 Unknown database 'nosuch'");
    expect(goes("update nosuch.t set a = 1")).toBe("1049 Unknown database 'nosuch'");
    expect(goes("show tables from nosuch")).toBe("1049 Unknown database 'nosuch'");
    expect(goes("drop database nosuch")).toBe("1049 Unknown database 'nosuch'");
    expect(goes("create database nosuch")).toMatch(/^1235 .*making database 'nosuch': it is no keyspace/);
    expect(goes("create database far")).toBe("z primary null default");
    expect(goes("select * from information_schema.tables")).toBe("a primary shop default");
    expect(goes("select * from mysql.user", { database: "far" })).toBe("z primary far default");
    expect(goes("select * from tables", { database: "information_schema" })).toBe(
      "a primary information_schema default",
    );
    expect(goes("select * from other.t")).toMatch(/^1235 .*'other' before a name/);
    expect(goes("select * from elsewhere.t")).toBe("1049 Unknown database 'elsewhere'");
    // In it, its own name is not written: what names no schema is in it.
    for (const sql of ["drop trigger x", "drop event x", "show tables", "alter table t add b int"])
      expect([sql, goes(sql, { database: "other" })]).toEqual([sql, "a primary elsewhere default"]);
  });

  it("compares names as the servers do", () => {
    expect(goes("select * from FAR.t")).toBe("1049 Unknown database 'FAR'");
    folds = true;
    expect(goes("select * from FAR.t")).toBe("z primary far default");
  });

  it("refuses to write on a target that serves reads", () => {
    const target = at("shop", "replica");
    for (const sql of [
      "insert into t values (1)",
      "update t set a = 1",
      "delete from t",
      "replace into t values (1)",
      "create table t (a int)",
      "drop table t",
      "truncate t",
      "load data local infile 'x' into table t",
      "create procedure p() select 1",
      "drop database shop",
      "this is not sql at all",
      "select 1; insert into t values (1)",
    ])
      expect([sql, goes(sql, { target })]).toEqual([
        sql,
        expect.stringMatching(/^1290 .*--read-only option/),
      ]);
    for (const sql of ["set @a = 1", "begin", "select * from t for update", "call p()", "show tables"])
      expect([sql, goes(sql, { target })]).toEqual([sql, "b replica shop default"]);
  });

  it("follows the first rule that names the client and is about its keyspace", () => {
    const reporter = person("reporting");
    expect(goes("select 1", { database: null, target: at(null) }, reporter)).toBe("b replica null default");
    expect(goes("select * from t", {}, reporter)).toBe("b replica shop default");
    expect(goes("insert into t values (1)", {}, reporter)).toMatch(/^1290 /);
    expect(goes("select * from t", { database: "far" }, reporter)).toBe("z primary far default");
    expect(goes("select * from far.t", {}, reporter)).toBe("z primary far default");
    expect(goes("select 1", { database: null, target: at(null) }, person("crmer"))).toBe(
      "a primary null default",
    );
    // Nobody leaves the tablets that a rule allows by naming others, be it in USE or before a name.
    expect(goes("select 1", { target: at("shop", "primary") }, reporter)).toMatch(/^1044 .*'shop@primary'/);
    expect(goes("insert into shop.t values (1)", { database: "far" }, reporter)).toMatch(/^1290 /);
  });

  it("sends reads of those with a reads rule to replicas, and nothing else", () => {
    const web = person("app", ["web"]);
    expect(router.routedBy).toBe("everything");
    for (const sql of [
      "select * from t",
      "select count(*) from t join shop.u using (id)",
      "(select a from t) union (select 1)",
    ])
      expect([sql, goes(sql, {}, web)]).toEqual([sql, "b replica shop default"]);
    for (const sql of [
      "insert into t values (1)",
      "select * from t for update",
      "select * from t lock in share mode",
      "select @a := 1 from t",
      "select * from t into outfile 'x'",
      "select f(a) from t",
      "select get_lock('a', 1) from t",
      "select last_insert_id() from t",
      "select sql_calc_found_rows * from t",
      "select * from information_schema.tables",
      "select 1",
      "show tables",
      "set names utf8mb4",
      "begin",
      "select * from t; insert into t values (1)",
      "select * from crm.t",
      "explain analyze select * from t",
    ])
      expect([sql, goes(sql, {}, web)]).toEqual([sql, "a primary shop default"]);
    expect(goes("select * from t", { readsMayLeave: false }, web)).toBe("a primary shop default");
    expect(goes("select * from t", { target: at("shop", "primary") }, web)).toBe("a primary shop default");
    expect(goes("select * from t", {}, person("app"))).toBe("a primary shop default");
  });

  it("reads from the primary where no replica can serve, and the other way round waits for nobody", () => {
    const web = person("app", ["web"]);
    const shop = states.get("shop");
    if (shop === undefined) throw new Error("no shop");
    states.set("shop", { ...shop, replicas: [] });
    expect(goes("select * from t", {}, web)).toBe("a primary shop default");
    expect(goes("select * from t", { target: at("shop", "replica") })).toBe("3168 Server isn't available");
    states.set("shop", { ...shop, primary: null, noPrimaryBecause: "Nobody takes writes" });
    expect(goes("select * from t", {}, web)).toBe("b replica shop default");
    expect(goes("insert into t values (1)", {}, web)).toBe("no primary of shop: Nobody takes writes");
    expect(goes("select 1; select * from far.t")).toBe("z primary far default");
  });

  it("spreads sessions over replicas", () => {
    build({
      ...file,
      keyspaces: {
        shop: { tablets: [tablet("a", "primary"), tablet("b", "replica"), tablet("d", "replica")] },
      },
      routing_rules: [],
    });
    const target = at("shop", "replica");
    expect(router.routedBy).toBe("names");
    expect([4, 5, 6].map((spread) => goes("select 1", { target, spread }).slice(0, 1))).toEqual([
      "b",
      "d",
      "b",
    ]);
  });

  it("lets a session that cannot leave its connection do what that connection's server can", () => {
    const held = routeOf(null);
    const stuck = { held, stuck: "a transaction", readsMayLeave: false };
    expect(routeOf("insert into t values (1)", stuck)).toBe(held);
    expect(routeOf("commit", stuck)).toBe(held);
    expect(routeOf("select * from crm.t", stuck)).toBe(held);
    expect(goes("select * from far.t", stuck)).toMatch(
      /^1235 .*'far' now: the session cannot leave another server because of a transaction/,
    );
    const far = { ...stuck, held: routeOf("select * from far.t") };
    expect(routeOf("commit", far)).toBe(far.held);
    expect(goes("select * from t", far)).toMatch(/^1235 .*'shop' now/);
    for (const sql of [
      "show tables",
      "show table status",
      "show triggers",
      "select database()",
      "what is this",
      "call p()",
    ])
      expect([sql, goes(sql, far)]).toEqual([sql, expect.stringMatching(/^1235 .*'shop' now/)]);
    for (const sql of [
      "kill query 5",
      "xa end 'x'",
      "xa commit 'x'",
      "show variables",
      "unlock tables",
      "select 1",
      "set @a = 1",
    ])
      expect([sql, routeOf(sql, far)]).toEqual([sql, far.held]);
    // What the statement before has left is where that ran.
    expect(routeOf("show warnings", { held: far.held })).toBe(far.held);
    expect(goes("select 1", { held: far.held })).toBe("a primary shop default");
    // Even while the keyspace has no primary: whoever watches the servers decides how transactions end.
    const shop = states.get("shop");
    if (shop !== undefined) states.set("shop", { ...shop, primary: null });
    expect(routeOf("insert into t values (1)", stuck)).toBe(held);
  });

  it("lets what was begun end after the keyspace has moved or gone, and nothing else", () => {
    const held = routeOf(null);
    const stuck = { held, stuck: "a transaction", readsMayLeave: false };
    const { shop, ...others } = file.keyspaces;
    build({
      ...file,
      keyspaces: { ...others, shop: { tablets: [tablet("n", "primary")] } },
      routing_rules: [],
    });
    expect(routeOf("insert into t values (1)", stuck)).toBe(held);
    expect(goes("insert into t values (1)", { held })).toBe("n primary shop default");
    build({ ...file, keyspaces: others, routing_rules: [], default_target: "crm" });
    expect(shop).toBeDefined();
    expect(routeOf("insert into t values (1)", stuck)).toBe(held);
    expect(routeOf("commit", stuck)).toBe(held);
    expect(goes("insert into t values (1)", { held })).toBe("1049 Unknown database 'shop'");
    // A statement that was prepared there.
    const { statements } = request("select * from t");
    expect(goes(null, { statements, database: "crm" })).toBe("1049 Unknown database 'shop'");
    expect(goes("commit", { database: "crm" })).toBe("a primary crm default");
  });

  it("refuses USE where nobody could follow it", () => {
    expect(goes("use far; select 1")).toMatch(/^1235 .*USE together with other statements/);
    expect(goes("select 1; use far")).toMatch(/^1235 /);
  });

  it("chooses the account by UserData, the longest prefix first", () => {
    expect(goes("select 1", {}, person("bi_a"))).toBe("a primary shop bi_%");
    expect(goes("select 1", {}, person("bi_chief"))).toBe("a primary shop bi_chief");
    expect(goes("select 1", {}, person("bi"))).toBe("a primary shop default");
  });
});

describe("TopologyRouter.enter()", () => {
  const nowhere = { target: at(null), database: null };
  const enter = (
    written: string,
    current: Parameters<TopologyRouter["enter"]>[2] = nowhere,
    who = person("app"),
  ) => {
    const entered = router.enter(who, written, current);
    return entered instanceof SqlError ? `${entered.code} ${entered.message}` : entered;
  };

  it("reads keyspaces, targets and the server's own schemas", () => {
    expect(enter("far")).toEqual({ target: at("far"), database: "far" });
    expect(enter("shop@replica")).toEqual({ target: at("shop", "replica"), database: "shop" });
    expect(enter("@rdonly", { target: at("shop"), database: "shop" })).toEqual({
      target: at("shop", "rdonly"),
      database: "shop",
    });
    expect(enter("INFORMATION_SCHEMA", { target: at("far", "replica"), database: "far" })).toEqual({
      target: at("far", "replica"),
      database: "information_schema",
    });
    expect(enter("nosuch")).toBe("1049 Unknown database 'nosuch'");
    expect(enter("shop@master")).toBe("1049 Unknown database 'shop@master'");
    expect(enter("")).toBe("1049 Unknown database ''");
    expect(enter("elsewhere")).toBe("1049 Unknown database 'elsewhere'");
    expect(enter("x".repeat(1_000_000))).toBe(`1049 Unknown database '${"x".repeat(64)}'`);
    expect(enter("__proto__")).toBe("1049 Unknown database '__proto__'");
    folds = true;
    expect(enter("FAR@Replica")).toEqual({ target: at("far", "replica"), database: "far" });
  });

  it("keeps a client to the tablets that its rule names", () => {
    expect(enter("shop@replica", nowhere, person("reporting"))).toMatchObject({ database: "shop" });
    expect(enter("shop@primary", nowhere, person("reporting"))).toMatch(/^1044 /);
    expect(enter("@primary", { target: at("shop"), database: "shop" }, person("reporting"))).toMatch(
      /^1044 /,
    );
    expect(enter("@primary", nowhere, person("reporting"))).toMatch(/^1044 /);
    expect(enter("information_schema@primary", nowhere, person("reporting"))).toMatch(/^1044 /);
  });

  it("begins at the rule's target, the default one, or nowhere", () => {
    expect(router.initial(person("crmer"))).toEqual({ target: at("crm"), database: "crm" });
    expect(router.initial(person("app"))).toEqual({ target: at("shop"), database: "shop" });
    build({ ...file, default_target: undefined });
    expect(router.initial(person("app"))).toEqual({ target: at(null), database: null });
    expect(goes("select 1", { database: null, target: at(null) })).toBe("a primary null default");
  });

  it("lists keyspaces", () => {
    expect(router.list()).toEqual(["crm", "far", "information_schema", "other", "shop"]);
  });
});

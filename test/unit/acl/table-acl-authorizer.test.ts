import { describe, expect, it } from "vitest";
import { AclDenial } from "../../../src/acl/denial.ts";
import type { Permit } from "../../../src/acl/permit.ts";
import { knownShowSubjects, listingOf } from "../../../src/acl/show-rights.ts";
import { knownStatementKinds } from "../../../src/acl/statement-rights.ts";
import { createTableAclAuthorizer, type TableAclSettings } from "../../../src/acl/table-acl-authorizer.ts";
import type { SqlError } from "../../../src/errors/sql-error.ts";
import { bareStatement, type StatementSummary } from "../../../src/sql/statement-summary.ts";
import { aclOf, identityOf } from "./support.ts";

const strict: TableAclSettings = { strict: true, dryRun: false, exempt: [] };
const lists = { R: "readers", W: "writers", A: "admins", X: "executors" } as const;

/** `t:R o:RW f:X` -> an ACL that gives u these roles on tables and routines of schema d. */
function authorizerFor(rights: string, settings = strict) {
  const groups = rights
    .split(" ")
    .filter((item) => item !== "")
    .map((item) => {
      const [name = "", letters = ""] = item.split(":");
      const given = [...letters].map((letter) => [lists[letter as keyof typeof lists], ["u"]]);
      return { isRoutine: name.startsWith("f"), group: [`d.${name}`, Object.fromEntries(given)] as const };
    });
  const tables = groups.filter((item) => !item.isRoutine).map((item) => item.group);
  const routines = groups.filter((item) => item.isRoutine).map((item) => item.group);
  return createTableAclAuthorizer(aclOf(tables, routines), settings);
}

type Shorthand = Partial<Record<"reads" | "writes" | "changes" | "routines" | "routineChanges", string>> &
  Partial<
    Pick<
      StatementSummary,
      "subject" | "innerKinds" | "schemas" | "assigns" | "serverFiles" | "updatableView" | "uncertain"
    >
  > & { use?: string };

function statement(kind: string, shorthand: Shorthand = {}): StatementSummary {
  const { reads, writes, changes, routines, routineChanges, use, ...rest } = shorthand;
  const names = (text = "") =>
    text
      .split(" ")
      .filter((name) => name !== "")
      .map((name) => ({ schema: "d", name, qualified: false }));
  const bare = bareStatement(kind);
  return {
    ...bare,
    ...rest,
    reads: names(reads),
    writes: names(writes),
    changes: names(changes),
    routines: names(routines),
    routineChanges: names(routineChanges),
    effects: { ...bare.effects, use: use ?? null },
  };
}

function answer(rights: string, summary: StatementSummary, settings = strict): string {
  return textOf(authorizerFor(rights, settings).authorize(identityOf("u"), summary));
}

function textOf(result: Permit | SqlError): string {
  return result instanceof AclDenial ? `${result.code} ${result.message}` : "permit";
}

const denied = (word: string, table: string) =>
  `1142 ${word} command denied to user 'u'@'192.0.2.7' for table '${table}'`;

/** kind, summary, every right that is needed, and the words when one of them is missing, first missing first. */
const roles: readonly (readonly [string, StatementSummary, string, Readonly<Record<string, string>>])[] = [
  ["SELECT", statement("SELECT", { reads: "t o" }), "t:R o:R", { t: "SELECT", o: "SELECT" }],
  ["TABLE", statement("TABLE", { reads: "t" }), "t:R", { t: "SELECT" }],
  ["DO", statement("DO", { reads: "t" }), "t:R", { t: "SELECT" }],
  ["SET", statement("SET", { reads: "t" }), "t:R", { t: "SELECT" }],
  ["INSERT", statement("INSERT", { writes: "t", reads: "o" }), "t:W o:R", { t: "INSERT", o: "SELECT" }],
  ["REPLACE", statement("REPLACE", { writes: "t" }), "t:W", { t: "INSERT" }],
  ["UPDATE", statement("UPDATE", { writes: "t", reads: "o" }), "t:W o:R", { t: "UPDATE", o: "SELECT" }],
  ["DELETE", statement("DELETE", { writes: "t", reads: "o" }), "t:W o:R", { t: "DELETE", o: "SELECT" }],
  ["LOAD DATA LOCAL", statement("LOAD DATA", { writes: "t" }), "t:W", { t: "INSERT" }],
  ["TRUNCATE", statement("TRUNCATE", { changes: "t", writes: "t" }), "t:A", { t: "DROP" }],
  ["TRUNCATE as a write", statement("TRUNCATE", { writes: "t" }), "t:A", { t: "DROP" }],
  ["CREATE TABLE", statement("CREATE TABLE", { changes: "t" }), "t:A", { t: "CREATE" }],
  [
    "CREATE TABLE LIKE",
    statement("CREATE TABLE", { changes: "t", reads: "o" }),
    "t:A o:R",
    { t: "CREATE", o: "SELECT" },
  ],
  ["CREATE TABLE SELECT", statement("CREATE TABLE", { changes: "t", writes: "t" }), "t:AW", { t: "CREATE" }],
  [
    "CREATE VIEW",
    statement("CREATE VIEW", { changes: "t", reads: "o" }),
    "t:A o:R",
    { t: "CREATE VIEW", o: "SELECT" },
  ],
  [
    "CREATE VIEW that can be updated",
    statement("CREATE VIEW", { changes: "t", reads: "o", updatableView: true }),
    "t:A o:RW",
    { o: "SELECT" },
  ],
  ["ALTER TABLE", statement("ALTER TABLE", { changes: "t" }), "t:A", { t: "ALTER" }],
  ["DROP TABLE", statement("DROP TABLE", { changes: "t o" }), "t:A o:A", { t: "DROP", o: "DROP" }],
  ["CREATE INDEX", statement("CREATE INDEX", { changes: "t" }), "t:A", { t: "INDEX" }],
  ["CREATE TRIGGER", statement("CREATE TRIGGER", { changes: "t" }), "t:A", { t: "TRIGGER" }],
  [
    "RENAME TABLE",
    statement("RENAME TABLE", { changes: "t o", writes: "o" }),
    "t:A o:AW",
    { t: "ALTER", o: "ALTER" },
  ],
  ["LOCK TABLES READ", statement("LOCK TABLES", { reads: "t" }), "t:R", { t: "LOCK TABLES" }],
  ["LOCK TABLES WRITE", statement("LOCK TABLES", { writes: "t" }), "t:WR", { t: "LOCK TABLES" }],
  ["ANALYZE TABLE", statement("ANALYZE TABLE", { writes: "t" }), "t:WR", { t: "INSERT" }],
  ["OPTIMIZE TABLE", statement("OPTIMIZE TABLE", { changes: "t" }), "t:AWR", { t: "ALTER" }],
  ["REPAIR TABLE", statement("REPAIR TABLE", { writes: "t" }), "t:AWR", { t: "ALTER" }],
  ["CHECK TABLE", statement("CHECK TABLE", { reads: "t" }), "t:R", { t: "SELECT" }],
  ["HANDLER", statement("HANDLER", { reads: "t" }), "t:R", { t: "SELECT" }],
  ["DESCRIBE", statement("DESCRIBE", { reads: "t" }), "t:R", { t: "SELECT" }],
  ["COM_FIELD_LIST", statement("FIELD LIST", { reads: "t" }), "t:R", { t: "SELECT" }],
  ["SHOW CREATE TABLE", statement("SHOW", { subject: "CREATE TABLE", reads: "t" }), "t:R", { t: "SHOW" }],
  ["SHOW COLUMNS", statement("SHOW", { subject: "COLUMNS", reads: "t" }), "t:R", { t: "SELECT" }],
  ["SHOW TABLES WHERE", statement("SHOW", { subject: "TABLES", reads: "t" }), "t:R", { t: "SELECT" }],
  ["EXPLAIN UPDATE", statement("EXPLAIN", { innerKinds: ["UPDATE"], writes: "t" }), "t:W", { t: "UPDATE" }],
  ["ANALYZE DELETE", statement("ANALYZE", { innerKinds: ["DELETE"], writes: "t" }), "t:W", { t: "DELETE" }],
  [
    "PREPARE of TRUNCATE",
    statement("PREPARE", { innerKinds: ["TRUNCATE"], writes: "t" }),
    "t:A",
    { t: "DROP" },
  ],
  [
    "SET STATEMENT FOR",
    statement("SET STATEMENT", { innerKinds: ["SELECT"], reads: "t" }),
    "t:R",
    { t: "SELECT" },
  ],
  [
    "a compound statement with TRUNCATE in it",
    statement("COMPOUND", { innerKinds: ["DELETE", "TRUNCATE"], writes: "t" }),
    "t:WA",
    { t: "DELETE" },
  ],
];

describe("the roles of statement kinds", () => {
  it.each(roles)("%s is permitted with exactly the rights it needs", (_, summary, needed) => {
    expect(answer(needed, summary)).toBe("permit");
  });

  it.each(roles)("%s is denied without any", (_, summary, needed, words) => {
    const [first = ""] = needed.split(" ").map((item) => item.split(":")[0] ?? "");
    expect(answer("", summary)).toContain(`for table '${first}'`);
    if (words[first] !== undefined) expect(answer("", summary)).toBe(denied(words[first], first));
  });

  it.each(roles)("%s is denied when any one right is missing", (_, summary, needed, words) => {
    const items = needed.split(" ").map((item) => item.split(":") as [string, string]);
    let tried = 0;
    for (const [table, letters] of items) {
      for (const letter of letters) {
        const rest = items.map(
          ([name, held]) => `${name}:${name === table ? held.replace(letter, "") : held}`,
        );
        const text = answer(rest.join(" "), summary);
        expect(text, rest.join(" ")).toMatch(new RegExp(`^1142 .* for table '${table}'$`));
        if (letters.length === 1 && words[table] !== undefined)
          expect(text).toBe(denied(words[table], table));
        tried += 1;
      }
    }
    expect(tried).toBeGreaterThan(0);
  });

  it("names the first table that fails: what is defined, then written, then read", () => {
    const summary = statement("CREATE TABLE", { changes: "t", writes: "t", reads: "o p" });
    expect(answer("", summary)).toBe(denied("CREATE", "t"));
    expect(answer("t:A", summary)).toBe(denied("INSERT", "t"));
    expect(answer("t:AW", summary)).toBe(denied("SELECT", "o"));
    expect(answer("t:AW o:R", summary)).toBe(denied("SELECT", "p"));
  });
});

describe("what needs no grant", () => {
  it.each([
    ["SELECT @@version_comment LIMIT 1", statement("SELECT")],
    ["an empty statement", statement("EMPTY")],
    ["SET NAMES", statement("SET NAMES")],
    [
      "SET of session variables",
      statement("SET", {
        assigns: [
          { scope: "session", name: "autocommit" },
          { scope: "session", name: "sql_mode" },
          { scope: "user", name: "sql_log_bin" },
        ],
      }),
    ],
    ["SHOW VARIABLES", statement("SHOW", { subject: "VARIABLES" })],
    ["SHOW WARNINGS", statement("SHOW", { subject: "WARNINGS" })],
    ["SHOW COLLATION", statement("SHOW", { subject: "COLLATION" })],
    ["SHOW TABLES", statement("SHOW", { subject: "TABLES" })],
    ["SHOW DATABASES", statement("SHOW", { subject: "DATABASES" })],
    ["SHOW GRANTS", statement("SHOW", { subject: "GRANTS" })],
    ["BEGIN", statement("BEGIN")],
    ["COMMIT", statement("COMMIT")],
    ["EXECUTE", statement("EXECUTE")],
    ["KILL", statement("KILL")],
    ["EXPLAIN SELECT 1", statement("EXPLAIN", { innerKinds: ["SELECT"] })],
  ])("%s", (_, summary) => {
    expect(answer("", summary)).toBe("permit");
  });
});

describe("what is refused to everybody but exempt principals", () => {
  const everything = "t:RWA o:RWA f:XA";
  it.each([
    ["FLUSH", statement("FLUSH", { subject: "PRIVILEGES" }), 1227, "RELOAD"],
    ["SHUTDOWN", statement("SHUTDOWN"), 1227, "SHUTDOWN"],
    ["SHOW ENGINE", statement("SHOW", { subject: "ENGINE" }), 1227, "PROCESS"],
    ["SHOW BINARY LOGS", statement("SHOW", { subject: "BINARY LOGS" }), 1227, "REPLICATION CLIENT"],
    ["EXPLAIN FOR CONNECTION", statement("EXPLAIN", { subject: "FOR CONNECTION" }), 1227, "PROCESS"],
    ["CREATE EVENT", statement("CREATE EVENT", { innerKinds: ["SELECT"], reads: "t" }), 1227, "EVENT"],
    ["PREPARE of SHUTDOWN", statement("PREPARE", { innerKinds: ["SHUTDOWN"] }), 1227, "SHUTDOWN"],
    [
      "SET GLOBAL",
      statement("SET", { assigns: [{ scope: "global", name: "max_connections" }] }),
      1227,
      "SYSTEM_VARIABLES_ADMIN",
    ],
    [
      "SET PERSIST",
      statement("SET", { assigns: [{ scope: "persist", name: "x" }] }),
      1227,
      "SYSTEM_VARIABLES_ADMIN",
    ],
    [
      "SET sql_log_bin",
      statement("SET", { assigns: [{ scope: "session", name: "sql_log_bin" }] }),
      1227,
      "SESSION_VARIABLES_ADMIN",
    ],
    ["INTO OUTFILE", statement("SELECT", { reads: "t", serverFiles: true }), 1227, "FILE"],
    ["LOAD DATA", statement("LOAD DATA", { writes: "t", serverFiles: true }), 1227, "FILE"],
    ["GRANT", statement("GRANT", { changes: "t" }), 1227, "users file"],
    ["SET PASSWORD", statement("SET PASSWORD"), 1227, "users file"],
    ["CREATE USER", statement("CREATE USER"), 1227, "users file"],
    ["SET ROLE", statement("SET ROLE"), 1227, "users file"],
    ["SHOW GRANTS FOR another", statement("SHOW", { subject: "GRANTS FOR" }), 1227, "users file"],
    ["an unknown kind", statement("CONJURE"), 1235, "does not know"],
    ["the kind of a property of objects", statement("constructor"), 1235, "does not know"],
    ["an unknown form of SHOW", statement("SHOW", { subject: "SECRETS" }), 1235, "SHOW"],
    ["SHOW of nothing", statement("SHOW"), 1235, "SHOW"],
    ["an unknown kind inside", statement("COMPOUND", { innerKinds: ["CONJURE"] }), 1235, "does not know"],
    ["EXPLAIN of nothing", statement("EXPLAIN"), 1235, "inner statement"],
    ["INSERT into nothing", statement("INSERT"), 1235, "not recognised"],
    ["DROP TABLE of nothing", statement("DROP TABLE"), 1235, "not recognised"],
    ["SHOW COLUMNS of nothing", statement("SHOW", { subject: "COLUMNS" }), 1235, "not recognised"],
    [
      "PREPARE of an INSERT into nothing",
      statement("PREPARE", { innerKinds: ["INSERT"] }),
      1235,
      "recognised",
    ],
    [
      "what could not be parsed",
      statement("SELECT", { uncertain: { symbol: "ER_PARSE_ERROR", reason: "unbalanced parenthesis" } }),
      1064,
      "unbalanced parenthesis",
    ],
    [
      "what is not supported",
      statement("PREPARE", {
        uncertain: { symbol: "ER_NOT_SUPPORTED_YET", reason: "PREPARE from a variable" },
      }),
      1235,
      "PREPARE from a variable",
    ],
  ])("%s", (_, summary, code, words) => {
    const text = answer(everything, summary);
    expect(text).toMatch(new RegExp(`^${code} `));
    expect(text).toContain(words);
    expect(answer("", summary, { ...strict, exempt: ["u"] })).toBe("permit");
  });

  it("with a SQLSTATE that no client takes for a failed login", () => {
    for (const summary of [statement("SHUTDOWN"), statement("GRANT"), statement("SELECT", { reads: "t" })]) {
      const result = authorizerFor("").authorize(identityOf("u"), summary);
      expect(result).toMatchObject({ sqlState: "42000" });
    }
  });
});

describe("schemas", () => {
  const see = (name: string) => statement("SHOW", { subject: "TABLES", schemas: [{ name, access: "see" }] });
  const change = (kind: string, name: string) => statement(kind, { schemas: [{ name, access: "change" }] });
  const wrong = (name: string) => `1044 Access denied for user 'u'@'%' to database '${name}'`;

  it("are denied with 1044 when nothing in them can be visible", () => {
    expect(answer("t:R", see("d"))).toBe("permit");
    expect(answer("t:R", see("nosuch"))).toBe(wrong("nosuch"));
    expect(answer("t:R", see("mysql"))).toBe(wrong("mysql"));
    expect(answer("", see("d"))).toBe(wrong("d"));
    expect(answer("", see("information_schema"))).toBe("permit");
    expect(answer("t:R", statement("USE", { use: "d" }))).toBe("permit");
    expect(answer("t:R", statement("USE", { use: "d@replica" }))).toBe("permit");
    expect(answer("t:R", statement("USE", { use: "e@replica" }))).toBe(wrong("e"));
    expect(textOf(authorizerFor("t:R").authorizeSchema(identityOf("u"), "d"))).toBe("permit");
    expect(textOf(authorizerFor("t:R").authorizeSchema(identityOf("u"), "e"))).toBe(wrong("e"));
  });

  it("are created and dropped by whoever is admin of all that they may hold", () => {
    expect(answer("%:A", change("CREATE DATABASE", "d"))).toBe("permit");
    expect(answer("%:A", change("DROP DATABASE", "d"))).toBe("permit");
    expect(answer("%:A t:R", change("DROP DATABASE", "d"))).toBe(wrong("d"));
    expect(answer("%:A", change("DROP DATABASE", "e"))).toBe(wrong("e"));
    expect(answer("%:RW", change("DROP DATABASE", "d"))).toBe(wrong("d"));
    expect(answer("t:A", change("DROP TRIGGER", "d"))).toBe(wrong("d"));
  });
});

describe("routines", () => {
  it("need an executor", () => {
    const call = statement("CALL", { routines: "f1" });
    expect(answer("f1:X", call)).toBe("permit");
    expect(answer("f1:A", call)).toBe(
      "1370 execute command denied to user 'u'@'192.0.2.7' for routine 'd.f1'",
    );
    expect(answer("t:R", statement("SELECT", { reads: "t", routines: "f1" }))).toMatch(/^1370 execute/);
    expect(answer("t:R f1:X", statement("SELECT", { reads: "t", routines: "f1" }))).toBe("permit");
    expect(answer("", statement("SHOW", { subject: "CREATE FUNCTION", routines: "f1" }))).toMatch(
      /^1227 .*SHOW_ROUTINE/,
    );
  });

  it("are made by their admin, whose rights hold for all that the body touches, without dynamic SQL", () => {
    const create = (innerKinds: readonly string[]) =>
      statement("CREATE PROCEDURE", { routineChanges: "f1", innerKinds, reads: "t" });
    expect(answer("f1:A t:R", create(["COMPOUND", "SELECT"]))).toBe("permit");
    expect(answer("f1:A", create(["SELECT"]))).toBe(denied("SELECT", "t"));
    expect(answer("f1:X t:R", create(["SELECT"]))).toBe(
      "1044 Access denied for user 'u'@'%' to database 'd'",
    );
    expect(answer("f1:A t:R", create(["PREPARE", "SELECT"]))).toMatch(/^1235 .*dynamic SQL/);
    expect(answer("f1:X", statement("DROP PROCEDURE", { routineChanges: "f1" }))).toMatch(
      /^1370 alter routine/,
    );
  });
});

describe("a name without a schema", () => {
  it("is 1046 when no unqualified entry grants it", () => {
    const summary: StatementSummary = {
      ...bareStatement("SELECT"),
      reads: [{ schema: null, name: "t", qualified: false }],
    };
    expect(answer("t:R", summary)).toBe("1046 No database selected");
    const acl = aclOf([["t", { readers: ["u"] }]]);
    expect(textOf(createTableAclAuthorizer(acl, strict).authorize(identityOf("u"), summary))).toBe("permit");
  });
});

describe("strict, dry run, exempt", () => {
  const summary = statement("SELECT", { reads: "secret" });
  it("strict denies, with the record for the audit log", () => {
    const acl = aclOf([["secret", { readers: ["*"], deny_readers: ["staff"] }]]);
    const result = createTableAclAuthorizer(acl, strict).authorize(
      identityOf("v", ["staff"], "base"),
      summary,
    );
    expect(result).toBeInstanceOf(AclDenial);
    expect((result as AclDenial).record).toEqual({
      statementKind: "SELECT",
      object: "table",
      name: "d.secret",
      role: "reader",
      rule: { group: "g0", entry: "secret", list: "deny_readers", principal: "staff" },
      reason: `Entry "secret" of group "g0" lists principal "staff" under deny_readers`,
    });
    expect((result as AclDenial).message).toBe(
      "SELECT command denied to user 'base'@'192.0.2.7' for table 'secret'",
    );
  });

  it("not strict permits everything", () => {
    const authorizer = authorizerFor("", { ...strict, strict: false });
    expect(authorizer.enforcing).toBe(false);
    expect(authorizer.authorize(identityOf("u"), summary)).toMatchObject({
      origin: "client",
      wouldDeny: null,
    });
    expect(authorizer.mayRead(identityOf("u"), "d", "secret")).toBe(true);
  });

  it("a dry run permits, and says what would have been denied", () => {
    const authorizer = authorizerFor("", { ...strict, dryRun: true });
    expect(authorizer.enforcing).toBe(false);
    const result = authorizer.authorize(identityOf("u"), summary) as Permit;
    expect(result.origin).toBe("client");
    expect(result.wouldDeny?.message).toBe(denied("SELECT", "secret").slice(5));
    const schema = authorizer.authorizeSchema(identityOf("u"), "x") as Permit;
    expect(schema.wouldDeny?.code).toBe(1044);
  });

  it("an exempt principal passes by UserData, by group and by *", () => {
    for (const exempt of [["v"], ["g"], ["*"]]) {
      const authorizer = authorizerFor("", { ...strict, exempt });
      expect(textOf(authorizer.authorize(identityOf("v", ["g"]), summary))).toBe("permit");
      expect(textOf(authorizer.authorizeSchema(identityOf("v", ["g"]), "x"))).toBe("permit");
      expect(authorizer.maySeeSchema(identityOf("v", ["g"]), "x")).toBe(true);
    }
    expect(
      textOf(authorizerFor("", { ...strict, exempt: ["g"] }).authorize(identityOf("v"), summary)),
    ).toMatch(/^1142/);
  });

  it("a deny list cannot touch an exempt principal", () => {
    const acl = aclOf([["secret", { deny_readers: ["*"] }]]);
    const authorizer = createTableAclAuthorizer(acl, { ...strict, exempt: ["u"] });
    expect(textOf(authorizer.authorize(identityOf("u"), summary))).toBe("permit");
  });
});

describe("a permit", () => {
  it("tells which rules allowed it", () => {
    const result = authorizerFor("t:R o:W").authorize(
      identityOf("u"),
      statement("INSERT", { writes: "o", reads: "t t" }),
    ) as Permit;
    expect(result.uses).toEqual([
      {
        object: "table",
        name: "d.o",
        role: "writer",
        rule: { group: "g1", entry: "d.o", list: "writers", principal: "u" },
      },
      {
        object: "table",
        name: "d.t",
        role: "reader",
        rule: { group: "g0", entry: "d.t", list: "readers", principal: "u" },
      },
    ]);
  });
});

describe("a reload", () => {
  it("takes rights away at once, under a new generation", () => {
    const authorizer = authorizerFor("t:R");
    const before = authorizer.generation;
    const summary = statement("SELECT", { reads: "t" });
    expect(textOf(authorizer.authorize(identityOf("u"), summary))).toBe("permit");
    authorizer.replace(aclOf([]));
    expect(authorizer.generation).toBeGreaterThan(before);
    expect(textOf(authorizer.authorize(identityOf("u"), summary))).toBe(denied("SELECT", "t"));
  });
});

describe("listings", () => {
  it("name the column whose rows are to be judged", () => {
    expect(listingOf(statement("SHOW", { subject: "TABLES" }))).toMatchObject({
      object: "table",
      nameColumn: 0,
    });
    expect(listingOf(statement("SHOW", { subject: "TRIGGERS" }))).toMatchObject({
      nameColumn: 2,
      role: "admin",
    });
    expect(listingOf(statement("SHOW", { subject: "VARIABLES" }))).toBeNull();
    expect(listingOf(statement("SELECT"))).toBeNull();
  });

  it("show what may be read", () => {
    const authorizer = authorizerFor("t:R o:W f1:X");
    const who = identityOf("u");
    expect(authorizer.mayRead(who, "d", "t")).toBe(true);
    expect(authorizer.mayRead(who, "d", "o")).toBe(false);
    expect(authorizer.mayRead(who, "e", "t")).toBe(false);
    expect(authorizer.allows(who, "routine", "executor", { schema: "d", name: "f1" })).toBe(true);
    expect(authorizer.allows(who, "routine", "executor", { schema: "d", name: "f2" })).toBe(false);
    expect(authorizer.maySeeSchema(who, "d")).toBe(true);
    expect(authorizer.maySeeSchema(who, "e")).toBe(false);
    expect(authorizer.maySeeSchema(who, "Information_Schema")).toBe(true);
  });
});

describe("every kind and every form of SHOW", () => {
  it("is decided without an exception and refused or judged by what it names", () => {
    expect(knownStatementKinds.length).toBeGreaterThan(100);
    expect(knownShowSubjects.length).toBeGreaterThan(50);
    const names = { reads: "secret", writes: "secret", changes: "secret", innerKinds: ["SELECT"] };
    for (const kind of knownStatementKinds) {
      expect(answer("t:RWA", statement(kind, { ...names, subject: "TABLES" })), kind).not.toBe("permit");
    }
    for (const subject of knownShowSubjects) {
      expect(answer("t:RWA", statement("SHOW", { subject, reads: "secret" })), subject).not.toBe("permit");
    }
  });
});

// The starter file against what migration tools send: recorded from a server's general log while knex, Sequelize, TypeORM,
// Alembic and Django migrated forth and back through a gateway with this file, before MariaDB 10.11 and MySQL 9.7.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { prepareTableAcl } from "../../../src/acl/table-acl.ts";
import { createTableAclAuthorizer } from "../../../src/acl/table-acl-authorizer.ts";
import { SqlError } from "../../../src/errors/sql-error.ts";
import { analyzeText } from "../../../src/sql/analyze.ts";
import { contextOf } from "../sql/support.ts";
import { fileOf, identityOf } from "./support.ts";

const recorded: Readonly<Record<string, readonly string[]>> = JSON.parse(
  readFileSync(new URL("../../fixtures/sql/migration-tools.json", import.meta.url), "utf8"),
);
const starter = fileOf(JSON.parse(readFileSync("docs/examples/table-acl.json", "utf8")));
const authorizer = createTableAclAuthorizer(prepareTableAcl(starter, 0), {
  strict: true,
  dryRun: false,
  exempt: [],
});

function refusals(user: string, statements: readonly string[]): string[] {
  const context = contextOf("mariadb", { defaultSchema: "shop" });
  return statements.flatMap((sql) =>
    analyzeText(Buffer.from(sql), context).statements.flatMap((one) => {
      const verdict = authorizer.authorize(identityOf(user), one);
      return verdict instanceof SqlError ? [`${verdict.message}: ${sql}`] : [];
    }),
  );
}

describe("the starter file", () => {
  it.each(Object.keys(recorded))("lets %s migrate", (tool) => {
    const statements = recorded[tool] ?? [];
    expect(statements.length).toBeGreaterThan(15);
    // TypeORM's dropDatabase() asks for information_schema.VIEWS, which would tell how views are made.
    const refused = refusals("migrations", statements).filter(
      (text) => !/INFORMATION_SCHEMA.{3}VIEWS/.test(text),
    );
    expect(refused).toEqual([]);
  });

  it("lets the application define nothing, and not touch the books", () => {
    for (const sql of [
      "CREATE TABLE a (b INT)",
      "ALTER TABLE orders ADD c INT",
      "INSERT INTO knex_migrations (name) VALUES ('x')",
      "SELECT * FROM information_schema.tables",
      "DELETE FROM django_migrations",
    ])
      expect(refusals("app", [sql]), sql).toHaveLength(1);
    expect(
      refusals("app", ["INSERT INTO orders SELECT * FROM carts", "SELECT * FROM knex_migrations"]),
    ).toEqual([]);
    expect(refusals("reporting", ["SELECT * FROM api_keys"])).toHaveLength(1);
  });
});

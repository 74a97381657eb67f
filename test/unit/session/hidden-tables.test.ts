import { describe, expect, it } from "vitest";
import { namesHiddenTable } from "../../../src/session/hidden-tables.ts";

const mayRead = (schema: string, table: string) =>
  schema === "shop" && ["orders", "lines", "od`d"].includes(table);
const of = (message: string, code: number | null = null) => namesHiddenTable(message, "shop", mayRead, code);
const key = (child: string, parent: string) =>
  `Cannot delete or update a parent row: a foreign key constraint fails (${child}, CONSTRAINT \`fk\` FOREIGN KEY (\`a\`) REFERENCES ${parent} (\`a\`))`;

describe("namesHiddenTable()", () => {
  it("lets errors pass that name what may be read", () => {
    expect(of(key("`shop`.`lines`", "`orders`"), 1451)).toBe(false);
    expect(of(key("`shop`.`od``d`", "`shop`.`orders`"), 1452)).toBe(false);
    expect(
      of("Cannot drop table 'orders' referenced by a foreign key constraint 'fk' on table 'lines'.", 3730),
    ).toBe(false);
    expect(of("Table 'shop.secret' doesn't exist", 1146)).toBe(false);
    expect(of("Duplicate entry '1' for key 'PRIMARY'", 1062)).toBe(false);
  });

  it.each([
    [key("`shop`.`secret`", "`orders`"), 1451],
    [key("`shop`.`lines`", "`secret`"), 1452],
    [key("`shop`.`lines`", "`vault`.`orders`"), 1452],
    [key("`vault`.`lines`", "`orders`"), null],
    ["Cannot drop table 'orders' referenced by a foreign key constraint 'fk' on table 'secret'.", 3730],
    ["Cannot drop table 'orders' referenced by a foreign key constraint 'fk' on table 'secret'.", null],
    ["Cannot change column 'a': used in a foreign key constraint 'fk' of table 'shop.secret'", 1833],
    [
      "Cannot truncate a table referenced in a foreign key constraint (`shop`.`secret`, CONSTRAINT `fk`)",
      1701,
    ],
    ["Etwas mit einem Fremdschlüssel", 1451],
    [[...key("`shop`.`secret`", "`orders`")].join("\0"), 1644],
  ])("keeps back: %s", (message, code) => {
    expect(of(message, code)).toBe(true);
  });
});

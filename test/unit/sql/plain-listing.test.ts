import { describe, expect, it } from "vitest";
import type { LexOptions } from "../../../src/sql/dialect.ts";
import { isPlainListing } from "../../../src/sql/plain-listing.ts";

const options: LexOptions = {
  ansiQuotes: false,
  noBackslashEscapes: false,
  flavour: "mariadb",
  version: 101119,
  characterSet: "utf8",
};

describe("isPlainListing()", () => {
  it.each([
    "SHOW TABLES",
    "show full tables from d like 'a%'",
    "SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'",
    "SHOW FULL TABLES FROM `d` WHERE Table_Type != 'VIEW';",
    "SHOW TABLES WHERE Tables_in_d NOT LIKE 'x%' AND `Table_type` IN ('VIEW', 'BASE TABLE')",
    "SHOW TABLE STATUS WHERE Name = 'a' OR Name <> 'b' OR Name IN ('c')",
    "SHOW TABLES /* where 1 */ LIKE 'where'",
  ])("lets %s through", (sql) => expect(isPlainListing(sql, options)).toBe(true));

  it.each([
    "SHOW TABLES WHERE (@a := Tables_in_d) IS NOT NULL",
    "SHOW TABLES WHERE EXTRACTVALUE(1, Tables_in_d)",
    "SHOW TABLES WHERE SLEEP(Tables_in_d = 'secret')",
    "SHOW TABLES WHERE Tables_in_d = 'a' OR SLEEP(1)",
    "SHOW TABLES WHERE Tables_in_d",
    "SHOW TABLES WHERE Tables_in_d = 0",
    "SHOW TABLES WHERE Tables_in_d IN (0, 1)",
    "SHOW TABLES WHERE Tables_in_d IN ('a', 1)",
    "SHOW TABLES WHERE Tables_in_d = x'61'",
    "SHOW TABLES WHERE Tables_in_d = 'a' + 0",
    "SHOW TABLES WHERE NOT Tables_in_d",
    "SHOW TABLE STATUS WHERE Name = Rows",
    "SHOW TABLES WHERE Tables_in_d = (SELECT 1)",
    "SHOW TABLES WHERE Tables_in_d = 'unfinished",
    "SHOW TABLES /*! WHERE Tables_in_d = 0 */",
    "SHOW TABLES WHERE",
  ])("stops %s", (sql) => expect(isPlainListing(sql, options)).toBe(false));
});

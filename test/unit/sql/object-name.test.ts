import { describe, expect, it } from "vitest";
import { foldObjectName, isSystemSchema, objectNameDoubt } from "../../../src/sql/object-name.ts";

describe("objectNameDoubt()", () => {
  it.each(["orders", "ORDERS", "a$b", "1a", "select", "a.b", "größe", "заказы", "注文", "a%b", "x y"])(
    "has none about %s",
    (name) => {
      expect(objectNameDoubt(name)).toBeNull();
    },
  );

  it.each([
    ["an empty name", ""],
    ["65 characters", "x".repeat(65)],
    ["the name of a file", "#mysql50#secret"],
    ["the same in other letters", "#MySQL50#secret"],
    ["NUL", "a\0b"],
    ["NUL beside other characters", "ä\0"],
    ["a decomposed character", "o\u0308"],
    ["the Kelvin sign, which folds to k", "to\u212aen"],
    ["the long s, which folds to S", "\u017fecret"],
    ["the capital i with dot, which folds to i", "secr\u0130t"],
    ["the dotless i, which folds to I", "\u0131d"],
    ["a full-width letter", "\uff53ecret"],
    ["a supplementary character", "t\u{1f600}"],
    ["half a surrogate pair", "t\ud83d"],
    ["a replacement character", "t\ufffd"],
  ])("doubts %s", (_, name) => {
    expect(objectNameDoubt(name)).not.toBeNull();
  });
});

describe("foldObjectName()", () => {
  it("folds ASCII and other letters", () => {
    expect(foldObjectName("OrdersÄ")).toBe("ordersä");
    expect(foldObjectName("ΑΣ")).toBe("ασ");
  });
});

describe("isSystemSchema()", () => {
  it("knows the four, in any case", () => {
    for (const name of ["information_schema", "PERFORMANCE_SCHEMA", "MySQL", "sys"]) {
      expect(isSystemSchema(name)).toBe(true);
    }
    expect(isSystemSchema("mysql2")).toBe(false);
  });
});

import { describe, expect, it } from "vitest";
import { parseJsonFile } from "../../../src/base/json-file.ts";
import { formatProblem } from "../../../src/base/problem.ts";

const schema = {
  type: "object",
  minProperties: 1,
  properties: { $schema: { type: "string" } },
  additionalProperties: {
    anyOf: [
      { type: "array", minItems: 1, items: { $ref: "#/definitions/entry" } },
      { $ref: "#/definitions/entry" },
    ],
  },
  definitions: {
    entry: {
      type: "object",
      additionalProperties: false,
      properties: {
        Password: { type: "string", minLength: 1 },
        UserData: { type: "string" },
        Groups: { type: "array", items: { type: "string" } },
        SourceHost: { anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }] },
        MaxConnections: { type: "integer", minimum: 1 },
        Hash: { type: "string", pattern: "^[0-9a-f]{4}$", "x-sentence": "must be 4 hexadecimal digits" },
      },
    },
  },
};

function problemsOf(text: string | Uint8Array, maxBytes?: number): string[] {
  const result = parseJsonFile({
    text,
    path: "users.json",
    schema,
    ...(maxBytes === undefined ? {} : { maxBytes }),
  });
  return result.ok ? [] : result.problems.map(formatProblem);
}

describe("parseJsonFile()", () => {
  it("returns the value of a valid file and finds places in it", () => {
    const text = '{\n  "a": [ { "Password": "x" } ],\n  "1": [ {\n    "UserData": "u" } ]\n}';
    const result = parseJsonFile({ text, path: "p", schema });
    if (!result.ok) throw new Error("not ok");
    expect(result.value).toEqual({ a: [{ Password: "x" }], 1: [{ UserData: "u" }] });
    expect(result.positionOf("")).toEqual({ line: 1, column: 1 });
    expect(result.positionOf("/a/0/Password")).toEqual({ line: 2, column: 24 });
    expect(result.positionOf("/1/0/UserData")).toEqual({ line: 4, column: 17 });
    expect(result.positionOf("/1/0/Nothing")).toEqual({ line: 3, column: 10 });
  });

  it.each<[string, string, string[]]>([
    [
      "a trailing comma in an object",
      '{"a":[{"Password":"x",}]}',
      ["users.json:1:22: Trailing comma before '}': JSON allows none, remove it"],
    ],
    [
      "a comment",
      '{\n// old\n"a":[{}]}',
      ["users.json:2:1: Comments are not part of JSON: use a 'Comment' key where the file knows one"],
    ],
    [
      "duplicate keys, each of them",
      '{"a":[{}],\n"a":[{"UserData":"x","UserData":"y"}]}',
      ["users.json:2:1: Duplicate key 'a'", "users.json:2:22: Duplicate key 'UserData'"],
    ],
    [
      "duplicate keys written differently",
      '{"a":[{}],"\\u0061":[{}]}',
      ["users.json:1:11: Duplicate key 'a'"],
    ],
    ["an unclosed object", '{"a":[{}]', ["users.json:1:10: The file ends before the '{' of 1:1 is closed"]],
    ["an empty file", " \n", ["users.json:2:1: The file is empty: expected a JSON object"]],
    ["single quotes", "{'a':1}", ["users.json:1:2: Expected a key in double quotes, found '''"]],
    [
      "text after the end",
      '{"a":[{}]} x',
      ["users.json:1:12: Unexpected 'x' after the end of the JSON value"],
    ],
    ["a missing comma", '{"a":[{}]\n"b":[{}]}', ["users.json:2:1: Expected ',' or '}', found '\"'"]],
    [
      "a line break in a string",
      '{"a\nb":[{}]}',
      ["users.json:1:2: String is not closed before the end of its line"],
    ],
    [
      "a control character",
      '{"a\u0001":[{}]}',
      ["users.json:1:2: String holds the control character 0x01: write it as \\u0001"],
    ],
    [
      "a bad escape",
      '{"a\\x":[{}]}',
      ["users.json:1:4: Unknown escape in a string: a backslash itself is written \\\\"],
    ],
    ["half a surrogate pair", '{"a\\ud800":[{}]}', ["users.json:1:2: String holds half of a surrogate pair"]],
    ["a malformed number", '{"a":[{"MaxConnections":01}]}', ["users.json:1:25: Malformed number"]],
    ["an empty object", "{}", ["users.json:1:1: The file must not be empty"]],
    [
      "unknown keys with the nearest known one",
      '{"a":[{"Pasword":"x","usrdata":"y"}]}',
      [
        "users.json:1:8: Unknown key 'Pasword' in 'a[0]': did you mean 'Password'?",
        "users.json:1:22: Unknown key 'usrdata' in 'a[0]': did you mean 'UserData'?",
      ],
    ],
    [
      "wrong types, without the value",
      '{"a":[{"Password":12345}]}',
      ["users.json:1:19: 'a[0].Password' must be a string, not a number"],
    ],
    [
      "a wrong type where two are allowed",
      '{"a":[{"SourceHost":7}]}',
      ["users.json:1:21: 'a[0].SourceHost' must be a string or a list, not a number"],
    ],
    [
      "a wrong item where a list is allowed",
      '{"a":[{"SourceHost":["x", 7]}]}',
      ["users.json:1:27: 'a[0].SourceHost[1]' must be a string, not a number"],
    ],
    [
      "the schema's own sentence",
      '{"a":[{"Hash":"12345"}]}',
      ["users.json:1:15: 'a[0].Hash' must be 4 hexadecimal digits"],
    ],
    ["a range", '{"a":[{"MaxConnections":0}]}', ["users.json:1:25: 'a[0].MaxConnections' must be >= 1"]],
    ["a list of nothing", '{"a":[]}', ["users.json:1:6: 'a' must not be empty"]],
    [
      "everything at once",
      '{"a":[{"Password":""},],\n"b":[{"Groups":[1,"x",null]}]}',
      [
        "users.json:1:19: 'a[0].Password' must not be empty",
        "users.json:1:22: Trailing comma before ']': JSON allows none, remove it",
        "users.json:2:17: 'b[0].Groups[0]' must be a string, not a number",
        "users.json:2:23: 'b[0].Groups[2]' must be a string, not null",
      ],
    ],
  ])("reports %s", (_name, text, expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });

  it("skips a byte order mark", () => {
    expect(problemsOf('\ufeff{"a":[{}]}')).toEqual([]);
    expect(problemsOf(new TextEncoder().encode('\ufeff{"a":[{"X":1}]}'))).toEqual([
      "users.json:1:8: Unknown key 'X' in 'a[0]': known keys are Password, UserData, Groups, SourceHost, MaxConnections, Hash",
    ]);
  });

  it("refuses bytes that are not UTF-8, NUL bytes, and too many bytes", () => {
    expect(problemsOf(Uint8Array.of(0x7b, 0xff))).toEqual(["users.json: The file is not UTF-8"]);
    expect(problemsOf("{\0}")).toEqual(["users.json: The file holds NUL bytes: it is not JSON text"]);
    expect(problemsOf('{"a":[{}]}', 9)).toEqual(["users.json: The file has 10 bytes: at most 9 are read"]);
  });

  it("keeps a key named __proto__ as a key", () => {
    const result = parseJsonFile({ text: '{"__proto__":[{"UserData":"x"}]}', path: "p", schema });
    if (!result.ok) throw new Error("not ok");
    expect(Object.keys(result.value as object)).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>).UserData).toBeUndefined();
  });

  it("ends deep nesting with a problem instead of a stack overflow", () => {
    expect(problemsOf("[".repeat(1_000_000))).toEqual(["users.json:1:65: Nesting is deeper than 64 levels"]);
  });

  it("lists a limited number of problems", () => {
    const problems = problemsOf(`{"a":[${'{"Password":1},'.repeat(5000)}{}]}`);
    expect(problems.length).toBe(1001);
    expect(problems.at(-1)).toBe("users.json: More than 1000 problems: the rest is not listed");
  });

  it("survives more mistakes in one place than a call takes arguments", () => {
    const items = { type: "object", additionalProperties: false };
    const schema = {
      type: "object",
      properties: { u: { anyOf: [{ type: "object" }, { type: "array", items }] } },
    };
    const text = JSON.stringify({ u: Array.from({ length: 130_000 }, () => ({ x: 1 })) });
    const result = parseJsonFile({ text, path: "f.json", schema });
    expect(result.ok ? [] : result.problems).toHaveLength(1001);
  });
});

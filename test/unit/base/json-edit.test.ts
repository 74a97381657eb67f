import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addMembers, appendItem, removeAt, wrapInList } from "../../../src/base/json-edit.ts";

const entry = { UserData: "new", Groups: ["a", "b"] };

describe("appendItem()", () => {
  it.each([
    [
      "an inline list",
      '{ "a": [ { "x": 1 } ] }',
      '{ "a": [ { "x": 1 }, { "UserData": "new", "Groups": ["a", "b"] } ] }',
    ],
    ["a tight list", '{"a":[{"x":1}]}', '{"a":[{"x":1}, {"UserData": "new", "Groups": ["a", "b"]}]}'],
    ["an empty list", '{"a":[]}', '{"a":[ { "UserData": "new", "Groups": ["a", "b"] } ]}'],
    [
      "one item a line",
      '{ "a": [ { "x": 1 },\n         { "x": 2 } ],\n  "b": 1 }\n',
      '{ "a": [ { "x": 1 },\n         { "x": 2 },\n         { "UserData": "new", "Groups": ["a", "b"] } ],\n  "b": 1 }\n',
    ],
    [
      "items over several lines",
      '{\n    "a": [\n        {\n            "x": 1\n        }\n    ]\n}\n',
      '{\n    "a": [\n        {\n            "x": 1\n        },\n        {\n            "UserData": "new",\n            "Groups": [\n                "a",\n                "b"\n            ]\n        }\n    ]\n}\n',
    ],
    [
      "tabs and CRLF",
      '{\r\n\t"a": [\r\n\t\t{ "x": 1 }\r\n\t]\r\n}\r\n',
      '{\r\n\t"a": [\r\n\t\t{ "x": 1 },\r\n\t\t{ "UserData": "new", "Groups": ["a", "b"] }\r\n\t]\r\n}\r\n',
    ],
  ])("keeps the looks of %s", (_name, text, expected) => {
    expect(appendItem(text, "/a", entry)).toBe(expected);
  });
});

describe("addMembers(), removeAt() and wrapInList()", () => {
  it("add a member as its neighbours look", () => {
    expect(addMembers('{\n  "a": [{ "x": 1 }]\n}\n', "", [["b/c", [entry]]])).toBe(
      '{\n  "a": [{ "x": 1 }],\n  "b/c": [{"UserData": "new", "Groups": ["a", "b"]}]\n}\n',
    );
    expect(addMembers("{}", "", [["b", [{ x: 1 }]]])).toBe('{ "b": [ { "x": 1 } ] }');
    expect(addMembers("{\n}\n", "", [["b", [{ x: 1 }]]])).toBe(
      '{\n  "b": [\n    {\n      "x": 1\n    }\n  ]\n}\n',
    );
  });

  it("take out the first, a middle, the last and the only one", () => {
    const text = '{ "a": [ 1,\n  2,\n  3 ], "b": 2 }';
    expect(removeAt(text, "/a/0")).toBe('{ "a": [ 2,\n  3 ], "b": 2 }');
    expect(removeAt(text, "/a/1")).toBe('{ "a": [ 1,\n  3 ], "b": 2 }');
    expect(removeAt(text, "/a/2")).toBe('{ "a": [ 1,\n  2 ], "b": 2 }');
    expect(removeAt(text, "/a")).toBe('{ "b": 2 }');
    expect(removeAt(text, "/b")).toBe('{ "a": [ 1,\n  2,\n  3 ] }');
    expect(removeAt('{ "a": 1 }', "/a")).toBe("{}");
  });

  it("make a list of a lone entry", () => {
    expect(wrapInList('{ "a": { "x": 1 } }', "/a")).toBe('{ "a": [{ "x": 1 }] }');
  });

  it("refuse places that do not exist", () => {
    expect(() => appendItem('{"a":{}}', "/a", 1)).toThrow("right kind");
    expect(() => appendItem('{"a":[]}', "/b", 1)).toThrow("leads to a value");
    expect(() => removeAt('{"a":[]}', "/a/0")).toThrow("exists");
  });

  it("do to the text what they say, whatever its content and indentation", () => {
    const users = fc.dictionary(
      fc.string({ minLength: 1 }).filter((key) => key !== "__proto__"),
      fc.array(fc.record({ UserData: fc.string(), Groups: fc.array(fc.string()) }), { minLength: 1 }),
      { minKeys: 1 },
    );
    fc.assert(
      fc.property(users, fc.constantFrom(undefined, 1, 4, "\t"), fc.nat(), (value, indent, pick) => {
        const text = JSON.stringify(value, null, indent);
        const names = Object.keys(JSON.parse(text) as object);
        const name = names[pick % names.length] ?? "";
        const pointer = `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
        const added = JSON.parse(appendItem(text, pointer, entry));
        expect(added).toEqual({ ...value, [name]: [...(value[name] ?? []), entry] });
        const removed = JSON.parse(removeAt(appendItem(text, pointer, entry), `${pointer}/0`));
        expect(removed).toEqual({ ...value, [name]: [...(value[name] ?? []).slice(1), entry] });
        const without = JSON.parse(removeAt(text, pointer));
        expect(Object.keys(without)).toEqual(names.filter((other) => other !== name));
        const more = JSON.parse(addMembers(text, "", [["a new name", [entry]]]));
        expect(more["a new name"].at(-1)).toEqual(entry);
        const [one, two] = [["one more", [entry]] as const, ["another", [entry, entry]] as const];
        for (const start of [text, "{}", "{\n}\n", "{\r\n}\r\n"]) {
          const together = addMembers(start, "", [one, two]);
          expect(together).toBe(addMembers(addMembers(start, "", [one]), "", [two]));
        }
      }),
    );
  });
});

// A session under a table ACL, between a scripted client and a scripted backend: how texts are read, judged again,
// filtered, recorded.
import { describe, expect, it } from "vitest";
import { createTableAclAuthorizer, type TableAclSettings } from "../../src/acl/table-acl-authorizer.ts";
import { toFrames } from "../support/raw/frame-reader.ts";
import { decodeError } from "../support/raw/packets.ts";
import type { RawClient } from "../support/raw/raw-client.ts";
import { aclOf, type GroupShorthand } from "../unit/acl/support.ts";
import { errReply, Harness, okReply, type Script, type TextVariables } from "./harness.ts";

const query = (sql: string): Buffer => Buffer.concat([Buffer.of(3), Buffer.from(sql)]);
const prepare = (sql: string): Buffer => Buffer.concat([Buffer.of(0x16), Buffer.from(sql)]);
const execute = (id: number, flags = 0): Buffer => Buffer.from([0x17, id, 0, 0, 0, flags, 1, 0, 0, 0]);

const all = { readers: ["app_data"], writers: ["app_data"], admins: ["app_data"] };
const groups: readonly GroupShorthand[] = [[["d.t", "d.mine"], all], ["d.secret"]];

interface World {
  readonly harness: Harness;
  readonly client: RawClient;
  readonly variables: { sqlMode: string; characterSet: string; database: string | null };
  /** `0` for OK, otherwise the error's number. */
  readonly send: (command: Buffer) => Promise<number>;
  /** Texts and other commands that reached the backend. */
  readonly sent: () => string[];
  readonly forbid: () => void;
}

async function world(
  options: { script?: Script; settings?: Partial<TableAclSettings>; database?: string | null } = {},
): Promise<World> {
  const { script, settings = {} } = options;
  const database = options.database === undefined ? "d" : options.database;
  const variables = { sqlMode: "", characterSet: "utf8mb4", database };
  const authorizer = createTableAclAuthorizer(aclOf(groups), {
    strict: true,
    dryRun: false,
    exempt: [],
    ...settings,
  });
  const harness = new Harness({
    authorizer,
    ...(script === undefined ? {} : { script }),
    variables: (): TextVariables => ({ ...variables }),
  });
  const client = await harness.login("app", database === null ? {} : { database });
  const send = async (command: Buffer): Promise<number> => {
    const reply = await client.command(command);
    return decodeError(reply.frames.at(-1)?.payload ?? Buffer.alloc(0))?.code ?? 0;
  };
  const sent = (): string[] =>
    harness.backends.flatMap((backend) => backend.commands.map((one) => one.subarray(1).toString("latin1")));
  return { harness, client, variables, send, sent, forbid: () => authorizer.replace(aclOf([["d.t"]])) };
}

describe("reading texts", () => {
  it("asks the server once, and again after what may have changed its answer", async () => {
    const { send, variables, harness, sent } = await world();
    expect(await send(query("select * from t"))).toBe(0);
    expect(await send(query('select "secret"'))).toBe(0);
    expect(harness.backends[0]?.asked).toBe(1);
    variables.sqlMode = "ANSI_QUOTES";
    expect(await send(query("set sql_mode = concat('ANSI', '_QUOTES')"))).toBe(0);
    expect(await send(query('select * from "secret"'))).toBe(1142);
    expect(await send(query('select * from "t"'))).toBe(0);
    expect(harness.backends[0]?.asked).toBe(2);
    expect(sent()).not.toContain('select * from "secret"');
  });

  it("asks again after SET NAMES, CALL, EXECUTE, a reset and an uncertain text of an exempt principal", async () => {
    const { send, harness } = await world({ settings: { exempt: ["app_data"] } });
    const texts = ["set names latin1", "call p()", "execute s", "no such statement"];
    for (const sql of ["select 1", ...texts]) expect(await send(query(sql))).toBe(0);
    expect(await send(Buffer.of(0x1f))).toBe(0);
    expect(await send(query("select 1"))).toBe(0);
    expect(harness.backends[0]?.asked).toBe(1 + texts.length);
  });

  it("refuses texts that it cannot read in the client's character set", async () => {
    const { send, variables } = await world();
    variables.characterSet = "gbk";
    expect(await send(query("select '\u00bf\\' from t"))).toBe(1064);
    expect(await send(query("select 'a' from t"))).toBe(0);
  });

  it("takes the default schema from the server after a USE that may have run", async () => {
    const script: Script = (command) => (command.includes("bad") ? errReply(1054, "no column") : okReply());
    const { send, variables } = await world({ script });
    expect(await send(query("select * from t"))).toBe(0);
    variables.database = "information_schema";
    expect(await send(query("use information_schema; select bad"))).toBe(1054);
    expect(await send(query("select * from t"))).toBe(1142);
  });

  it("denies before any backend is contacted, and acquires one for what it may permit", async () => {
    const { send, harness } = await world({ database: null });
    expect(await send(query("select * from d.secret"))).toBe(1142);
    expect(await send(prepare("select * from d.secret"))).toBe(1142);
    expect(harness.backends.length).toBe(0);
    expect(await send(query("select * from d.t"))).toBe(0);
    expect(harness.backends.length).toBe(1);
  });
});

describe("commands without text", () => {
  it("need no grant, but COM_DEBUG", async () => {
    const { send, harness } = await world();
    expect(await send(query("select 1"))).toBe(0);
    expect(await send(Buffer.of(0x0e))).toBe(0);
    expect(await send(Buffer.from([0x1b, 0, 0]))).toBe(0);
    expect(await send(Buffer.of(0x1f))).toBe(0);
    expect(await send(Buffer.of(0x0d))).toBe(1227);
    expect(harness.audit.find(({ kind }) => kind === "denial")?.record).toMatchObject({
      command: "COM_DEBUG",
      error_code: 1227,
    });
  });

  it("that name tables and schemas are judged: COM_FIELD_LIST, COM_INIT_DB", async () => {
    const noColumns = toFrames(Buffer.from([0xfe, 0, 0, 2, 0]), 1);
    const { send } = await world({ script: (command) => (command[0] === 4 ? noColumns : okReply()) });
    expect(await send(Buffer.from("\x04secret\0"))).toBe(1142);
    expect(await send(Buffer.from("\x04t\0"))).toBe(0);
    expect(await send(Buffer.from("\x02other"))).toBe(1044);
    expect(await send(Buffer.from("\x02d"))).toBe(0);
  });
});

describe("judging again", () => {
  it("refuses statements that were prepared before a reload took the right away", async () => {
    const script: Script = (command) =>
      command[0] === 0x16 ? toFrames(Buffer.from([0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 1) : okReply();
    const { send, forbid, sent } = await world({ script });
    await send(prepare("select * from t"));
    expect(await send(query("prepare s from 'select * from t'"))).toBe(0);
    expect(await send(execute(1))).toBe(0);
    expect(await send(query("execute s"))).toBe(0);
    forbid();
    const before = sent().length;
    expect(await send(execute(1))).toBe(1142);
    expect(await send(query("execute s"))).toBe(1142);
    expect(sent().length).toBe(before);
  });

  it("remembers what a name stood for until a PREPARE has surely replaced it", async () => {
    const script: Script = (command) => (command.includes("bad") ? errReply(1054, "no column") : okReply());
    const { send, forbid } = await world({ script });
    expect(await send(query("prepare s from 'select * from t'"))).toBe(0);
    // The text fails before or behind its PREPARE: nobody knows.
    expect(await send(query("select bad; prepare s from 'select 1'"))).toBe(1054);
    forbid();
    expect(await send(query("execute s"))).toBe(1142);
    expect(await send(query("prepare s from 'select 1'"))).toBe(0);
    expect(await send(query("execute s"))).toBe(0);
  });
});

/** A result set of text rows in classic EOF framing. */
function rowsReply(columns: number, rows: readonly (readonly string[])[]): Buffer {
  const eof = Buffer.from([0xfe, 0, 0, 2, 0]);
  const definitions = Array.from({ length: columns }, () => Buffer.from("\x03defdefinition"));
  const packets = [
    Buffer.of(columns),
    ...definitions,
    eof,
    ...rows.map((row) =>
      Buffer.concat(row.map((value) => Buffer.concat([Buffer.of(value.length), Buffer.from(value)]))),
    ),
    eof,
  ];
  return Buffer.concat(packets.map((packet, index) => toFrames(packet, index + 1)));
}

describe("listings", () => {
  const rows = [
    ["mine", "BASE TABLE"],
    ["secret", "BASE TABLE"],
    ["t", "BASE TABLE"],
    ["zzz", "VIEW"],
  ];
  const namesOf = (reply: { frames: readonly { payload: Buffer }[] }): string[] =>
    reply.frames
      .map(({ payload }) => payload)
      .filter((payload) => payload[0] !== 0xfe && payload.length > 1 && payload[1] !== 0x64)
      .map((payload) => payload.subarray(1, 1 + (payload[0] ?? 0)).toString());

  it("have the rows that the user may read, numbered without gaps", async () => {
    const script: Script = (command) => (command.includes("show") ? rowsReply(2, rows) : okReply());
    const { client } = await world({ script });
    const reply = await client.command(query("show full tables"));
    expect(namesOf(reply)).toEqual(["mine", "t"]);
    expect(reply.frames.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it("are whole for exempt principals and in a dry run", async () => {
    const script: Script = (command) => (command.includes("show") ? rowsReply(2, rows) : okReply());
    for (const settings of [{ exempt: ["app_data"] }, { dryRun: true }]) {
      const { client } = await world({ script, settings });
      expect(namesOf(await client.command(query("show full tables")))).toHaveLength(4);
    }
  });

  it("among other statements, with a cursor, or carried by another statement are refused", async () => {
    const script: Script = (command) =>
      command[0] === 0x16 ? toFrames(Buffer.from([0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 1) : okReply();
    const { send } = await world({ script });
    expect(await send(query("select 1; show tables"))).toBe(1235);
    expect(await send(query("prepare s from 'show tables'"))).toBe(1235);
    await send(prepare("show tables"));
    expect(await send(execute(1, 1))).toBe(1235);
    expect(await send(execute(1))).toBe(0);
  });

  it("of grants come from the gateway", async () => {
    const { client, send, sent } = await world();
    const reply = await client.command(query("show grants"));
    const text = reply.frames.map(({ payload }) => payload.toString("latin1")).join("\n");
    expect(text).toContain("GRANT USAGE ON *.* TO `app`@`%`");
    expect(text).toContain("ON `d`.`t` TO `app`@`%`");
    expect(await send(prepare("show grants"))).toBe(0);
    expect(await send(query("show processlist"))).toBe(0);
    expect(sent()).toEqual([]);
  });
});

describe("records", () => {
  it("tell every denial with its rule, and no literal", async () => {
    const { send, harness } = await world();
    expect(await send(query("select 'hunter2' from secret"))).toBe(1142);
    const denial = harness.audit.find(({ kind }) => kind === "denial");
    expect(denial?.record).toMatchObject({
      command: "COM_QUERY",
      outcome: "denied",
      statement_kind: "SELECT",
      object: "table",
      name: "d.secret",
      role: "reader",
      rule_group: "g1",
      rule_entry: "d.secret",
      error_code: 1142,
    });
    expect(JSON.stringify(harness.audit)).not.toContain("hunter2");
    const counts = [...harness.metrics.tableAcl.values()];
    expect(counts).toContainEqual({
      outcome: "denied",
      group: "g1",
      entry: "d.secret",
      role: "reader",
      count: 1,
    });
  });

  it("of a dry run: what would be denied runs, and is recorded at every execution", async () => {
    const { send, harness, sent } = await world({ settings: { dryRun: true } });
    for (let times = 0; times < 2; times += 1) expect(await send(query("select * from secret"))).toBe(0);
    expect(sent()).toHaveLength(2);
    const denials = harness.audit.filter(({ kind }) => kind === "denial");
    expect(denials).toHaveLength(2);
    expect(denials[0]?.record).toMatchObject({ outcome: "dry_run", name: "d.secret" });
  });

  it("of exempt principals are counted", async () => {
    const { send, harness } = await world({ settings: { exempt: ["app_data"] } });
    expect(await send(query("select * from secret"))).toBe(0);
    expect(harness.metrics.tableAclExempt).toBe(1);
    expect(harness.audit.filter(({ kind }) => kind === "denial")).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { CLIENT_DEPRECATE_EOF } from "../../../src/wire/capabilities.ts";
import {
  COM_FIELD_LIST,
  COM_PING,
  COM_QUERY,
  COM_QUIT,
  COM_STATISTICS,
  COM_STMT_CLOSE,
  COM_STMT_EXECUTE,
  COM_STMT_FETCH,
  COM_STMT_PREPARE,
  COM_STMT_SEND_LONG_DATA,
} from "../../../src/wire/commands.ts";
import { FRAME_PAYLOAD_BYTES_MAX, INSPECTED_PAYLOAD_BYTES_MAX } from "../../../src/wire/limits.ts";
import { ResponseBoundary, UNTOLD_BYTES_MAX } from "../../../src/wire/response-boundary.ts";
import { playReply, walkReply } from "./play-reply.ts";
import { packets } from "./reply-bytes.ts";

const classic = 0;
const modern = CLIENT_DEPRECATE_EOF;

const column = "03646566 00 00 00 0161 00 0c 3f00 15000000 08 8100 00 0000";
const eof = "fe 0000 0200";
const eofMore = "fe 0000 0a00";
const okEnd = "fe 00 00 0200 0000";
const okEndMore = "fe 00 00 0a00 0000";
const ok = "00 00 00 0200 0000";
const okMore = "00 01 05 0a00 0000";
const err = "ff 1504 23 3238303030 6e6f";
const row = "01 31";

describe("ResponseBoundary finds the end of", () => {
  it.each<[string, number, number, string[]]>([
    ["an OK", COM_QUERY, classic, [ok]],
    ["an ERR", COM_QUERY, classic, [err]],
    ["a result, classic", COM_QUERY, classic, ["01", column, eof, row, row, eof]],
    ["a result, modern", COM_QUERY, modern, ["01", column, row, row, okEnd]],
    ["a result without rows", COM_QUERY, classic, ["01", column, eof, eof]],
    ["two results, classic", COM_QUERY, classic, ["01", column, eof, row, eofMore, "01", column, eof, eof]],
    ["two results, modern", COM_QUERY, modern, ["01", column, row, okEndMore, "01", column, okEnd]],
    ["CALL: results and an OK", COM_QUERY, modern, ["01", column, row, okEndMore, ok]],
    ["three OKs", COM_QUERY, classic, [okMore, okMore, ok]],
    ["an ERR behind a result", COM_QUERY, classic, ["01", column, eof, row, eofMore, err]],
    ["an ERR in the middle of rows, classic", COM_QUERY, classic, ["01", column, eof, row, err]],
    ["an ERR in the middle of rows, modern", COM_QUERY, modern, ["01", column, row, err]],
    ["an ERR in place of definitions", COM_QUERY, classic, ["02", column, err]],
    ["an ERR in place of the EOF", COM_QUERY, classic, ["01", column, err]],
    ["251 columns", COM_QUERY, classic, ["fc fb00", ...Array(251).fill(column), eof, eof]],
    ["a count in three bytes", COM_QUERY, modern, ["fd 020000", column, column, okEnd]],
    ["NULL rows: fb is no request here", COM_QUERY, classic, ["01", column, eof, "fb", "fb fb", eof]],
    ["a row that begins as an OK does", COM_STMT_EXECUTE, classic, ["01", column, eof, "00 00 31", eof]],
    [
      "a row that begins with fe and has 9 bytes",
      COM_QUERY,
      classic,
      ["01", column, eof, `fe ${"00".repeat(8)}`, eof],
    ],
    ["an empty text row", COM_QUERY, classic, ["01", column, eof, "00", eof]],
    ["an open cursor, classic", COM_STMT_EXECUTE, classic, ["01", column, "fe 0000 4200"]],
    ["an open cursor, modern", COM_STMT_EXECUTE, modern, ["01", column, "fe 00 00 4200 0000"]],
    [
      "rows of COM_QUERY under a stale cursor flag",
      COM_QUERY,
      classic,
      ["01", column, "fe 0000 4200", row, eof],
    ],
    ["fetched rows, classic", COM_STMT_FETCH, classic, ["00 00 31", "00 00 32", "fe 0000 c200"]],
    ["fetched rows, modern", COM_STMT_FETCH, modern, ["00 00 31", "fe 00 00 c200 0000"]],
    ["a fetch of nothing", COM_STMT_FETCH, classic, ["fe 0000 c200"]],
    ["a fetch without cursor", COM_STMT_FETCH, classic, [err]],
    ["a fetch under a MORE_RESULTS that cannot be", COM_STMT_FETCH, classic, [eofMore]],
    ["a field list, classic", COM_FIELD_LIST, classic, [column, column, eof]],
    ["a field list, modern", COM_FIELD_LIST, modern, [column, column, okEnd]],
    ["a field list of nothing", COM_FIELD_LIST, classic, [err]],
    ["statistics", COM_STATISTICS, classic, ["557074696d65"]],
    ["statistics that fail", COM_STATISTICS, classic, [err]],
    ["statistics that begin with fe", COM_STATISTICS, modern, ["fe"]],
    ["empty statistics", COM_STATISTICS, modern, [""]],
    ["a ping", COM_PING, modern, [ok]],
    ["a ping under a MORE_RESULTS that cannot be", COM_PING, modern, [okMore]],
    ["an option, classic", 0x1b, classic, [eof]],
    ["an option, modern", 0x1b, modern, [okEnd]],
    ["an option, modern, with an EOF all the same", 0x1b, modern, [eof]],
    ["an unknown command", 0x77, modern, [err]],
    ["a statement without anything", COM_STMT_PREPARE, classic, ["00 01000000 0000 0000 00 0000"]],
    [
      "a statement with parameters, classic",
      COM_STMT_PREPARE,
      classic,
      ["00 01000000 0000 0200 00 0000", column, column, eof],
    ],
    [
      "a statement with columns, classic",
      COM_STMT_PREPARE,
      classic,
      ["00 01000000 0100 0000 00 0000", column, eof],
    ],
    [
      "a statement with both, classic",
      COM_STMT_PREPARE,
      classic,
      ["00 01000000 0100 0100 00 0000", column, eof, column, eof],
    ],
    [
      "a statement with both, modern",
      COM_STMT_PREPARE,
      modern,
      ["00 01000000 0100 0100 00 0000", column, column],
    ],
    [
      "a statement with parameters, modern",
      COM_STMT_PREPARE,
      modern,
      ["00 01000000 0000 0100 00 0000", column],
    ],
    ["a statement that fails", COM_STMT_PREPARE, modern, [err]],
  ])("%s", (_, command, capabilities, bodies) => {
    const reply = packets(bodies);
    playReply({ command, capabilities, reply });
  });

  it.each([COM_STMT_SEND_LONG_DATA, COM_STMT_CLOSE, COM_QUIT])(
    "command %i, which has no reply",
    (command) => {
      const boundary = new ResponseBoundary(classic);
      boundary.begin(command);
      expect(boundary.state).toBe("complete");
      expect(boundary.feed(packets([ok]), 0, 11)).toBe(0);
    },
  );
});

describe("ResponseBoundary takes packets of 16 MiB", () => {
  const full = FRAME_PAYLOAD_BYTES_MAX;

  it.each([
    ["a continuation that begins with ff", 0x01, 0xff],
    ["a continuation that begins with fe", 0x01, 0xfe],
    ["a continuation that begins with 00", 0x01, 0x00],
    ["a row that begins with fe: its first value is that long", 0xfe, 0xfe],
  ])("%s", (_, first, continuation) => {
    for (const capabilities of [classic, modern]) {
      for (const tail of [0, 1, 5, 8]) {
        const head = packets(capabilities === classic ? ["01", column, eof] : ["01", column]);
        const big = Buffer.alloc(4 + full + 4 + tail, continuation);
        big.writeUIntLE(full, 0, 3);
        big[4] = first;
        big.writeUIntLE(tail, 4 + full, 3);
        big[4 + full + 3] = 9;
        const end = packets([capabilities === classic ? eof : okEnd]);
        const reply = Buffer.concat([head, big, end]);
        for (const cut of [
          head.length + 3,
          head.length + 4,
          head.length + 5,
          reply.length - end.length - tail - 2,
        ]) {
          const boundary = new ResponseBoundary(capabilities);
          boundary.begin(COM_QUERY);
          const from = boundary.feed(reply, 0, cut);
          expect(cut - from).toBeLessThanOrEqual(UNTOLD_BYTES_MAX);
          expect(boundary.state).toBe("more");
          expect(boundary.feed(reply, from, reply.length)).toBe(reply.length);
          expect(boundary.state).toBe("complete");
        }
      }
    }
  });

  it("in several frames, then an exact multiple's empty one", () => {
    const big = Buffer.alloc(2 * (4 + full) + 4);
    big.writeUIntLE(full, 0, 3);
    big[4] = 0xfd;
    big.writeUIntLE(full, 4 + full, 3);
    const reply = Buffer.concat([packets(["01", column]), big, packets([okEnd])]);
    const boundary = new ResponseBoundary(modern);
    boundary.begin(COM_QUERY);
    expect(boundary.feed(reply, 0, reply.length)).toBe(reply.length);
    expect(boundary.state).toBe("complete");
  });
});

describe("ResponseBoundary stops before", () => {
  it("bytes behind the end", () => {
    const reply = packets([ok]);
    const boundary = new ResponseBoundary(classic);
    boundary.begin(COM_QUERY);
    const longer = Buffer.concat([reply, packets([ok])]);
    expect(boundary.feed(longer, 0, longer.length)).toBe(reply.length);
    expect(boundary.state).toBe("complete");
    expect(boundary.feed(longer, reply.length, longer.length)).toBe(reply.length);
  });

  it("an ERR, and goes on to complete when it is accepted", () => {
    const reply = packets(["01", column, row, err]);
    const boundary = new ResponseBoundary(modern);
    boundary.begin(COM_QUERY);
    expect(boundary.feed(reply, 0, reply.length)).toBe(reply.length - 4 - 11);
    expect(boundary.state).toBe("inspect");
    expect(boundary.inspectKind).toBe("err");
    boundary.accept(reply.subarray(-11));
    expect(boundary.state).toBe("complete");
    expect(boundary.summary.errorCode).toBe(1045);
  });

  it("a request for a file, then goes on with the result", () => {
    const request = packets(["fb 2f746d702f78"]);
    const boundary = new ResponseBoundary(classic);
    boundary.begin(COM_QUERY);
    expect(boundary.feed(request, 0, request.length)).toBe(0);
    expect(boundary.inspectKind).toBe("local_infile");
    boundary.accept(request.subarray(4));
    expect(boundary.state).toBe("more");
    const reply = packets([ok]);
    expect(boundary.feed(reply, 0, reply.length)).toBe(reply.length);
    expect(boundary.state).toBe("complete");
  });

  it("PREPARE_OK, and knows its numbers afterwards", () => {
    const reply = packets(["00 feffffff 0100 0200 00 0300", column, column, column]);
    const boundary = new ResponseBoundary(modern);
    boundary.begin(COM_STMT_PREPARE);
    expect(boundary.feed(reply, 0, reply.length)).toBe(0);
    expect(boundary.inspectKind).toBe("prepare_ok");
    boundary.accept(reply.subarray(4, 16));
    expect(boundary.summary).toMatchObject({
      statementId: 0xfffffffe,
      columnCount: 1,
      parameterCount: 2,
      warnings: 3,
    });
    expect(boundary.feed(reply, 16, reply.length)).toBe(reply.length);
    expect(boundary.state).toBe("complete");
  });

  it("nothing of a result of more columns than a table can have", () => {
    const reply = packets(["fd 010001", ...Array<string>(0x10001).fill(column), row, okEnd]);
    const walk = walkReply({ command: COM_QUERY, capabilities: modern, reply });
    expect(walk).toMatchObject({ fault: "", completeAt: reply.length });
  });

  it("OKs that may carry session state, when it was asked to", () => {
    const long = "00 00 00 0240 0000 00 04 01020161";
    for (const [bodies, expected] of [
      [[ok], 0],
      [[long], 1],
      [["01", column, row, okEnd], 0],
      [["01", column, row, "fe 00 00 0240 0000 00 04 01020161"], 1],
      [["01", column, row, "fe 00 00 0a40 0000 00 04 01020161", long], 2],
    ] as [string[], number][]) {
      const walk = walkReply({
        command: COM_QUERY,
        capabilities: modern,
        inspectSessionTrack: true,
        reply: packets(bodies),
      });
      expect(walk.inspected.filter((kind) => kind === "ok").length).toBe(expected);
    }
  });

  it("no OK otherwise", () => {
    const reply = packets(["00 00 00 0240 0000 00 04 01020161"]);
    expect(walkReply({ command: COM_QUERY, capabilities: modern, reply }).inspected).toEqual([]);
  });
});

describe("ResponseBoundary breaks on", () => {
  const failing = (bodies: string[], command = COM_QUERY, capabilities = classic): string =>
    walkReply({ command, capabilities, reply: packets(bodies) }).fault;

  it.each<[string, string[], string]>([
    ["an empty packet first", [""], "a packet is empty"],
    ["an empty packet among rows", ["01", column, eof, ""], "a packet is empty"],
    ["no columns in two bytes", ["fc 0000"], "a column count is not possible"],
    ["a column count of eight bytes", ["fe 0100000000000000"], "a column count is not possible"],
    ["an EOF in place of a result", [eof], "a column count is not possible"],
    ["a column count with a rest", ["01 00"], "a column count is not possible"],
    ["a column count cut short", ["fc 01"], "a column count is not possible"],
    [
      "a long packet that begins as a count does",
      ["01 00 00 00 00 00 00 00 00 00"],
      "a column count is too long",
    ],
    ["an OK cut short", ["00 00 00 0200"], "an OK has no possible length"],
    ["an OK whose counts reach beyond it", ["00 fe 00 0200 0000"], "an OK is cut short"],
    ["an OK whose last insert id reaches beyond it", ["00 00 fe 0200 0000 00"], "an OK is cut short"],
    ["an ERR without code", ["ff 15"], "a packet is cut short"],
    ["another packet in place of the EOF", ["01", column, row], "an EOF was due"],
    ["an EOF of four bytes among rows", ["01", column, eof, "fe 0000 02"], "an EOF is cut short"],
    ["a bare fe among rows", ["01", column, eof, "fe"], "an EOF is cut short"],
  ])("%s", (_, bodies, fault) => {
    expect(failing(bodies)).toBe(fault);
  });

  it.each<[string, number, string[], string]>([
    ["a result in place of an OK", COM_PING, ["01"], "an OK, EOF or ERR was due"],
    ["a result in place of PREPARE_OK", COM_STMT_PREPARE, ["01"], "PREPARE_OK or ERR was due"],
    ["a short PREPARE_OK", COM_STMT_PREPARE, [ok], "a packet is cut short"],
    [
      "a definition too many behind PREPARE_OK",
      COM_STMT_PREPARE,
      ["00 01000000 0000 0100 00 0000", column, column],
      "an EOF was due",
    ],
  ])("%s", (_, command, bodies, fault) => {
    expect(failing(bodies, command)).toBe(fault);
  });

  it.each([
    ["an ERR", 0xff, "a packet is too long to be inspected"],
    ["a request for a file", 0xfb, "a packet is too long to be inspected"],
  ])("%s that is too long to be read whole, before a byte of it is kept", (_, first, fault) => {
    for (const length of [INSPECTED_PAYLOAD_BYTES_MAX + 1, FRAME_PAYLOAD_BYTES_MAX]) {
      const header = Buffer.from([0, 0, 0, 1, first]);
      header.writeUIntLE(length, 0, 3);
      const boundary = new ResponseBoundary(classic);
      boundary.begin(COM_QUERY);
      expect(boundary.feed(header, 0, 5)).toBe(0);
      expect(boundary.state).toBe("broken");
      expect(boundary.fault).toBe(fault);
    }
  });

  it("a definition of 16 MiB", () => {
    const bytes = Buffer.concat([packets(["01"]), Buffer.from([0xff, 0xff, 0xff, 2, 3])]);
    const boundary = new ResponseBoundary(classic);
    boundary.begin(COM_QUERY);
    expect(boundary.feed(bytes, 0, bytes.length)).toBe(5);
    expect(boundary.fault).toBe("a definition is too long");
  });

  it("an ERR of 16 MiB among rows, which cannot be a row", () => {
    const bytes = Buffer.concat([packets(["01", column]), Buffer.from([0xff, 0xff, 0xff, 2, 0xff])]);
    const boundary = new ResponseBoundary(modern);
    boundary.begin(COM_QUERY);
    boundary.feed(bytes, 0, bytes.length);
    expect(boundary.state).toBe("broken");
  });

  it("and stays so", () => {
    const boundary = new ResponseBoundary(classic);
    boundary.begin(COM_QUERY);
    const bytes = packets(["", ok]);
    boundary.feed(bytes, 0, bytes.length);
    expect(boundary.feed(bytes, 4, bytes.length)).toBe(4);
    expect(boundary.state).toBe("broken");
  });
});

describe("ReplySummary", () => {
  const summaryOf = (bodies: string[], capabilities = modern) =>
    walkReply({ command: COM_QUERY, capabilities, reply: packets(bodies) }).boundary.summary;

  it("tells the last OK", () => {
    expect(summaryOf([okMore, "00 fc0001 00 0300 0700"])).toMatchObject({
      affectedRows: 256,
      hadInsertId: true,
      statusFlags: 3,
      warnings: 7,
      resultCount: 2,
      resultSetCount: 0,
      errorCode: 0,
    });
  });

  it.each([
    ["00 fa 00 0200 0000", 250],
    ["00 fdffffff 00 0200 0000", 0xffffff],
    ["00 feffffffffffff1f00 00 0200 0000", Number.MAX_SAFE_INTEGER],
    ["00 fe0000000100000000 00 0200 0000", 0x1000000],
    ["00 feffffffffffffffff 00 0200 0000", 2 ** 64],
  ])("reads affected rows of every width: %s", (body, affectedRows) => {
    expect(summaryOf([body])).toMatchObject({ affectedRows, hadInsertId: false });
  });

  it("tells results and warnings of rows, and no affected rows under classic EOF", () => {
    expect(summaryOf(["01", column, eof, row, "fe 0500 2200"], classic)).toMatchObject({
      affectedRows: -1,
      statusFlags: 0x22,
      warnings: 5,
      resultCount: 1,
      resultSetCount: 1,
    });
  });

  it("tells the error of a command that else has a bare text", () => {
    const { boundary } = walkReply({ command: COM_STATISTICS, capabilities: modern, reply: packets([err]) });
    expect(boundary.summary.errorCode).toBe(1045);
  });

  it("keeps the status flags over an ERR, and forgets the rest at the next reply", () => {
    const boundary = new ResponseBoundary(modern);
    for (const [body, expected] of [
      ["00 01 05 0300 0900", { statusFlags: 3, errorCode: 0, hadInsertId: true, warnings: 9 }],
      [
        err,
        {
          statusFlags: 3,
          errorCode: 1045,
          hadInsertId: false,
          warnings: 0,
          affectedRows: -1,
          resultCount: 0,
        },
      ],
      [ok, { statusFlags: 2, errorCode: 0 }],
    ] as const) {
      walkReply({ command: COM_QUERY, capabilities: modern, reply: packets([body]) }, boundary);
      expect(boundary.summary).toMatchObject(expected);
    }
  });
});

// Where a server's response ends, packet by packet, for clients of tests: a second opinion beside src/wire, made of the
// same facts (https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html) and simpler, as it
// sees whole packets and may be slow.

const moreResults = 0x0008;
const cursorExists = 0x0040;
const outParameters = 0x1000;

type State = "first" | "columns" | "columns-eof" | "rows" | "prepare" | "definitions" | "one" | "done";

const startStates: Readonly<Record<number, State>> = {
  1: "done", // COM_QUIT
  4: "rows", // COM_FIELD_LIST: definitions until EOF
  9: "one", // COM_STATISTICS
  22: "prepare",
  24: "done", // COM_STMT_SEND_LONG_DATA
  25: "done", // COM_STMT_CLOSE
  28: "rows", // COM_STMT_FETCH
};

/** What the client does after a packet. */
export type AfterPacket = "more" | "infile" | "done";

/** Follows one response. */
export class ResponseEnd {
  private state: State;
  private left = 0;
  private eofs = 0;
  /** MySQL forgets MORE_RESULTS in the EOF behind OUT parameters: the EOF before them tells it, and clients know. */
  private moreBehindOutParameters = 0;
  private readonly deprecateEof: boolean;
  /** How many result sets, OKs and ERRs the response had. */
  results = 0;

  constructor(command: number, deprecateEof: boolean) {
    this.state = startStates[command] ?? "first";
    this.deprecateEof = deprecateEof;
  }

  get expectsNothing(): boolean {
    return this.state === "done";
  }

  /** Takes one whole packet (frames joined). */
  push(packet: Buffer): AfterPacket {
    const first = packet[0] ?? -1;
    switch (this.state) {
      case "one":
        return this.end();
      case "first":
        return this.firstPacket(packet, first);
      case "columns":
        if (--this.left === 0) this.state = this.deprecateEof ? "rows" : "columns-eof";
        return "more";
      case "columns-eof": {
        const status = packet.readUInt16LE(3);
        // With more results to come it is a cursor inside a procedure, and the rows follow.
        if ((status & (cursorExists | moreResults)) === cursorExists) return this.end();
        this.moreBehindOutParameters = status & outParameters ? status & moreResults : 0;
        this.state = "rows";
        return "more";
      }
      case "rows":
        if (first === 0xff) return this.end();
        if (first !== 0xfe) return "more";
        if (this.deprecateEof ? packet.length >= 0xffffff : packet.length >= 9) return "more";
        return this.afterResult(
          this.deprecateEof && packet.length >= 7 ? okStatus(packet) : packet.readUInt16LE(3),
        );
      case "prepare": {
        if (first !== 0) return this.end();
        const columns = packet.readUInt16LE(5);
        const parameters = packet.readUInt16LE(7);
        this.left = columns + parameters;
        this.eofs = this.deprecateEof ? 0 : (columns > 0 ? 1 : 0) + (parameters > 0 ? 1 : 0);
        this.left += this.eofs;
        if (this.left === 0) return this.end();
        this.state = "definitions";
        return "more";
      }
      case "definitions":
        return --this.left === 0 ? this.end() : "more";
      case "done":
        throw new Error("a packet after the end of the response");
    }
  }

  private firstPacket(packet: Buffer, first: number): AfterPacket {
    if (first === 0xff) return this.end();
    if (first === 0x00) return this.afterResult(okStatus(packet));
    if (first === 0xfb) return "infile";
    if (first === 0xfe && packet.length < 9) return this.end(); // EOF of SET_OPTION, DEBUG; OK in DEPRECATE_EOF
    this.left = lenenc(packet, 0).value;
    this.state = "columns";
    return "more";
  }

  private afterResult(status: number): AfterPacket {
    this.results++;
    const more = (status | this.moreBehindOutParameters) & moreResults;
    this.moreBehindOutParameters = 0;
    if (more) {
      this.state = "first";
      return "more";
    }
    this.state = "done";
    return "done";
  }

  private end(): AfterPacket {
    this.results++;
    this.state = "done";
    return "done";
  }
}

/** A length-encoded integer (those that fit a number) and the offset behind it. */
export function lenenc(bytes: Buffer, offset: number): { value: number; next: number } {
  const first = bytes[offset] ?? 0;
  if (first < 0xfb) return { value: first, next: offset + 1 };
  if (first === 0xfc) return { value: bytes.readUInt16LE(offset + 1), next: offset + 3 };
  if (first === 0xfd) return { value: bytes.readUIntLE(offset + 1, 3), next: offset + 4 };
  return { value: Number(bytes.readBigUInt64LE(offset + 1)), next: offset + 9 };
}

/** The status flags of an OK packet (header 00 or fe). */
export function okStatus(packet: Buffer): number {
  const affected = lenenc(packet, 1);
  const insertId = lenenc(packet, affected.next);
  return packet.readUInt16LE(insertId.next);
}

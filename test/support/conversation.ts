// The same conversation held twice, direct and through the gateway, and compared byte for byte: headers, sequence
// numbers, bodies. What may differ (statement ids) is masked where it is read; everything else must be equal.
import { createHash } from "node:crypto";
import { toFrames } from "./raw/frame-reader.ts";
import type { BoundParameter } from "./raw/prepared.ts";
import {
  encodeClose,
  encodeExecute,
  encodeFetch,
  encodeLongData,
  encodePrepare,
  encodeReset,
} from "./raw/prepared.ts";
import type { CommandOptions, RawClient, Reply } from "./raw/raw-client.ts";

/** One exchange of a conversation. */
export interface Exchange {
  readonly label: string;
  /** All bytes of the reply, ids masked; a digest for large ones. */
  readonly bytes: string;
  readonly packetCount: number;
}

/** Speaks over one client and keeps what it hears. */
export class Conversation {
  readonly client: RawClient;
  readonly exchanges: Exchange[] = [];
  private readonly statementIds = new Map<string, number>();

  constructor(client: RawClient) {
    this.client = client;
  }

  /** A command by its bytes. */
  async command(label: string, payload: Uint8Array, options: CommandOptions = {}): Promise<Reply> {
    const reply = await this.client.command(payload, options);
    this.note(label, reply, options);
    return reply;
  }

  query(sql: string | Buffer, options: CommandOptions = {}): Promise<Reply> {
    const text = typeof sql === "string" ? Buffer.from(sql) : sql;
    const label = text.length > 200 ? `${text.toString("latin1", 0, 200)}...` : text.toString("latin1");
    return this.command(label, Buffer.concat([Buffer.from([3]), text]), options);
  }

  /** COM_STMT_PREPARE; `name` stands for the id from here on. */
  async prepare(name: string, sql: string): Promise<Reply> {
    const reply = await this.client.command(encodePrepare(sql));
    const first = reply.packets[0];
    if (reply.error === null && first !== undefined) this.statementIds.set(name, first.readUInt32LE(1));
    this.note(`PREPARE ${sql.slice(0, 200)}`, reply, {}, true);
    return reply;
  }

  execute(
    name: string,
    parameters: readonly BoundParameter[] = [],
    options: { cursor?: number; sendTypes?: boolean } & CommandOptions = {},
  ): Promise<Reply> {
    return this.command(`EXECUTE ${name}`, encodeExecute(this.idOf(name), parameters, options), options);
  }

  fetch(name: string, rows: number): Promise<Reply> {
    return this.command(`FETCH ${rows} of ${name}`, encodeFetch(this.idOf(name), rows));
  }

  /** No answer follows: what went wrong shows at the next execute. */
  longData(name: string, index: number, data: Buffer): Promise<Reply> {
    return this.command(`LONG DATA for ${name}`, encodeLongData(this.idOf(name), index, data));
  }

  reset(name: string): Promise<Reply> {
    return this.command(`RESET ${name}`, encodeReset(this.idOf(name)));
  }

  /** No answer follows. */
  close(name: string): Promise<Reply> {
    return this.command(`CLOSE ${name}`, encodeClose(this.idOf(name)));
  }

  private idOf(name: string): number {
    const id = this.statementIds.get(name);
    if (id === undefined) throw new Error(`no statement ${name}`);
    return id;
  }

  private note(label: string, reply: Reply, options: CommandOptions, prepared = false): void {
    if (options.digestOnly) {
      this.exchanges.push({ label, bytes: reply.digest, packetCount: reply.packetCount });
      return;
    }
    const frames = reply.frames.map(({ sequence, payload }, index) => {
      if (index === 0 && prepared && payload[0] === 0) {
        return toFrames(
          Buffer.concat([payload.subarray(0, 1), Buffer.alloc(4), payload.subarray(5)]),
          sequence,
        );
      }
      if (payload[0] === 0xff) return toFrames(this.maskIds(payload), sequence);
      const header = Buffer.from([payload.length, payload.length >> 8, payload.length >> 16, sequence]);
      return Buffer.concat([header, payload]);
    });
    const bytes = Buffer.concat(frames);
    const shown =
      bytes.length > 100_000
        ? `${bytes.length} bytes, ${createHash("sha256").update(bytes).digest("hex")}`
        : bytes.toString("hex");
    this.exchanges.push({ label, bytes: shown, packetCount: reply.packetCount });
  }

  /** `Unknown prepared statement handler (17) given to ...` shows an id: the client's own on both sides. */
  private maskIds(payload: Buffer): Buffer {
    let text = payload.toString("latin1");
    for (const [name, id] of this.statementIds) text = text.replace(`(${id})`, `(${name})`);
    return Buffer.from(text, "latin1");
  }
}

/** What a comparison found. */
export interface Comparison {
  readonly exchanges: number;
  readonly packets: number;
  readonly differences: readonly string[];
}

/** Compares two recorded conversations. */
export function compare(direct: readonly Exchange[], gateway: readonly Exchange[]): Comparison {
  const differences: string[] = [];
  const count = Math.max(direct.length, gateway.length);
  for (let index = 0; index < count; index++) {
    const left = direct[index];
    const right = gateway[index];
    if (left?.label !== right?.label) {
      differences.push(`the conversations part at ${index}: '${left?.label}' and '${right?.label}'`);
      break;
    }
    if (left === undefined || right === undefined || left.bytes === right.bytes) continue;
    differences.push(`${left.label}\n  direct  ${describe(left.bytes)}\n  gateway ${describe(right.bytes)}`);
  }
  const packets = direct.reduce((sum, exchange) => sum + exchange.packetCount, 0);
  return { exchanges: direct.length, packets, differences };
}

function describe(bytes: string): string {
  if (!/^[0-9a-f]*$/.test(bytes)) return bytes;
  const text = Buffer.from(bytes, "hex")
    .toString("latin1")
    .replace(/[^ -~]/g, ".");
  return `${bytes.slice(0, 1200)}  ${text.slice(0, 600)}`;
}

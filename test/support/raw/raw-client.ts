// A MySQL client that says exactly what it is told and records exactly what it hears: for logins of every kind, for
// byte-for-byte comparisons and for bad manners. Login itself is in login.ts.
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { connect as connectNet } from "node:net";
import type { Duplex } from "node:stream";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { connect as connectTls } from "node:tls";
import { within } from "../scratch.ts";
import { capability, usualCapabilities } from "./capabilities.ts";
import type { Frame } from "./frame-reader.ts";
import { FrameReader, toFrames } from "./frame-reader.ts";
import type { ErrorFields, Greeting } from "./packets.ts";
import { decodeError, decodeGreeting, decodeTextRow, encodeLoginHead } from "./packets.ts";
import { lenenc, ResponseEnd } from "./response-end.ts";

/** Where a server listens. */
export type Address =
  | { readonly port: number; readonly host?: string; readonly localAddress?: string }
  | { readonly socketPath: string };

/** A whole response, as it came. */
export interface Reply {
  /** Frames in order; empty when only a digest was asked for. */
  readonly frames: readonly Frame[];
  /** Packets: frames joined where a body continues. */
  readonly packets: readonly Buffer[];
  /** SHA-256 over all bytes with their headers. */
  readonly digest: string;
  readonly byteCount: number;
  readonly packetCount: number;
  /** Result sets, OKs and ERRs. */
  readonly resultCount: number;
  /** The last packet's error; null when the response did not end in one. */
  readonly error: ErrorFields | null;
}

/** What a command may need beside its bytes. */
export interface CommandOptions {
  /** Answers a LOCAL INFILE request: chunks that are sent as packets before the empty one. */
  readonly infile?: (name: string) => readonly Uint8Array[];
  /** Keep only digest and counts: for very large replies. */
  readonly digestOnly?: boolean;
  /** Called after every packet; a promise delays the next read: a slow reader. */
  readonly afterPacket?: (packetCount: number, byteCount: number) => Promise<void> | undefined;
  readonly timeoutMs?: number;
}

/** One connection. Made by {@link RawClient.connect} or {@link RawClient.over}. */
export class RawClient {
  stream: Duplex;
  reader: FrameReader;
  readonly greeting: Greeting;
  /** The capabilities of the login; 0 before. */
  capabilities = 0;
  /** The scramble that the next password answers. */
  scramble: Buffer;
  /** Whether TLS is on or the transport is a unix socket. */
  secure: boolean;
  /** The sequence number of the next frame during login. */
  sequence = 1;

  private constructor(stream: Duplex, reader: FrameReader, greeting: Greeting, secure: boolean) {
    this.stream = stream;
    this.reader = reader;
    this.greeting = greeting;
    this.scramble = greeting.scramble;
    this.secure = secure;
  }

  /** Connects and reads the greeting. Throws ServerRefused when an ERR comes instead of one. */
  static async connect(address: Address, before?: Uint8Array): Promise<RawClient> {
    const socket = await openSocket(address);
    if (before !== undefined) socket.write(before);
    return RawClient.over(socket, "socketPath" in address);
  }

  /** Reads the greeting from a stream that is connected already. */
  static async over(stream: Duplex, secure = false): Promise<RawClient> {
    const reader = new FrameReader(stream);
    const { payload } = await reader.readFrame();
    const refusal = decodeError(payload);
    if (refusal !== null) {
      stream.destroy();
      throw new ServerRefused(refusal);
    }
    return new RawClient(stream, reader, decodeGreeting(payload), secure);
  }

  /** Sends an SSLRequest and does the TLS handshake. Certificates are not checked unless `options` says so. */
  async startTls(options: ConnectionOptions = {}, capabilities = usualCapabilities): Promise<TLSSocket> {
    this.stream.write(toFrames(encodeLoginHead(capabilities | capability.SSL, 45), this.sequence++));
    this.reader.detach();
    const tls = connectTls({ socket: this.stream as Socket, rejectUnauthorized: false, ...options });
    await within(once(tls, "secureConnect"), "TLS handshake");
    this.stream = tls;
    this.reader = new FrameReader(tls);
    this.secure = true;
    return tls;
  }

  /** Sends one packet of the login conversation. */
  sendLoginPacket(payload: Uint8Array): void {
    this.stream.write(toFrames(payload, this.sequence));
    this.sequence = (this.sequence + Math.floor(payload.length / 0xffffff) + 1) & 0xff;
  }

  /** Reads one packet of the login conversation and keeps count of its sequence number. */
  async readLoginPacket(): Promise<Buffer> {
    const frame = await this.reader.readFrame();
    if (frame.sequence !== this.sequence) {
      throw new Error(`login packet has sequence ${frame.sequence}, expected ${this.sequence}`);
    }
    this.sequence = (frame.sequence + 1) & 0xff;
    return frame.payload;
  }

  /** Sends a command (its first byte is the command's number) and reads the whole response. */
  async command(payload: Uint8Array, options: CommandOptions = {}): Promise<Reply> {
    this.stream.write(toFrames(payload));
    return this.readReply(payload[0] ?? -1, options);
  }

  /** COM_QUERY. */
  query(sql: string, options: CommandOptions = {}): Promise<Reply> {
    return this.command(Buffer.concat([Buffer.from([3]), Buffer.from(sql)]), options);
  }

  /** The cells of the first result set of a text query. Throws when the server answered with an error. */
  async rows(sql: string, options: CommandOptions = {}): Promise<(string | null)[][]> {
    const reply = await this.query(sql, options);
    if (reply.error !== null) throw new Error(`${reply.error.code} ${reply.error.message}`);
    const [head, ...rest] = reply.packets;
    const columns = head === undefined ? 0 : lenenc(head, 0).value;
    const eof = this.capabilities & capability.DEPRECATE_EOF ? 0 : 1;
    return rest.slice(columns + eof, -1).map(decodeTextRow);
  }

  /** Reads the response to a command that was sent already. */
  async readReply(command: number, options: CommandOptions = {}): Promise<Reply> {
    const end = new ResponseEnd(command, (this.capabilities & capability.DEPRECATE_EOF) !== 0);
    const frames: Frame[] = [];
    const packets: Buffer[] = [];
    const hash = createHash("sha256");
    let byteCount = 0;
    let packetCount = 0;
    let last: Buffer = Buffer.alloc(0);
    let parts: Buffer[] = [];
    for (let state = end.expectsNothing ? "done" : "more"; state !== "done"; ) {
      const frame = await this.reader.readFrame(options.timeoutMs);
      hash.update(Buffer.from([frame.length, frame.length >> 8, frame.length >> 16, frame.sequence]));
      hash.update(frame.payload);
      byteCount += 4 + frame.length;
      if (!options.digestOnly) frames.push(frame);
      parts.push(frame.payload);
      if (frame.length === 0xffffff) continue;
      last = parts.length === 1 ? frame.payload : Buffer.concat(parts);
      parts = [];
      packetCount++;
      if (!options.digestOnly) packets.push(last);
      state = end.push(last);
      if (state === "infile") this.answerInfile(last, frame.sequence, options);
      await options.afterPacket?.(packetCount, byteCount);
    }
    return {
      frames,
      packets,
      digest: hash.digest("hex"),
      byteCount,
      packetCount,
      resultCount: end.results,
      error: decodeError(last),
    };
  }

  private answerInfile(request: Buffer, sequence: number, options: CommandOptions): void {
    let next = sequence + 1;
    for (const chunk of options.infile?.(request.toString("utf8", 1)) ?? []) {
      if (chunk.length > 0) this.stream.write(toFrames(chunk, next++));
    }
    this.stream.write(toFrames(Buffer.alloc(0), next));
  }

  /** Resolves when the server has closed the connection; the bytes that came before it did. */
  readToEnd(timeoutMs = 10_000): Promise<Buffer> {
    return this.reader.readToEnd(timeoutMs);
  }

  /** COM_QUIT, then waits for the server to close. */
  async quit(): Promise<void> {
    this.stream.write(toFrames(Buffer.from([1])));
    await this.readToEnd();
    this.stream.destroy();
  }

  /** Vanishes. */
  destroy(): void {
    this.stream.destroy();
  }
}

/** Thrown when a server's first packet is an ERR. */
export class ServerRefused extends Error {
  override readonly name = "ServerRefused";
  readonly fields: ErrorFields;
  constructor(fields: ErrorFields) {
    super(`${fields.code} (${fields.state}): ${fields.message}`);
    this.fields = fields;
  }
}

/** A connected socket without any protocol. */
export async function openSocket(address: Address): Promise<Socket> {
  const socket =
    "socketPath" in address
      ? connectNet({ path: address.socketPath })
      : connectNet({ host: "127.0.0.1", noDelay: true, ...address });
  await within(once(socket, "connect"), "connection");
  return socket;
}

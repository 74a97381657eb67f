// A backend connection in the pool's hands: what is known of its state, and how the gateway's own commands run on it
// while no session holds it.

import type { Permit } from "../acl/permit.ts";
import type { ByteChannel } from "../base/byte-channel.ts";
import { startTimeout } from "../base/timeouts.ts";
import { type Capabilities, CLIENT_MULTI_STATEMENTS, has } from "../wire/capabilities.ts";
import { encodeFrames } from "../wire/frames.ts";
import { decodeErr, isErr } from "../wire/packets/err.ts";
import { WireError } from "../wire/reader.ts";
import type { BackendConnectionId, ServerFacts } from "./backend-connection.ts";
import type { LoggedIn } from "./backend-login.ts";
import type { OwedLeftovers, ToldLeftovers } from "./backend-pool.ts";
import { type HousekeepingCommand, type HousekeepingReply, quitCommand, readReply } from "./housekeeping.ts";
import { BackendLoginError, quoteServer } from "./login-error.ts";
import { PacketStream } from "./packet-stream.ts";
import { PreparedCopies } from "./prepared-copies.ts";
import type { RestorableNames } from "./session-names.ts";
import { noSettings, type SessionSettings } from "./session-settings.ts";

/** Most bytes of one packet in reply to a command of our own. */
const replyPayloadBytesMax = 64 * 1024;

/** The schema that a connection is in: unknown after a session that did not tell. */
export type KnownSchema = { readonly known: true; readonly name: string | null } | { readonly known: false };

/** One connection, from login to close. */
export class PooledConnection {
  readonly channel: ByteChannel;
  readonly id: BackendConnectionId;
  readonly server: ServerFacts;
  readonly capabilities: Capabilities;
  /** Of the account that logged in. */
  readonly generation: number;
  /** The collation id of the login: MariaDB's resets go back to it. */
  readonly loginCollation: number;
  /** From then on it serves nobody any more, in monotonic milliseconds. */
  readonly retiresAtMs: number;
  /** Since when it is idle. */
  idleSinceMs = 0;
  /** The collation id whose names are in force. */
  collation: number;
  names: RestorableNames;
  /** What was set on it beyond its names. */
  settings: SessionSettings = noSettings;
  /** Whether it takes several statements at once. */
  multiStatements: boolean;
  /** What LAST_INSERT_ID() says, in digits; null: the server is to be asked. */
  insertId: string | null = "0";
  /** What is to be told to the session that left it before anything else happens on it; null: nothing. */
  owed: OwedLeftovers | null = null;
  /** Whether SHOW WARNINGS may tell of another session's statements, or of our own. */
  hasDiagnostics = false;
  schema: KnownSchema = { known: true, name: null };
  /** What the server has prepared on it for clients. */
  readonly prepared: PreparedCopies = new PreparedCopies();

  /** What is being asked now; null: nothing. */
  #conversation: PacketStream | null = null;

  constructor(
    loggedIn: LoggedIn,
    details: { readonly names: RestorableNames; readonly generation: number; readonly retiresAtMs: number },
  ) {
    this.channel = loggedIn.channel;
    this.id = loggedIn.id;
    this.server = loggedIn.server;
    this.capabilities = loggedIn.capabilities;
    this.generation = details.generation;
    this.loginCollation = loggedIn.collation;
    this.collation = loggedIn.collation;
    this.names = details.names;
    this.multiStatements = has(loggedIn.capabilities, CLIENT_MULTI_STATEMENTS);
    this.retiresAtMs = details.retiresAtMs;
  }

  get closed(): boolean {
    return this.channel.closed;
  }

  /** The only way of bytes to the server. See BackendConnection.send. */
  send(_permit: Permit, bytes: Uint8Array): boolean {
    return this.channel.write(bytes);
  }

  /**
   * Runs commands of our own, all sent at once; their replies in order. Afterwards the channel flows and wants its next
   * receiver at once.
   * @throws BackendLoginError when the connection is lost, breaks the protocol, or does not answer in time.
   */
  async converse(commands: readonly HousekeepingCommand[], timeoutMs: number): Promise<HousekeepingReply[]> {
    const replies = await converse(this, commands, timeoutMs, (stream) => {
      this.#conversation = stream;
    });
    // Of variables that are going to be removed, and the like.
    if (replies.some((reply) => "warnings" in reply && reply.warnings > 0)) this.hasDiagnostics = true;
    return replies;
  }

  /** Gives up what the server is being asked: whoever asked is told at once. */
  interrupt(reason: string): void {
    this.#conversation?.fail(new BackendLoginError("unreachable", reason));
  }

  /**
   * Watches it while nobody uses it: `onLost` is called once, with the reason, when the server closes it or says
   * something unasked (1053 and 4031 announce their end so).
   */
  watch(onLost: (reason: string) => void): void {
    let lost = false;
    const lose = (reason: string): void => {
      if (lost) return;
      lost = true;
      onLost(reason);
    };
    this.channel.setReceiver({
      onBytes: (chunk) => lose(unaskedReason(chunk)),
      onClosed: (error) => lose(error?.message ?? "the server closed it"),
    });
    this.channel.resume();
  }

  /** Tells the session that left it what it is owed; null: it was lost. */
  tellLeftovers(told: ToldLeftovers | null): void {
    const { owed } = this;
    this.insertId = told?.insertId ?? null;
    this.owed = null;
    owed?.tell(told);
  }

  /** Ends an idle connection with a word of farewell: servers log the others as aborted. */
  quit(): void {
    this.channel.setReceiver({ onBytes: () => {}, onClosed: () => {} });
    this.send(quitCommand.permit, encodeFrames(quitCommand.payload, 0));
    // Not end(): a server that hangs would keep the socket open.
    this.channel.destroy();
    this.tellLeftovers(null);
  }

  /** Ends it now. */
  destroy(): void {
    this.interrupt("The connection was closed");
    this.tellLeftovers(null);
    this.channel.setReceiver({ onBytes: () => {}, onClosed: () => {} });
    this.channel.destroy();
  }
}

/** What can send with a permit over a channel. */
interface Sender {
  readonly channel: ByteChannel;
  readonly capabilities: Capabilities;
  send(permit: Permit, bytes: Uint8Array): boolean;
}

async function converse(
  sender: Sender,
  commands: readonly HousekeepingCommand[],
  timeoutMs: number,
  onStream: (stream: PacketStream | null) => void = () => {},
): Promise<HousekeepingReply[]> {
  const stream = new PacketStream(sender.channel, replyPayloadBytesMax);
  onStream(stream);
  const timeout = startTimeout(timeoutMs, () =>
    stream.fail(new BackendLoginError("timeout", `No reply within ${timeoutMs} ms`)),
  );
  try {
    const [first] = commands;
    if (first === undefined) return [];
    // One write for all: the server reads and answers them one after the other.
    sender.send(first.permit, Buffer.concat(commands.map(({ payload }) => encodeFrames(payload, 0))));
    const replies: HousekeepingReply[] = [];
    for (const command of commands) replies.push(await readReply(stream, command, sender.capabilities));
    if (!stream.detach()) throw new BackendLoginError("protocol", "The server said more than it was asked");
    return replies;
  } catch (error) {
    if (error instanceof WireError) throw new BackendLoginError("protocol", error.message, { cause: error });
    throw error;
  } finally {
    onStream(null);
    timeout.cancel();
  }
}

/** Runs commands on a connection that no pool owns: control connections and health checks. */
export function converseOn(
  loggedIn: Pick<LoggedIn, "channel" | "capabilities">,
  commands: readonly HousekeepingCommand[],
  timeoutMs: number,
): Promise<HousekeepingReply[]> {
  const { channel, capabilities } = loggedIn;
  return converse(
    { channel, capabilities, send: (_permit, bytes) => channel.write(bytes) },
    commands,
    timeoutMs,
  );
}

function unaskedReason(chunk: Uint8Array): string {
  const payload = chunk.subarray(4);
  if (!isErr(payload) || payload.length < 3) return "the server sent bytes that nobody asked for";
  const { code, message } = decodeErr(payload);
  return `the server said ${code}: ${quoteServer(message)}`;
}

// A backend server in memory that keeps the state a pool cares about: schema, character sets, who is logged in. It
// answers the gateway's own commands as MySQL or MariaDB do; tests see every command and can spoil any answer.
import { type Duplex, duplexPair } from "node:stream";
import type { BackendConnectionId } from "../../src/backend/backend-connection.ts";
import type { BackendLoginRequest, LoggedIn } from "../../src/backend/backend-login.ts";
import { DuplexChannel } from "../../src/base/duplex-channel.ts";
import { FrameReader, toFrames } from "./raw/frame-reader.ts";

export const okPayload: Buffer = Buffer.from([0, 0, 0, 2, 0, 0, 0]);

/** An ERR packet. */
export function errPayload(code: number, message: string): Buffer {
  return Buffer.concat([Buffer.from([0xff, code & 0xff, code >> 8]), Buffer.from(`#HY000${message}`)]);
}

/** A result of one row in classic EOF framing, header numbers from 1 on. */
export function rowReply(values: readonly (string | null)[]): Buffer {
  const eof = Buffer.from([0xfe, 0, 0, 2, 0]);
  const texts = values.map((value) =>
    value === null ? Buffer.from([0xfb]) : Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]),
  );
  const packets = [Buffer.from([values.length]), ...values.map(() => Buffer.from("definition")), eof];
  packets.push(Buffer.concat(texts), eof);
  return Buffer.concat(packets.map((packet, index) => toFrames(packet, index + 1)));
}

/** One connection, from the server's side. */
export class ServerSide {
  readonly id: number;
  readonly stream: Duplex;
  readonly request: BackendLoginRequest;
  /** `RESET`, `INIT_DB shop`, `QUERY select 1`, ... in the order of their arrival. */
  readonly commands: string[] = [];
  schema: string | null = null;
  closed = false;

  constructor(id: number, stream: Duplex, request: BackendLoginRequest) {
    this.id = id;
    this.stream = stream;
    this.request = request;
    stream.on("close", () => {
      this.closed = true;
    });
    stream.on("end", () => {
      this.closed = true;
    });
    stream.on("error", () => {});
  }
}

/** What a test may change. Undefined results mean: as usual. */
export interface BackendBehaviour {
  readonly flavour?: "mysql" | "mariadb";
  readonly onLogin?: (request: BackendLoginRequest) => Promise<void> | void;
  readonly onCommand?: (command: string, connection: ServerSide) => Buffer | null | undefined;
}

/** A server with any number of connections; `logIn` is what a pool takes. */
export class MemoryBackend {
  readonly connections: ServerSide[] = [];
  readonly #behaviour: BackendBehaviour;

  constructor(behaviour: BackendBehaviour = {}) {
    this.#behaviour = behaviour;
  }

  get open(): readonly ServerSide[] {
    return this.connections.filter((connection) => !connection.closed);
  }

  readonly logIn = async (request: BackendLoginRequest): Promise<LoggedIn> => {
    await this.#behaviour.onLogin?.(request);
    const [ours, theirs] = duplexPair();
    // The ends of a pair do not feel each other's destruction; sockets do.
    ours.on("close", () => theirs.destroy());
    theirs.on("close", () => ours.destroy());
    const connection = new ServerSide(this.connections.length + 1, theirs, request);
    this.connections.push(connection);
    void this.#serve(connection).catch(() => theirs.destroy());
    return {
      channel: new DuplexChannel(ours),
      id: connection.id as BackendConnectionId,
      server: {
        versionText: "8.4.3",
        flavour: this.#behaviour.flavour ?? "mariadb",
        versionNumber: 80403,
        capabilities: 0xffffffff,
        collation: 45,
      },
      capabilities: request.clientCapabilities,
      collation: request.collation ?? 45,
    };
  };

  async #serve(connection: ServerSide): Promise<void> {
    const reader = new FrameReader(connection.stream);
    for (;;) {
      const { payload } = await reader.readFrame();
      const command = describeCommand(payload);
      connection.commands.push(command);
      const own = this.#behaviour.onCommand?.(command, connection);
      const reply = own === undefined ? this.#usual(command, connection) : own;
      if (reply !== null) connection.stream.write(reply);
    }
  }

  #usual(command: string, connection: ServerSide): Buffer | null {
    if (command === "QUIT") {
      connection.stream.destroy();
      return null;
    }
    if (command.startsWith("INIT_DB ")) connection.schema = command.slice(8);
    if (command === "QUERY SELECT DATABASE()") return rowReply([connection.schema]);
    if (command.includes("@@character_set_client")) {
      return rowReply(["utf8mb4", "utf8mb4", `collation_${connection.request.collation}`]);
    }
    if (command.includes("@@lower_case_table_names")) return rowReply(["0", "OFF"]);
    if (command.startsWith("QUERY use ")) connection.schema = command.slice(10);
    return toFrames(okPayload, 1);
  }
}

const names: Readonly<Record<number, string>> = {
  1: "QUIT",
  2: "INIT_DB",
  3: "QUERY",
  14: "PING",
  27: "SET_OPTION",
  31: "RESET",
};

function describeCommand(payload: Buffer): string {
  const name = names[payload[0] ?? -1] ?? `COMMAND ${payload[0]}`;
  if (name === "SET_OPTION") return `${name} ${payload[1]}`;
  return payload.length > 1 ? `${name} ${payload.subarray(1).toString()}` : name;
}

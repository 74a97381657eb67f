// Packets of login and commands, encoded and decoded by hand for tests.
import { capability } from "./capabilities.ts";
import { lenenc } from "./response-end.ts";

/** What a greeting told. */
export interface Greeting {
  readonly version: string;
  readonly connectionId: number;
  readonly scramble: Buffer;
  readonly capabilities: number;
  readonly collation: number;
  readonly status: number;
  readonly plugin: string;
}

/** Decodes HandshakeV10. */
export function decodeGreeting(payload: Buffer): Greeting {
  if (payload[0] !== 10) throw new Error(`not a greeting: ${payload.subarray(0, 40).toString("hex")}`);
  const versionEnd = payload.indexOf(0, 1);
  let at = versionEnd + 1;
  const connectionId = payload.readUInt32LE(at);
  const start = payload.subarray(at + 4, at + 12);
  at += 13;
  const low = payload.readUInt16LE(at);
  const collation = payload[at + 2] ?? 0;
  const status = payload.readUInt16LE(at + 3);
  const high = payload.readUInt16LE(at + 5);
  const rest = payload.subarray(at + 18, at + 30);
  const pluginStart = at + 31;
  return {
    version: payload.toString("latin1", 1, versionEnd),
    connectionId,
    scramble: Buffer.concat([start, rest]),
    capabilities: (low | (high << 16)) >>> 0,
    collation,
    status,
    plugin: payload.toString("latin1", pluginStart, payload.indexOf(0, pluginStart)),
  };
}

/** What a HandshakeResponse41 says. */
export interface LoginFields {
  readonly user: string;
  readonly authResponse: Uint8Array;
  readonly plugin: string;
  readonly database: string;
  readonly capabilities: number;
  readonly collation: number;
  readonly attributes: Readonly<Record<string, string>>;
}

const nul = Buffer.from([0]);

/** A length-encoded integer below 2^24. */
export function encodeLenenc(value: number): Buffer {
  if (value < 0xfb) return Buffer.from([value]);
  const wide = Buffer.alloc(value < 0x10000 ? 3 : 4);
  wide[0] = value < 0x10000 ? 0xfc : 0xfd;
  wide.writeUIntLE(value, 1, wide.length - 1);
  return wide;
}

function lenencText(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([encodeLenenc(bytes.length), bytes]);
}

function encodeAttributes(attributes: Readonly<Record<string, string>>): Buffer {
  const body = Buffer.concat(
    Object.entries(attributes).flatMap(([key, value]) => [lenencText(key), lenencText(value)]),
  );
  return Buffer.concat([encodeLenenc(body.length), body]);
}

/** The first 32 bytes of a login: also the whole SSLRequest. */
export function encodeLoginHead(capabilities: number, collation: number): Buffer {
  const head = Buffer.alloc(32);
  head.writeUInt32LE(capabilities >>> 0, 0);
  head.writeUInt32LE(0x40000000, 4);
  head[8] = collation;
  return head;
}

/** HandshakeResponse41, laid out as its capabilities say. */
export function encodeLogin(fields: LoginFields): Buffer {
  const caps = fields.capabilities;
  const auth = Buffer.from(fields.authResponse);
  return Buffer.concat([
    encodeLoginHead(caps, fields.collation),
    Buffer.from(fields.user),
    nul,
    caps & capability.PLUGIN_AUTH_LENENC
      ? Buffer.concat([encodeLenenc(auth.length), auth])
      : caps & capability.SECURE_CONNECTION
        ? Buffer.concat([Buffer.from([auth.length]), auth])
        : Buffer.concat([auth, nul]),
    caps & capability.CONNECT_WITH_DB ? Buffer.concat([Buffer.from(fields.database), nul]) : Buffer.alloc(0),
    caps & capability.PLUGIN_AUTH ? Buffer.concat([Buffer.from(fields.plugin), nul]) : Buffer.alloc(0),
    caps & capability.CONNECT_ATTRS ? encodeAttributes(fields.attributes) : Buffer.alloc(0),
  ]);
}

/** COM_CHANGE_USER. */
export function encodeChangeUser(fields: LoginFields): Buffer {
  const auth = Buffer.from(fields.authResponse);
  return Buffer.concat([
    Buffer.from([0x11]),
    Buffer.from(fields.user),
    nul,
    Buffer.from([auth.length]),
    auth,
    Buffer.from(fields.database),
    nul,
    Buffer.from([fields.collation & 0xff, fields.collation >> 8]),
    fields.capabilities & capability.PLUGIN_AUTH
      ? Buffer.concat([Buffer.from(fields.plugin), nul])
      : Buffer.alloc(0),
    fields.capabilities & capability.CONNECT_ATTRS ? encodeAttributes(fields.attributes) : Buffer.alloc(0),
  ]);
}

/** An ERR packet's meaning. `state` is empty where the packet had none (before the capabilities are known). */
export interface ErrorFields {
  readonly code: number;
  readonly state: string;
  readonly message: string;
}

/** Decodes an ERR packet; null when `payload` is none. */
export function decodeError(payload: Buffer): ErrorFields | null {
  if (payload[0] !== 0xff || payload.length < 3) return null;
  const marked = payload[3] === 0x23;
  return {
    code: payload.readUInt16LE(1),
    state: marked ? payload.toString("latin1", 4, 9) : "",
    message: payload.toString("utf8", marked ? 9 : 3),
  };
}

/** The cells of a text row; null for NULL. */
export function decodeTextRow(payload: Buffer): (string | null)[] {
  const cells: (string | null)[] = [];
  for (let at = 0; at < payload.length; ) {
    if (payload[at] === 0xfb) {
      cells.push(null);
      at++;
      continue;
    }
    const { value, next } = lenenc(payload, at);
    cells.push(payload.toString("utf8", next, next + value));
    at = next + value;
  }
  return cells;
}

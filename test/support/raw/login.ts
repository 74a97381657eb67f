// The client's side of a login with every password method, as a record of what happened.
import type { ConnectionOptions } from "node:tls";
import { capability, usualCapabilities } from "./capabilities.ts";
import type { ErrorFields } from "./packets.ts";
import { decodeError, encodeChangeUser, encodeLogin } from "./packets.ts";
import { clearResponse, nativeResponse, rsaResponse, sha2Response } from "./passwords.ts";
import type { Address } from "./raw-client.ts";
import { RawClient } from "./raw-client.ts";

/** The plugins that a client can start with. */
export const plugins = [
  "mysql_native_password",
  "caching_sha2_password",
  "sha256_password",
  "mysql_clear_password",
] as const;

/** What a client says and does at login. */
export interface LoginOptions {
  readonly user: string;
  readonly password: string;
  /** The plugin to start with; default caching_sha2_password. */
  readonly plugin?: string;
  readonly database?: string;
  /** Default: {@link usualCapabilities}. CONNECT_WITH_DB and SSL are added as needed. */
  readonly capabilities?: number;
  readonly collation?: number;
  readonly attributes?: Readonly<Record<string, string>>;
  /** Replaces the first auth response. */
  readonly authResponse?: Uint8Array;
  /** Whether to ask for the server's RSA key on an insecure transport; default true. */
  readonly requestKey?: boolean;
}

/** How a login went. */
export interface LoginResult {
  readonly ok: boolean;
  /** null: accepted, or the client hung up by itself. */
  readonly error: ErrorFields | null;
  /** What the server said, e.g. `["switch mysql_native_password", "more 03", "ok"]`. */
  readonly trace: readonly string[];
  /** The OK's payload; null: refused. */
  readonly okPacket: Buffer | null;
}

/** Connects, upgrades to TLS when asked for, and logs in. The client is left open also when refused. */
export async function login(
  address: Address,
  options: LoginOptions,
  tls?: ConnectionOptions | true,
): Promise<{ client: RawClient; result: LoginResult }> {
  const client = await RawClient.connect(address);
  if (tls !== undefined) await client.startTls(tls === true ? {} : tls, options.capabilities);
  return { client, result: await logIn(client, options, tls !== undefined) };
}

/** A client that is logged in. Throws when it was refused. */
export async function loggedIn(
  address: Address,
  options: LoginOptions,
  tls?: ConnectionOptions | true,
): Promise<RawClient> {
  const { client, result } = await login(address, options, tls);
  if (!result.ok) {
    client.destroy();
    throw new Error(`login of ${options.user} refused: ${result.error?.code} ${result.error?.message}`);
  }
  return client;
}

/** Logs in over a client that has read its greeting. */
export async function logIn(
  client: RawClient,
  options: LoginOptions,
  tlsStarted = false,
): Promise<LoginResult> {
  const fields = fieldsOf(client, options, tlsStarted ? capability.SSL : 0);
  client.capabilities = fields.capabilities;
  client.sendLoginPacket(encodeLogin(fields));
  return converse(client, options);
}

/** COM_CHANGE_USER over a logged-in client. */
export async function changeUser(client: RawClient, options: LoginOptions): Promise<LoginResult> {
  const fields = fieldsOf(client, { ...options, capabilities: client.capabilities }, 0);
  client.sequence = 0;
  client.sendLoginPacket(encodeChangeUser(fields));
  return converse(client, options);
}

function fieldsOf(client: RawClient, options: LoginOptions, extra: number) {
  const plugin = options.plugin ?? "caching_sha2_password";
  const database = options.database ?? "";
  return {
    user: options.user,
    authResponse: options.authResponse ?? firstResponse(client, plugin, options.password),
    plugin,
    database,
    capabilities:
      ((options.capabilities ?? usualCapabilities) |
        extra |
        (database === "" ? 0 : capability.CONNECT_WITH_DB)) >>>
      0,
    collation: options.collation ?? 45,
    attributes: options.attributes ?? { _client_name: "raw" },
  };
}

function firstResponse(client: RawClient, plugin: string, password: string): Buffer {
  if (plugin === "mysql_native_password") return nativeResponse(password, client.scramble);
  if (plugin === "caching_sha2_password") return sha2Response(password, client.scramble);
  if (plugin === "sha256_password") {
    if (password === "") return Buffer.from([0]);
    return client.secure ? clearResponse(password) : Buffer.from([1]);
  }
  if (plugin === "mysql_clear_password") return clearResponse(password);
  return Buffer.alloc(0);
}

async function converse(client: RawClient, options: LoginOptions): Promise<LoginResult> {
  const trace: string[] = [];
  let plugin = options.plugin ?? "caching_sha2_password";
  for (;;) {
    const packet = await client.readLoginPacket();
    const error = decodeError(packet);
    if (error !== null) {
      trace.push(`err ${error.code}`);
      return { ok: false, error, trace, okPacket: null };
    }
    if (packet[0] === 0x00) {
      trace.push("ok");
      return { ok: true, error: null, trace, okPacket: packet };
    }
    if (packet[0] === 0xfe) {
      const end = packet.indexOf(0, 1);
      plugin = packet.toString("latin1", 1, end);
      client.scramble = Buffer.from(packet.subarray(end + 1, end + 21));
      trace.push(`switch ${plugin}`);
      client.sendLoginPacket(firstResponse(client, plugin, options.password));
      continue;
    }
    if (packet[0] !== 0x01) throw new Error(`unexpected login packet ${packet.toString("hex")}`);
    const more = packet.subarray(1);
    if (more.length > 1) {
      trace.push("more key");
      client.sendLoginPacket(rsaResponse(options.password, client.scramble, more.toString()));
      continue;
    }
    trace.push(`more ${more.toString("hex")}`);
    if (more[0] === 3) continue;
    if (client.secure) client.sendLoginPacket(clearResponse(options.password));
    else if (options.requestKey ?? true) client.sendLoginPacket(Buffer.from([2]));
    else {
      client.destroy();
      trace.push("hung up");
      return { ok: false, error: null, trace, okPacket: null };
    }
  }
}

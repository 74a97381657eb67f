// Turns accounts of a MySQL or MariaDB server into entries of a users file, and says what cannot be carried over. Pure.

import { isIP } from "node:net";
import { decodeNativeHash, decodeSha2Hash } from "../../users/credential.ts";
import type { EntryText } from "./users-file-edit.ts";

/** One account as the server has it. */
export interface Account {
  readonly user: string;
  readonly host: string;
  /** Ways to log in, in the server's order. */
  readonly methods: readonly { readonly plugin: string; readonly hash: Uint8Array }[];
  readonly locked: boolean;
  readonly expired: boolean;
  readonly isRole: boolean;
  /** ``, `ANY`, `X509` or `SPECIFIED`. */
  readonly sslType: string;
  /** 0: no limit. */
  readonly maxUserConnections: number;
  /** What else it demands, as the end of a sentence: with any of these the account is left out. */
  readonly beyondPassword: string | null;
  /** What its entries do not have, e.g. `limits per hour`. */
  readonly lost: readonly string[];
}

/** What became of the accounts. */
export interface ConvertedAccounts {
  /** Entries by user, most specific host first. */
  readonly users: ReadonlyMap<string, readonly EntryText[]>;
  /** What was left out or changed, one sentence each. */
  readonly notes: readonly string[];
}

const systemUsers = new Set(["mysql.sys", "mysql.session", "mysql.infoschema", "mariadb.sys"]);

/** Converts all accounts. */
export function convertAccounts(accounts: readonly Account[]): ConvertedAccounts {
  const notes: string[] = [];
  const found = new Map<string, { readonly entry: EntryText; readonly order: number }[]>();
  const hosts = new Map<string, number>();
  for (const account of accounts) {
    const name = printable(`'${account.user}'@'${account.host}'`);
    const converted = convertAccount(account);
    if (typeof converted === "string") {
      notes.push(`${name} is left out: ${converted}`);
      continue;
    }
    for (const remark of converted.remarks) notes.push(`${name}: ${remark}`);
    const list = found.get(account.user) ?? [];
    for (const entry of converted.entries) list.push({ entry, order: converted.order });
    found.set(account.user, list);
    hosts.set(account.user, (hosts.get(account.user) ?? 0) + 1);
  }
  const users = new Map<string, EntryText[]>();
  for (const [user, list] of found) {
    users.set(
      user,
      list.sort((a, b) => b.order - a.order).map((item) => item.entry),
    );
    if ((hosts.get(user) ?? 0) > 1) {
      notes.push(
        `'${printable(user)}' has ${list.length} entries: the server lets only the most specific host decide, here each password that admits the client's address logs in`,
      );
    }
  }
  return { users, notes };
}

interface Converted {
  readonly entries: readonly EntryText[];
  readonly order: number;
  readonly remarks: readonly string[];
}

function convertAccount(account: Account): Converted | string {
  if (account.isRole) return "it is a role";
  if (account.user === "") return "it is anonymous";
  if (account.user === "$schema") return "the users file gives that name another meaning";
  if (systemUsers.has(account.user)) return "it belongs to the server itself";
  if (account.sslType === "X509" || account.sslType === "SPECIFIED") return "it needs a client certificate";
  if (account.beyondPassword !== null) return account.beyondPassword;
  const source = convertHost(account.host);
  if (source === null) return "its host is a name or a pattern that is no network";
  const remarks: string[] = [];
  const reasons: string[] = [];
  const entries: EntryText[] = [];
  for (const method of account.methods) {
    const credential = convertHash(method.plugin, Buffer.from(method.hash));
    if (typeof credential === "string") {
      remarks.push(`its login by ${method.plugin} is left out: ${credential}`);
      reasons.push(`${credential} (${method.plugin})`);
      continue;
    }
    entries.push({
      UserData: account.user,
      ...(source.sourceHost === null ? {} : { SourceHost: source.sourceHost }),
      ...credential,
      ...(account.locked ? { AccountLocked: true } : {}),
      ...(account.sslType === "ANY" ? { RequireSecureTransport: true } : {}),
      ...(account.maxUserConnections > 0 ? { MaxConnections: account.maxUserConnections } : {}),
    });
  }
  if (entries.length === 0) return reasons.join("; ") || "it has no way to log in";
  if (account.expired) remarks.push("its password has expired on the server; here it works");
  if (account.host === "localhost") {
    const hint = "add 127.0.0.1 to SourceHost for clients that come over TCP";
    remarks.push(`localhost means the unix socket only: ${hint}`);
  }
  if (account.lost.length > 0) remarks.push(`not carried over: ${account.lost.join(", ")}`);
  return { entries, order: source.order, remarks };
}

function convertHash(plugin: string, hash: Buffer): EntryText | string {
  const text = hash.toString("latin1");
  if (text === "") return "it has no password";
  if (plugin === "mysql_native_password" || plugin === "") {
    return decodeNativeHash(text).ok ? { MysqlNativePassword: text } : "its hash is not valid";
  }
  if (plugin === "caching_sha2_password") {
    // Salts may be unprintable: then the form that SHOW CREATE USER prints.
    const written = /^[\x20-\x7e]+$/.test(text) ? text : `0x${hash.toString("hex").toUpperCase()}`;
    return decodeSha2Hash(written).ok ? { CachingSha2Password: written } : "its hash is not valid here";
  }
  return "no client can prove that password to the gateway";
}

/** Names are the server's own, but a terminal is not to be steered by them. */
function printable(name: string): string {
  return JSON.stringify(name).slice(1, -1).replaceAll('\\"', '"');
}

/** `order` grows with how specific the host is. */
function convertHost(host: string): { sourceHost: string | null; order: number } | null {
  if (host === "%" || host === "") return { sourceHost: null, order: 0 };
  if (host === "localhost") return { sourceHost: "localhost", order: 200 };
  if (isIP(host) !== 0) return { sourceHost: host, order: 200 };
  const [address = "", mask, ...more] = host.split("/");
  if (mask !== undefined && more.length === 0 && isIP(address) !== 0) {
    const bits = /^\d{1,3}$/.test(mask) ? Number(mask) : bitsOfMask(mask);
    if (bits === null || bits > (isIP(address) === 4 ? 32 : 128)) return null;
    return { sourceHost: `${address}/${bits}`, order: bits };
  }
  const octets = /^((?:\d{1,3}\.){1,3})%$/.exec(host)?.[1]?.split(".").slice(0, -1);
  if (octets === undefined) return null;
  const network = [...octets, "0", "0", "0"].slice(0, 4).join(".");
  return isIP(network) === 4
    ? { sourceHost: `${network}/${octets.length * 8}`, order: octets.length * 8 }
    : null;
}

function bitsOfMask(mask: string): number | null {
  if (isIP(mask) !== 4) return null;
  const bits = mask
    .split(".")
    .map((octet) => Number(octet).toString(2).padStart(8, "0"))
    .join("");
  return /^1*0*$/.test(bits) ? bits.replaceAll("0", "").length : null;
}

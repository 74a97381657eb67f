// Texts of a server that name the service account, with the session's own account in its place. Messages are bytes in the
// client's character set, whatever that is: names are found between the marks with which servers write them.

import type { Identity } from "../identity/identity.ts";

/** ER_DBACCESS_DENIED_ERROR names the host of the account, other errors that of the client. */
const ER_DBACCESS_DENIED_ERROR = 1044;

/**
 * Puts the session's account in the place of the service account: `'gatehouse'@'10.0.0.7'` becomes
 * `'alice'@'192.0.2.1'`. The same bytes where it is not named. `code`: the error's number.
 */
export function hideServiceAccount(
  message: Buffer,
  serviceUser: string,
  identity: Identity,
  code: number,
): Buffer {
  const wide = wideCharacters(message);
  if (wide === null) {
    const written = message.toString("latin1");
    const hidden = hide(written, bytesOf(serviceUser), bytesOf(identity.authUser), identity, code);
    return hidden === written ? message : Buffer.from(hidden, "latin1");
  }
  const written = wide.decode(message);
  const hidden = hide(written, serviceUser, identity.authUser, identity, code);
  return hidden === written ? message : wide.encode(hidden);
}

/** A message as text, whatever character set of several bytes it is in; what is no UTF-8 becomes U+FFFD. */
export function textOfMessage(message: Buffer): string {
  return wideCharacters(message)?.decode(message) ?? message.toString("utf8");
}

function hide(message: string, service: string, client: string, identity: Identity, code: number): string {
  if (service === "" || !message.includes(service)) return message;
  const host = code === ER_DBACCESS_DENIED_ERROR ? identity.authHost : identity.peer.host;
  const name = service.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return (
    message
      // 'u'@'h', `u`@`h`, "u"@"h"
      .replace(
        new RegExp(`(['"\`])${name}\\1@\\1[^'"\`]*\\1`, "g"),
        (_, mark: string) => `${mark}${client}${mark}@${mark}${host}${mark}`,
      )
      // There is no such grant defined for user 'u' on host 'h'
      .replace(new RegExp(`'${name}'( on host ')[^']*'`, "g"), (_, between: string) => {
        return `'${client}'${between}${host}'`;
      })
      // User 'u' has exceeded the 'max_questions' resource; User u already has more than ...
      .replace(
        new RegExp(`\\b(User '?)${name}('? (?:has exceeded|already has)\\b)`, "g"),
        (_, before, after) => {
          return `${before}${client}${after}`;
        },
      )
  );
}

/** The UTF-8 bytes of a name, one character each. */
function bytesOf(name: string): string {
  return Buffer.from(name, "utf8").toString("latin1");
}

interface WideCharacters {
  decode(bytes: Buffer): string;
  encode(text: string): Buffer;
}

const utf16le: WideCharacters = {
  decode: (bytes) => bytes.toString("utf16le"),
  encode: (text) => Buffer.from(text, "utf16le"),
};

const utf16be: WideCharacters = {
  decode: (bytes) => Buffer.from(bytes).swap16().toString("utf16le"),
  encode: (text) => Buffer.from(text, "utf16le").swap16(),
};

const utf32be: WideCharacters = {
  decode: (bytes) => {
    const points = Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32BE(index * 4));
    return points.map((point) => (point > 0x10ffff ? "\ufffd" : String.fromCodePoint(point))).join("");
  },
  encode: (text) => {
    const points = Array.from(text, (character) => character.codePointAt(0) ?? 0);
    const bytes = Buffer.alloc(points.length * 4);
    for (const [index, point] of points.entries()) bytes.writeUInt32BE(point, index * 4);
    return bytes;
  },
};

/** Messages begin with a letter: in character sets of several bytes that have zeros beside it. null: one byte it is. */
function wideCharacters(message: Buffer): WideCharacters | null {
  if (message.length % 2 !== 0 || message.length < 2) return null;
  if (message[0] === 0 && message[1] === 0) return message.length % 4 === 0 ? utf32be : null;
  if (message[0] === 0) return utf16be;
  return message[1] === 0 ? utf16le : null;
}

// MySQL's `$A$` strings for tests, made by our own crypt, which is checked against a server's strings elsewhere.
import { sha256, sha256Crypt } from "../../../src/users/sha256-crypt.ts";

const made = new Map<string, string>();

/** The string of a password. `kiloRounds`: three hexadecimal digits. */
export function dollarA(password: string, kiloRounds = "005"): string {
  const key = `${password} ${kiloRounds}`;
  let text = made.get(key);
  if (text === undefined) {
    const salt = Buffer.from(`salt of ${password}`.padEnd(20, ".").slice(0, 20));
    const rounds = Number.parseInt(kiloRounds, 16) * 1000;
    const hash = sha256Crypt(Buffer.from(password), salt, rounds, sha256);
    text = `$A$${kiloRounds}$${salt.toString("latin1")}${hash}`;
    made.set(key, text);
  }
  return text;
}

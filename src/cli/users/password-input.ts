// Reads a password from the terminal without showing it, or from a pipe. Never from the command line: arguments are
// readable by every user of the machine.

import type { ReadStream } from "node:tty";
import { passwordBytesMax } from "../../users/credential.ts";
import { UsageError } from "../arguments.ts";

/** Where a password may come from. */
export interface PasswordSource {
  readonly input: NodeJS.ReadableStream & Partial<Pick<ReadStream, "isTTY" | "setRawMode">>;
  /** Shows prompts. */
  readonly show: (text: string) => void;
}

/** More input than this is not a password, in bytes. */
const inputBytesMax = 4096;

/**
 * Asks twice at a terminal; otherwise takes the first line of the input.
 * @throws UsageError for an empty, overlong or differing password.
 */
export async function readPassword(source: PasswordSource): Promise<string> {
  const lines = new LineReader(source);
  try {
    const password = await lines.read("Password: ");
    if (source.input.isTTY === true && (await lines.read("Again: ")) !== password) {
      throw new UsageError("The two passwords differ");
    }
    if (password === "") throw new UsageError("The password must not be empty");
    if (Buffer.byteLength(password) > passwordBytesMax) {
      throw new UsageError(`The password must have at most ${passwordBytesMax} bytes`);
    }
    if (password.includes("\0")) throw new UsageError("The password must not hold a NUL character");
    return password;
  } finally {
    lines.close();
  }
}

/** Lines from a terminal in raw mode, which shows nothing, or from a pipe. */
class LineReader {
  private readonly source: PasswordSource;
  private readonly terminal: boolean;
  private readonly chunks: AsyncIterator<string | Buffer>;
  private rest = "";

  constructor(source: PasswordSource) {
    this.source = source;
    this.terminal = source.input.isTTY === true;
    if (this.terminal) source.input.setRawMode?.(true);
    source.input.setEncoding("utf8");
    this.chunks = source.input[Symbol.asyncIterator]() as AsyncIterator<string | Buffer>;
  }

  async read(prompt: string): Promise<string> {
    if (this.terminal) this.source.show(prompt);
    for (;;) {
      const end = /\r\n|\n|\r/.exec(this.rest);
      if (end !== null) {
        const line = this.rest.slice(0, end.index);
        this.rest = this.rest.slice(end.index + end[0].length);
        if (this.terminal) this.source.show("\n");
        return this.terminal ? edited(line) : line;
      }
      if (this.rest.length > inputBytesMax) throw new UsageError("The input is too long to be a password");
      const chunk = await this.chunks.next();
      if (chunk.done === true) {
        const line = this.rest;
        this.rest = "";
        return line;
      }
      this.rest += String(chunk.value);
      if (this.terminal && /[\u0003\u0004]/.test(this.rest)) throw new UsageError("Cancelled");
    }
  }

  close(): void {
    if (this.terminal) this.source.input.setRawMode?.(false);
    this.source.input.pause();
    void this.chunks.return?.();
  }
}

/** Applies backspaces, which raw mode hands over as they are. */
function edited(line: string): string {
  let result: string[] = [];
  for (const character of line) {
    if (character === "\u007f" || character === "\b") result.pop();
    else if (character === "\u0015") result = [];
    else result.push(character);
  }
  return result.join("");
}

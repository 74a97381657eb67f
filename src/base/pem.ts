// Splits PEM text (RFC 7468) into its blocks, so that each can be judged and named by its line. Knows nothing of what the
// blocks hold.

/** One block, with its BEGIN and END lines. */
export interface PemBlock {
  /** As in `-----BEGIN <label>-----`. */
  readonly label: string;
  readonly text: string;
  /** Line of its BEGIN, from 1. */
  readonly line: number;
}

/** A place where PEM text is broken: the line, from 1, and a sentence. */
export interface PemFault {
  readonly line: number;
  readonly message: string;
}

/** The blocks in their order; text around them is passed over, as openssl does. Time grows with the length alone. */
export function splitPem(bytes: Uint8Array): readonly PemBlock[] | PemFault {
  const blocks: PemBlock[] = [];
  let open: { readonly label: string; readonly line: number; readonly lines: string[] } | null = null;
  for (const [index, raw] of Buffer.from(bytes).toString("latin1").split("\n").entries()) {
    const line = raw.trimEnd();
    const begin = /^-----BEGIN ([A-Z0-9 ]{1,60})-----$/.exec(line)?.[1];
    if (begin !== undefined) {
      if (open !== null) return unended(open);
      open = { label: begin, line: index + 1, lines: [line] };
      continue;
    }
    if (open === null) continue;
    open.lines.push(line);
    if (line !== `-----END ${open.label}-----`) continue;
    blocks.push({ label: open.label, line: open.line, text: `${open.lines.join("\n")}\n` });
    open = null;
  }
  return open === null ? blocks : unended(open);
}

/** Tells blocks from a fault. */
export function isPemFault(value: readonly PemBlock[] | PemFault): value is PemFault {
  return "message" in value;
}

/** The bytes of a block. */
export function pemContent(block: PemBlock): Uint8Array {
  return Buffer.from(block.text.split("\n").slice(1, -2).join(""), "base64");
}

function unended(open: { readonly label: string; readonly line: number }): PemFault {
  return { line: open.line, message: `The block ${open.label} must end with its END line` };
}

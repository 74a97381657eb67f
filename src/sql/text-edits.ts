// Replaces parts of a text by others, within a limit. Bytes in, bytes out; knows nothing of SQL.

/** Bytes [start, end) of a text become `text`; start = end: it is put in. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: Uint8Array;
}

/**
 * The text with all edits made, in any order; no two may overlap. At one place what replaces comes before what is put
 * in behind it. null: the result would be longer than `bytesMax`.
 */
export function applyEdits(
  text: Uint8Array,
  edits: readonly TextEdit[],
  bytesMax: number = Number.POSITIVE_INFINITY,
): Uint8Array | null {
  if (edits.length === 0) return text;
  let length = text.length;
  for (const edit of edits) length += edit.text.length - (edit.end - edit.start);
  if (length > bytesMax) return null;
  const result = Buffer.allocUnsafe(length);
  let from = 0;
  let to = 0;
  for (const edit of [...edits].sort((one, other) => one.start - other.start || one.end - other.end)) {
    result.set(text.subarray(from, edit.start), to);
    to += edit.start - from;
    result.set(edit.text, to);
    to += edit.text.length;
    from = edit.end;
  }
  result.set(text.subarray(from), to);
  return result;
}

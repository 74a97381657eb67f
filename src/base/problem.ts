// A problem in a file that a person edits: where it is, and a sentence that says what to do. Never holds a value of
// the file that could be a secret.

/** One mistake in one file. */
export interface Problem {
  /** As the person named the file. */
  readonly path: string;
  /** From 1; 0 when the whole file is meant (missing, unreadable, too large). */
  readonly line: number;
  /** From 1, in UTF-16 code units as editors count; 0 when the whole file is meant. */
  readonly column: number;
  /** JSON pointer (RFC 6901) of the value meant; empty for the whole document. */
  readonly pointer: string;
  /** Capital first, no full stop. */
  readonly message: string;
}

/** Longer messages are cut: a name in the file may be as long as the file. */
const messageLengthMax = 1000;

/** `users.json:3:14: Unknown key 'Pasword' ...`, the form that editors and terminals turn into links. */
export function formatProblem(problem: Problem): string {
  const place = problem.line === 0 ? problem.path : `${problem.path}:${problem.line}:${problem.column}`;
  const { message } = problem;
  const shown = message.length > messageLengthMax ? `${message.slice(0, messageLengthMax)}...` : message;
  return `${place}: ${shown}`;
}

/** A problem with a file as a whole. */
export function wholeFileProblem(path: string, message: string): Problem {
  return { path, line: 0, column: 0, pointer: "", message };
}

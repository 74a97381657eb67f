// Assertions: facts that only a mistake in our own code can break.
// A failed assertion ends the session it happened in, never the process (see session/run-session).

/** Thrown by {@link assert}; never shown to a client. */
export class AssertionFailure extends Error {
  override readonly name = "AssertionFailure";
}

/**
 * Checks a fact that must hold.
 * @throws AssertionFailure when `condition` is false.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

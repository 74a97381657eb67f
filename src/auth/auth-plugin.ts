// What an authentication method is to the gateway: a first look at the client's answer, and the conversation that may
// follow. https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_authentication_methods.html

import type { AuthStep } from "./auth-exchange.ts";
import type { LoginAttempt, Match } from "./login-attempt.ts";
import type { AuthPluginName } from "./negotiate.ts";

/** The client's first answer by a method. */
export interface AuthTurn {
  readonly attempt: LoginAttempt;
  readonly response: Uint8Array;
  /** 20 bytes: the scramble that the answer was made for. */
  readonly scramble: Uint8Array;
}

/** One method. */
export interface AuthPlugin {
  readonly name: AuthPluginName;
  /** Whether an AuthSwitchRequest to it carries a scramble. */
  readonly usesScramble: boolean;
  /** What the first answer alone proves. */
  check(turn: AuthTurn): Match;
  /** Tells the client that it needs no further answer, where the method has words for that. */
  readonly accepted: AuthStep | null;
  /** What can still be proven when the first answer proved nothing; null: nothing. */
  readonly converse: ((turn: AuthTurn) => AsyncGenerator<AuthStep, Match, Uint8Array>) | null;
}

// What may be shown of a live session to people: who, as whom, from where, busy with what, for how long. Never a
// statement's text, never a secret; what a client chose itself is cut to a length.

import { commandOf, commandTable } from "../wire/commands.ts";
import { STATUS_IN_TRANS } from "../wire/status-flags.ts";
import type { CommandInHand } from "./command-in-hand.ts";
import { pinnedBecause } from "./lost-backend.ts";
import type { SessionState } from "./session.ts";

/** A session at one moment. */
export interface SessionView {
  readonly id: number;
  /** null until the login succeeded. */
  readonly user: string | null;
  /** The name that ACL and routing decide by. */
  readonly userData: string | null;
  readonly groups: readonly string[];
  /** `user[index]` of the users file. */
  readonly entry: string | null;
  readonly host: string;
  /** 0 for the unix socket. */
  readonly port: number;
  readonly transport: "tcp" | "unix";
  /** `TLSv1.3`; null: none. */
  readonly tls: string | null;
  readonly plugin: string | null;
  /** What the client calls itself (connection attributes); null: it does not say. */
  readonly program: string | null;
  readonly database: string | null;
  readonly phase: "login" | "idle" | "busy";
  /** Protocol command under way, e.g. `QUERY`; null between two commands. */
  readonly command: string | null;
  /** What is known of its statement, e.g. `SELECT`; null: nothing. */
  readonly statement: string | null;
  /** How long the phase has lasted, in milliseconds. */
  readonly phaseMs: number;
  /** Since accept, in milliseconds. */
  readonly ageMs: number;
  readonly inTransaction: boolean;
  /** Why it keeps its backend connection between commands; null: it does not. */
  readonly pinnedBecause: string | null;
  readonly preparedStatements: number;
  /** The server that it holds a connection of; null: none now. */
  readonly tablet: string | null;
}

/** What the command loop knows beside the state. */
export interface LoopFacts {
  readonly idle: boolean;
  /** Monotonic milliseconds: of the command under way, or since the last one ended. */
  readonly phaseSinceMs: number;
  readonly inHand: CommandInHand;
  readonly relay: {
    readonly lease: { readonly route: { readonly tablet: { readonly alias: string } } } | null;
  };
}

/** Client-chosen texts are cut here, in characters. */
const textLengthMax = 128;

/** Looks at a session; `loop` is null before its login has succeeded. */
export function viewOfSession(state: SessionState, loop: LoopFacts | null, nowMs: number): SessionView {
  const { identity, peer } = state;
  const busy = loop !== null && !loop.idle;
  const program = state.attributes.get("program_name") ?? state.attributes.get("_client_name");
  return {
    id: state.id,
    user: identity === null ? null : cut(identity.loginUser),
    userData: identity?.callerId.username ?? null,
    groups: identity?.callerId.groups ?? [],
    entry: identity === null ? null : `${cut(identity.entry.user)}[${identity.entry.index}]`,
    host: peer.host,
    port: peer.port,
    transport: peer.transport,
    tls: peer.tls?.version ?? null,
    plugin: identity?.plugin ?? null,
    program: program === undefined ? null : cut(program),
    database: state.database === null ? null : cut(state.database),
    phase: loop === null || identity === null ? "login" : busy ? "busy" : "idle",
    command: busy ? commandName(loop.inHand) : null,
    statement: busy ? statementName(loop.inHand) : null,
    phaseMs: nowMs - (loop?.phaseSinceMs ?? state.startedMs),
    ageMs: nowMs - state.startedMs,
    inTransaction: (state.statusFlags & STATUS_IN_TRANS) !== 0,
    pinnedBecause: heldBecause(state, loop),
    preparedStatements: state.prepared.size,
    tablet: loop?.relay.lease?.route.tablet.alias ?? null,
  };
}

/** Whatever keeps the session on its connection now: for good, for the transaction, or for a moment. */
function heldBecause(state: SessionState, loop: LoopFacts | null): string | null {
  if (loop === null || loop.relay.lease === null) return null;
  const { following, statusFlags } = state;
  return pinnedBecause(state) ?? following.holdsBecause(statusFlags) ?? following.lingersBecause;
}

const nameOfByte = new Map(Object.entries(commandTable).map(([name, row]): [object, string] => [row, name]));

function commandName({ permit, command }: CommandInHand): string | null {
  const row = permit === null ? undefined : commandOf(command);
  return row === undefined ? null : (nameOfByte.get(row) ?? null);
}

function statementName({ text }: CommandInHand): string | null {
  const [first] = text?.statements ?? [];
  if (text === null || first === undefined || first.kind === "UNKNOWN") return null;
  // A plain INSERT, UPDATE, DELETE or REPLACE is recognised as a write only.
  const name = first.kind === "INSERT" ? "write" : first.kind;
  return text.statements.length > 1 ? `${name} and more` : name;
}

function cut(text: string): string {
  return text.length > textLengthMax ? `${text.slice(0, textLengthMax)}…` : text;
}

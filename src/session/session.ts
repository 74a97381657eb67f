// The state of one session: who, from where, in which schema, with which backend connection. Pure record keeping: no
// protocol, no sockets beyond the channel it was given.

import type { Identity } from "../identity/identity.ts";
import type { Peer } from "../identity/peer.ts";
import type { Target } from "../routing/target.ts";
import { defaultTarget } from "../routing/target.ts";
import type { ConnectAttributes } from "../wire/packets/connect-attributes.ts";
import type { ConnectionId } from "./connection-ids.ts";
import { Following } from "./following.ts";
import type { OtherSessions } from "./other-sessions.ts";
import { OwnWrites } from "./own-writes.ts";
import type { PreparedStatements } from "./prepared-statements.ts";
import type { Reading } from "./reading.ts";
import { SqlPrepared } from "./sql-prepared.ts";

/** What is known of a session. Mutable: its parts write what they learn. */
export interface SessionState {
  readonly id: ConnectionId;
  peer: Peer;
  /** null until the login succeeded; replaced by COM_CHANGE_USER only. */
  identity: Identity | null;
  /** The scramble that the client was told last: in the greeting, or by a switch. */
  scramble: Uint8Array;
  /** The capability bits that both sides have. */
  capabilities: number;
  /** The client said that it compresses, which was not offered, and has not sent a command yet. */
  mayCompress: boolean;
  /** The collation id that the client sent. */
  collation: number;
  target: Target;
  /** The default schema; null: none. */
  database: string | null;
  /** How the server reads this session's texts; null: it has to be asked. */
  reading: Reading | null;
  /** What its reads on replicas must show. */
  readonly ownWrites: OwnWrites;
  /** Statements prepared by SQL (PREPARE), by name. */
  readonly sqlPrepared: SqlPrepared;
  /** What is known of other sessions, while a command that lists them is answered; null: nothing. */
  otherSessions: OtherSessions | null;
  /** The status flags of the last reply. */
  statusFlags: number;
  /**
   * Why the session's state lives on its backend connection alone (a user variable, a temporary table, ...); null:
   * another connection would do.
   */
  pinnedBecause: string | null;
  /** There are more reasons than that one. */
  pinnedForMore: boolean;
  /** What follows it from one backend connection to the next. */
  readonly following: Following;
  readonly prepared: PreparedStatements;
  /** Connection attributes that the client sent; bounded by the decoder. */
  attributes: ConnectAttributes;
  /** Monotonic milliseconds. */
  readonly startedMs: number;
}

const nothing = new Uint8Array(0);

/** The state of a session that has just been accepted. */
export function newSessionState(
  id: ConnectionId,
  peer: Peer,
  prepared: PreparedStatements,
  startedMs: number,
): SessionState {
  return {
    id,
    peer,
    identity: null,
    scramble: nothing,
    capabilities: 0,
    mayCompress: false,
    collation: 0,
    target: defaultTarget,
    database: null,
    reading: null,
    ownWrites: new OwnWrites(),
    sqlPrepared: new SqlPrepared(),
    otherSessions: null,
    statusFlags: STATUS_AUTOCOMMIT,
    pinnedBecause: null,
    pinnedForMore: false,
    following: new Following(),
    prepared,
    attributes: new Map(),
    startedMs,
  };
}

const STATUS_AUTOCOMMIT = 2;

// What the table ACL has denied of late, each kind of denial once with how often: for the people who look for the missing
// right. Bounded: the kind that was not seen for longest goes first. Names and rules, never a literal.

import type { DenialRecord } from "../acl/denial.ts";
import type { Identity } from "../identity/identity.ts";

/** One kind of denial. */
export interface RecentDenial {
  readonly outcome: "denied" | "dry_run";
  readonly record: DenialRecord;
  readonly errorCode: number;
  readonly userData: string;
  readonly groups: readonly string[];
  /** The login name and host that met it last. */
  user: string;
  host: string;
  count: number;
  /** Milliseconds since the epoch. */
  lastMs: number;
}

/** Kinds that are remembered. */
const kindsMax = 200;
/** Names that a client wrote are cut already; more groups than this are not kept. */
const groupsMax = 50;

/** See the file's head. */
export class RecentDenials {
  /** The one met last stands last. */
  readonly #kinds = new Map<string, RecentDenial>();

  note(
    identity: Identity,
    denial: { readonly record: DenialRecord; readonly code: number },
    outcome: RecentDenial["outcome"],
    wallMs: number,
  ): void {
    const { record, code } = denial;
    const { username, groups } = identity.callerId;
    const key = JSON.stringify([outcome, username, code, record]);
    const known = this.#kinds.get(key);
    this.#kinds.delete(key);
    const kind = known ?? {
      outcome,
      record,
      errorCode: code,
      userData: username,
      groups: groups.slice(0, groupsMax),
      user: "",
      host: "",
      count: 0,
      lastMs: 0,
    };
    kind.user = identity.loginUser;
    kind.host = identity.peer.host;
    kind.count += 1;
    kind.lastMs = wallMs;
    this.#kinds.set(key, kind);
    if (this.#kinds.size <= kindsMax) return;
    for (const oldest of this.#kinds.keys()) {
      this.#kinds.delete(oldest);
      return;
    }
  }

  /** The latest first. */
  all(): readonly RecentDenial[] {
    return [...this.#kinds.values()].reverse();
  }
}

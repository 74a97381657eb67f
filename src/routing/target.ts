// A target as VTGate has it: `keyspace`, `keyspace@tablet_type`, or nothing (the default target).

/** Kinds of tablets that a target can name. */
export type TabletType = "primary" | "replica" | "rdonly";

/** Where a session's statements are meant to go. */
export interface Target {
  /** null: the default target. */
  readonly keyspace: string | null;
  /** null: none was written, so the routing rules decide. */
  readonly tabletType: TabletType | null;
}

export const defaultTarget: Target = { keyspace: null, tabletType: null };

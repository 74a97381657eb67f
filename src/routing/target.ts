// A target as VTGate has it: `keyspace`, `keyspace@tablet_type`, `@tablet_type`, or nothing (the default target).

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

export const tabletTypes: readonly TabletType[] = ["primary", "replica", "rdonly"];

/** Reads a target; null: what stands behind the `@` is no tablet type, or nothing is written at all. */
export function parseTarget(text: string): Target | null {
  const at = text.lastIndexOf("@");
  if (at < 0) return text === "" ? null : { keyspace: text, tabletType: null };
  const word = text.slice(at + 1).toLowerCase();
  const tabletType = tabletTypes.find((type) => type === word);
  if (tabletType === undefined) return null;
  return { keyspace: at === 0 ? null : text.slice(0, at), tabletType };
}

/** As {@link parseTarget} reads it. */
export function formatTarget({ keyspace, tabletType }: Target): string {
  return `${keyspace ?? ""}${tabletType === null ? "" : `@${tabletType}`}`;
}

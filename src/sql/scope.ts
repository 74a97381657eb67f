// Which names of common table expressions hide tables at a place. Only what is certain hides: where servers disagree
// (measured on MySQL 9.7 and MariaDB 10.11) the name counts as a table too, which can only deny.

import { foldObjectName } from "./object-name.ts";

/** Names that are certain to be common table expressions; null: none is. */
export type Scope = ReadonlySet<string> | null;

/** How a server compares such names: MySQL as it compares tables, MariaDB without regard to case. */
export interface CteNaming {
  readonly folded: boolean;
}

/** The name as the key of a scope. Only ASCII letters fold for certain. */
export function cteKey(name: string, naming: CteNaming): string {
  return naming.folded && /^[\0-\x7f]*$/.test(name) ? foldObjectName(name) : name;
}

// Which names of common table expressions hide tables at a place. Only what is certain hides: where servers disagree
// (measured on MySQL 9.7 and MariaDB 10.11) the name counts as a table too, which can only deny.

import { foldObjectName } from "./object-name.ts";

/** Names that are certain to be common table expressions, from the inside out; null: none is. */
export type Scope = ScopeFrame | null;

/** The names of one WITH clause: those read so far, so that nothing is copied for each of its elements. */
export interface ScopeFrame {
  readonly names: ReadonlySet<string>;
  readonly outer: Scope;
}

/** Whether `key` is a name of the scope. As many steps as WITH clauses are nested. */
export function isInScope(scope: Scope, key: string): boolean {
  for (let frame = scope; frame !== null; frame = frame.outer) if (frame.names.has(key)) return true;
  return false;
}

/** How a server compares such names: MySQL as it compares tables, MariaDB without regard to case. */
export interface CteNaming {
  readonly folded: boolean;
}

/** The name as the key of a scope. Only ASCII letters fold for certain. */
export function cteKey(name: string, naming: CteNaming): string {
  return naming.folded && /^[\0-\x7f]*$/.test(name) ? foldObjectName(name) : name;
}

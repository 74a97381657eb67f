// How the server reads this session's texts: the sql_mode bits that the lexer knows, and the client's character set.
// Asked of the server itself, on the session's own connection, whenever a command may have changed it: what a SET really
// did is the server's business.

import type { BackendLease, SessionVariables } from "../backend/backend-pool.ts";
import type { AnalysisContext } from "../sql/analyzed-text.ts";
import {
  type CharacterSetClass,
  characterSetClass,
  defaultReadingModes,
  type Flavour,
  type LexOptions,
  type ReadingModes,
  readingModesOf,
} from "../sql/dialect.ts";
import type { LowerCaseTableNames } from "../sql/object-name.ts";
import { readsPreparedTexts } from "../sql/set.ts";
import { internContext } from "../sql/statement-cache.ts";
import type { SessionState } from "./session.ts";
import type { StatementText } from "./statement-text.ts";

/** What is known of it. */
export interface Reading {
  /** null: not known; then all readings must agree. */
  readonly modes: ReadingModes | null;
  readonly characterSet: CharacterSetClass;
}

/** What the server is, as far as texts mean something else to another one. The same object as long as it is the same. */
export interface ReadingServer {
  readonly flavour: Flavour;
  /** 101119 is 10.11.19; of several servers that of the oldest. */
  readonly versionNumber: number;
  /** That of the newest; a text must mean the same to both. @default the same */
  readonly newestVersionNumber?: number;
  readonly lowerCaseTableNames: LowerCaseTableNames;
}

/** Before the server was asked: only what means the same in all modes and is plain ASCII can be read. */
export const unknownReading: Reading = { modes: null, characterSet: "unsafe" };

/** What the server's answer means. */
export function readingOf(variables: SessionVariables): Reading {
  return {
    modes: readingModesOf(variables.sqlMode),
    characterSet: characterSetClass(variables.characterSet),
  };
}

/** Stands in until a server was seen: nothing runs before. */
const unseenServer: ReadingServer = { flavour: "mysql", versionNumber: 80040, lowerCaseTableNames: 0 };

interface MadeContext {
  readonly reading: Reading;
  readonly database: string | null;
  readonly server: ReadingServer;
  readonly context: AnalysisContext;
}

/** To find a context costs more than a hit of the statement cache: each session remembers its last one. */
const lastContexts = new WeakMap<SessionState, MadeContext>();

/** The context in which a session's next text is analysed. */
export function contextOf(state: SessionState, server: ReadingServer | null): AnalysisContext {
  const reading = state.reading ?? unknownReading;
  const { database } = state;
  const by = server ?? unseenServer;
  const last = lastContexts.get(state);
  if (last !== undefined && last.reading === reading && last.database === database && last.server === by)
    return last.context;
  const context = internContext({
    modes: reading.modes,
    characterSet: reading.characterSet,
    flavour: by.flavour,
    version: by.versionNumber,
    defaultSchema: database,
    lowerCaseTableNames: by.lowerCaseTableNames,
  });
  lastContexts.set(state, { reading, database, server: by, context });
  return context;
}

const dynamicKinds: ReadonlySet<string> = new Set(["CALL", "EXECUTE", "EXECUTE IMMEDIATE", "COMPOUND"]);

/** Whether the reading, or the schema that the session is in, may be another one once the text has run. */
export function mayChangeReading(text: StatementText, succeeded: boolean): boolean {
  return text.statements.some(({ kind, uncertain, effects, assigns }) => {
    if (uncertain !== null || dynamicKinds.has(kind)) return true;
    if (effects.sqlMode !== null || effects.characterSet !== null) return true;
    if (assigns.some(({ name }) => readsPreparedTexts(name))) return true;
    // After an error in a text of several statements, nobody can say whether its USE was reached.
    return effects.use !== null && !succeeded && text.statements.length > 1;
  });
}

/** How a session's texts are read, byte by byte; with the default modes where they are not known. */
export function lexOptionsOf(state: SessionState, server: ReadingServer | null): LexOptions {
  const { modes, flavour, version, characterSet } = contextOf(state, server);
  const { ansiQuotes, noBackslashEscapes } = modes ?? defaultReadingModes;
  return { ansiQuotes, noBackslashEscapes, flavour, version, characterSet };
}

/**
 * Whether texts that were judged already are read in the same way on this connection. `judging`: an ACL judges texts;
 * where none does, what the server's login gave is taken over as it is.
 */
export function readsAsBefore(state: SessionState, lease: BackendLease, judging: boolean): boolean {
  const { reading, following } = state;
  // The session's own words hold on every connection; what its login gave may differ from server to server.
  const own = following.settings.namesKey !== "";
  const characterSet = characterSetClass(lease.connection.names.client);
  if (reading !== null && (own || reading.characterSet === characterSet)) return true;
  // Where no ACL judges, nobody asks the server: its first word is what is known.
  state.reading = judging || own ? null : { modes: null, characterSet };
  return reading === null || !judging;
}

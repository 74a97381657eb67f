// Statements that the gateway answers in the server's place where a table ACL holds, since a server would answer for the
// service account: SHOW GRANTS.

import { sqlError } from "../errors/sql-error.ts";
import type { StatementSummary } from "../sql/statement-summary.ts";
import { CLIENT_DEPRECATE_EOF } from "../wire/capabilities.ts";
import { encodeColumnDefinition, MYSQL_TYPE_VAR_STRING } from "../wire/packets/column-definition.ts";
import { encodeEof } from "../wire/packets/eof.ts";
import { encodeOk, plainOk, RESULT_END_HEADER } from "../wire/packets/ok.ts";
import { lenencBytesSize, Writer } from "../wire/writer.ts";
import type { CommandLoop } from "./command-loop.ts";
import { replyError, replyPackets } from "./reply.ts";
import type { Replied } from "./session-end.ts";
import type { StatementText } from "./statement-text.ts";

/** What the gateway answers. */
export type OwnAnswer = "GRANTS" | "PROCESSLIST";

/** Which answer a statement asks for; null: the server's. */
export function ownAnswerOf(statement: StatementSummary): OwnAnswer | null {
  if (statement.kind !== "SHOW") return null;
  const { subject } = statement;
  return subject === "GRANTS" || subject === "PROCESSLIST" ? subject : null;
}

/** Answers a query in the server's place; null: it is the server's. */
export function answerQuery(loop: CommandLoop, text: StatementText): Replied | null {
  const [only] = text.statements;
  const wanted = only === undefined ? null : ownAnswerOf(only);
  const identity = loop.state.identity;
  if (wanted === null || identity === null) return null;
  const lines = loop.services.authorizer().grantsFor(identity);
  if (lines === null) return null;
  if (wanted === "PROCESSLIST") return refuseProcessList(loop);
  const heading = `Grants for ${identity.authUser}@${identity.authHost}`;
  return replyPackets(loop.replyTo, oneColumn(heading, lines, loop));
}

/** Whether a text may not be prepared, since the server would answer it; replies then. */
export function refusePrepared(loop: CommandLoop, text: StatementText): Replied | null {
  const wanted = text.statements.map(ownAnswerOf).find((answer) => answer !== null) ?? null;
  const identity = loop.state.identity;
  if (wanted === null || identity === null || loop.services.authorizer().grantsFor(identity) === null)
    return null;
  return replyError(loop.replyTo, sqlError("ER_NOT_SUPPORTED_YET", { feature: `SHOW ${wanted}, prepared` }));
}

function refuseProcessList(loop: CommandLoop): Replied {
  const feature = "SHOW PROCESSLIST where a table ACL holds";
  return replyError(loop.replyTo, sqlError("ER_NOT_SUPPORTED_YET", { feature }));
}

const COLLATION_UTF8MB4 = 45;

function oneColumn(name: string, values: readonly string[], loop: CommandLoop): Uint8Array[] {
  const { capabilities, statusFlags } = loop.state;
  const rows = values.map((value) => {
    const bytes = Buffer.from(value, "utf8");
    return new Writer(lenencBytesSize(bytes.length)).lenencBytes(bytes).finish();
  });
  const definition = encodeColumnDefinition({
    name,
    collation: COLLATION_UTF8MB4,
    length: 4096,
    type: MYSQL_TYPE_VAR_STRING,
    flags: 1,
    decimals: 31,
  });
  const eof = encodeEof({ warnings: 0, statusFlags });
  if ((capabilities & CLIENT_DEPRECATE_EOF) === 0) return [Buffer.of(1), definition, eof, ...rows, eof];
  return [Buffer.of(1), definition, ...rows, encodeOk(plainOk(statusFlags), capabilities, RESULT_END_HEADER)];
}

// Who the session is, put in the place of functions and variables for which a server would tell of its service account.
// What is sent is a new text; what was judged is the client's.

import { type SqlError, sqlError } from "../errors/sql-error.ts";
import type { AnalysisContext, AnalyzedText } from "../sql/analyzed-text.ts";
import type { Flavour } from "../sql/dialect.ts";
import { type IdentityValues, identityEdits } from "../sql/rewrite.ts";
import { applyEdits, type TextEdit } from "../sql/text-edits.ts";
import { switchesOf } from "../users/proxy-users.ts";
import { payloadOf } from "../wire/command-boundary.ts";
import { COM_STMT_PREPARE } from "../wire/commands.ts";
import { encodeFrames } from "../wire/frames.ts";
import { callerComments } from "./caller-comment.ts";
import type { CommandLoop } from "./command-loop.ts";
import type { Leftovers } from "./leftover-record.ts";
import { sessionRows } from "./session-rows.ts";
import type { StatementText } from "./statement-text.ts";
import { shownVariables, systemVariableRows, variableRows } from "./variable-rows.ts";

/** What is to be replaced in a text. */
export interface Truth {
  readonly analyzed: AnalyzedText;
  /** In which it was analysed. */
  readonly context: AnalysisContext;
}

/** What the session is told of itself; null before its login. */
function identityValues(loop: CommandLoop, flavour: Flavour, text: Uint8Array): IdentityValues | null {
  const { id, identity } = loop.state;
  const { proxyUsers } = loop.services;
  if (identity === null) return null;
  const switches = switchesOf(proxyUsers);
  const own = { proxyUser: identity.proxyUser, connectionId: id, switches };
  return {
    user: `${identity.loginUser}@${identity.peer.host}`,
    currentUser: `${identity.authUser}@${identity.authHost}`,
    // Roles are the gateway's Groups: none of them is one of the server's.
    currentRole: flavour === "mariadb" ? null : "NONE",
    connectionId: id,
    proxyUser: identity.proxyUser,
    externalUser: null,
    proxyUsers: {
      check: proxyUsers.checkProxyUsers,
      mysqlNativePassword: proxyUsers.mysqlNativePasswordProxyUsers,
      cachingSha2Password: proxyUsers.cachingSha2PasswordProxyUsers,
      sha256Password: proxyUsers.sha256PasswordProxyUsers,
    },
    rowsOf: (table) => {
      switch (table) {
        case "session_variables":
          return variableRows(own, flavour, "session");
        case "global_variables":
          return variableRows(own, flavour, "global");
        case "system_variables":
          return systemVariableRows(own);
        default:
          return sessionRows(loop, flavour, table, shown(text));
      }
    },
    shownVariables: (global) => shownVariables(own, flavour, global ? "global" : "session"),
  };
}

const shownBytesMax = 1024;

/** The beginning of a statement, for its own session's eyes. */
function shown(text: Uint8Array): string {
  return Buffer.from(text.subarray(0, shownBytesMax)).toString("utf8");
}

/**
 * The edits that make a command's text tell the truth; none where `truth` is null. `leftovers`: of the statement before,
 * where the connection at hand has others.
 */
export function truthEdits(
  loop: CommandLoop,
  text: Uint8Array,
  truth: Truth | null,
  leftovers: Leftovers | null = null,
): TextEdit[] {
  if (truth === null) return [];
  const { analyzed, context } = truth;
  const values = identityValues(loop, context.flavour, text);
  return values === null ? [] : identityEdits(text, analyzed, { ...values, ...leftovers }, context);
}

/**
 * A COM_QUERY or COM_STMT_PREPARE as it is sent: with `edits` made in its text, and the caller's comment where the flag
 * wants it; the same frames where there is nothing to do. `text`: what is known of it.
 * The error: it has become longer than max_allowed_packet. For a comment's sake it never does.
 */
export function editCommand(
  loop: CommandLoop,
  frames: Uint8Array,
  edits: readonly TextEdit[],
  text: StatementText,
): Uint8Array | SqlError {
  if (edits.length === 0 && !loop.services.callerIdComment) return frames;
  const payload = payloadOf(frames);
  const sql = payload.subarray(1);
  const bytesMax = loop.services.limits.allowedPacketBytesMax - 1;
  const comments = callerComments(loop, sql, text, payload[0] === COM_STMT_PREPARE);
  const edited = applyEdits(sql, [...comments, ...edits], bytesMax) ?? applyEdits(sql, edits, bytesMax);
  if (edited === null) return sqlError("ER_NET_PACKET_TOO_LARGE");
  return encodeFrames(Buffer.concat([payload.subarray(0, 1), edited]), 0);
}

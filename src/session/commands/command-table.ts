// THE list of commands that sessions answer, and who answers each. What is not listed is refused with 1047, as are the
// replication commands: their replies never end.

import { sqlError } from "../../errors/sql-error.ts";
import {
  COM_CHANGE_USER,
  COM_DEBUG,
  COM_FIELD_LIST,
  COM_INIT_DB,
  COM_PING,
  COM_PROCESS_INFO,
  COM_PROCESS_KILL,
  COM_QUERY,
  COM_QUIT,
  COM_RESET_CONNECTION,
  COM_SET_OPTION,
  COM_STATISTICS,
  COM_STMT_CLOSE,
  COM_STMT_EXECUTE,
  COM_STMT_FETCH,
  COM_STMT_PREPARE,
  COM_STMT_RESET,
  COM_STMT_SEND_LONG_DATA,
} from "../../wire/commands.ts";
import { isCompressedFrame } from "../../wire/compressed-frame.ts";
import type { CommandLoop } from "../command-loop.ts";
import { endWithError, replyError } from "../reply.ts";
import type { HandlerResult } from "../session-end.ts";
import { sessionEnd } from "../session-end.ts";
import { countUp } from "../session-metrics.ts";
import { handleChangeUser } from "./change-user.ts";
import { handleDebug, handleFieldList, handlePing, handleSetOption, handleStatistics } from "./forwarded.ts";
import { handleInitDb } from "./init-db.ts";
import { handleProcessKill } from "./kill.ts";
import { handleProcessInfo } from "./own-show.ts";
import { handlePrepare } from "./prepare.ts";
import { handleQuery } from "./query.ts";
import { handleResetConnection } from "./reset-connection.ts";
import {
  handleExecute,
  handleFetch,
  handleLongData,
  handleStatementClose,
  handleStatementReset,
} from "./statement.ts";

/** Answers one command. `frames` holds it whole, headers included, and may alias a buffer that is read into again. */
export type CommandHandler = (
  loop: CommandLoop,
  frames: Uint8Array,
) => HandlerResult | Promise<HandlerResult>;

interface CommandRow {
  /** Label of the metric of commands. */
  readonly name: string;
  readonly handle: CommandHandler;
}

const rows: Readonly<Record<number, CommandRow>> = {
  [COM_QUIT]: { name: "quit", handle: () => sessionEnd("quit") },
  [COM_INIT_DB]: { name: "init_db", handle: handleInitDb },
  [COM_QUERY]: { name: "query", handle: handleQuery },
  [COM_FIELD_LIST]: { name: "field_list", handle: handleFieldList },
  [COM_STATISTICS]: { name: "statistics", handle: handleStatistics },
  [COM_PROCESS_INFO]: { name: "process_info", handle: handleProcessInfo },
  [COM_PROCESS_KILL]: { name: "process_kill", handle: handleProcessKill },
  [COM_DEBUG]: { name: "debug", handle: handleDebug },
  [COM_PING]: { name: "ping", handle: handlePing },
  [COM_CHANGE_USER]: { name: "change_user", handle: handleChangeUser },
  [COM_STMT_PREPARE]: { name: "stmt_prepare", handle: handlePrepare },
  [COM_STMT_EXECUTE]: { name: "stmt_execute", handle: handleExecute },
  [COM_STMT_SEND_LONG_DATA]: { name: "stmt_send_long_data", handle: handleLongData },
  [COM_STMT_CLOSE]: { name: "stmt_close", handle: handleStatementClose },
  [COM_STMT_RESET]: { name: "stmt_reset", handle: handleStatementReset },
  [COM_SET_OPTION]: { name: "set_option", handle: handleSetOption },
  [COM_STMT_FETCH]: { name: "stmt_fetch", handle: handleFetch },
  [COM_RESET_CONNECTION]: { name: "reset_connection", handle: handleResetConnection },
};

const unknownRow: CommandRow = {
  name: "unknown",
  handle: (loop) => replyError(loop.replyTo, sqlError("ER_UNKNOWN_COM_ERROR")),
};

/** Counts the command and hands it to whoever answers it; `command` is -1 for an empty packet. */
export function handleCommand(
  loop: CommandLoop,
  command: number,
  frames: Uint8Array,
): HandlerResult | Promise<HandlerResult> {
  countUp(loop.services.metrics.commands, (rows[command] ?? unknownRow).name);
  if (loop.state.mayCompress) {
    loop.state.mayCompress = false;
    if (isCompressedFrame(frames)) return refuseCompression(loop);
  }
  return handleAgain(loop, command, frames);
}

/** PHP's mysqlnd compresses whenever it is told to: it would wait for ever for an answer that it can read. */
function refuseCompression({ replyTo }: CommandLoop): HandlerResult {
  const error = sqlError("ER_NOT_SUPPORTED_YET", { feature: "compression" });
  return endWithError({ ...replyTo, compressed: true }, error, "protocol_error");
}

/** Hands over a command that was counted already. */
export function handleAgain(
  loop: CommandLoop,
  command: number,
  frames: Uint8Array,
): HandlerResult | Promise<HandlerResult> {
  return (rows[command] ?? unknownRow).handle(loop, frames);
}

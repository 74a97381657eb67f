// `gatehouse explain`: how a statement would be understood for a user, which entries of the table ACL decide, and what the
// client would get. Works on the files alone: connects to nothing.

import { explainStatement, explainUser } from "../acl/explain.ts";
import { explanationText } from "../acl/explain-text.ts";
import { prepareTableAcl } from "../acl/table-acl.ts";
import { createTableAclAuthorizer, type TableAclAuthorizer } from "../acl/table-acl-authorizer.ts";
import { parseTableAclFile } from "../acl/table-acl-file.ts";
import { isFileContent, readFileContent } from "../base/file-content.ts";
import { jsonFileBytesMax } from "../base/json-file.ts";
import { nearestName } from "../base/nearest-name.ts";
import { FileProblemsError } from "../base/reloadable.ts";
import type { TableAclOptions } from "../server/gateway-options.ts";
import { analyzeText } from "../sql/analyze.ts";
import type { AnalysisContext } from "../sql/analyzed-text.ts";
import { characterSetClass, parseServerVersion, readingModesOf } from "../sql/dialect.ts";
import { splitArguments, UsageError } from "./arguments.ts";
import type { CommandContext, ExitCode } from "./command.ts";
import { explainFlags } from "./explain-flags.ts";
import { explainedIdentity } from "./explain-identity.ts";
import { explainRoutes } from "./explain-route.ts";
import type { FlagValues } from "./flag-values.ts";
import { serveFlags } from "./flags.ts";
import { formatHelp } from "./help.ts";
import { makeServeOptions } from "./options.ts";
import { gatherSettings } from "./settings.ts";

/** Modes of MySQL 5.7 to 9 and of MariaDB. */
const sqlModes: readonly string[] =
  `ALLOW_INVALID_DATES ANSI ANSI_QUOTES DB2 EMPTY_STRING_IS_NULL ERROR_FOR_DIVISION_BY_ZERO HIGH_NOT_PRECEDENCE IGNORE_BAD_TABLE_OPTIONS
  IGNORE_SPACE MAXDB MSSQL MYSQL323 MYSQL40 NO_AUTO_CREATE_USER NO_AUTO_VALUE_ON_ZERO NO_BACKSLASH_ESCAPES NO_DIR_IN_CREATE
  NO_ENGINE_SUBSTITUTION NO_FIELD_OPTIONS NO_KEY_OPTIONS NO_TABLE_OPTIONS NO_UNSIGNED_SUBTRACTION NO_ZERO_DATE NO_ZERO_IN_DATE
  ONLY_FULL_GROUP_BY ORACLE PAD_CHAR_TO_FULL_LENGTH PIPES_AS_CONCAT POSTGRESQL REAL_AS_FLOAT SIMULTANEOUS_ASSIGNMENT
  STRICT_ALL_TABLES STRICT_TRANS_TABLES TIME_ROUND_FRACTIONAL TIME_TRUNCATE_FRACTIONAL TRADITIONAL`.split(
    /\s+/,
  );

/** The server that texts are read for, when no flag names one. */
const usualServer = "8.4.0";

/** Texts from standard input are read up to here, in bytes: a packet of the usual --max_allowed_packet. */
const queryBytesMax = 64 * 1024 * 1024;

/**
 * Explains the statements of --query. `input`: standard input, for `--query=-`.
 * @throws UsageError for wrong flags, FileProblemsError for bad files
 */
export async function explain(
  context: CommandContext,
  input: AsyncIterable<Uint8Array | string> | null = null,
): Promise<ExitCode> {
  const split = splitArguments(context.argv, { ...serveFlags, ...explainFlags });
  if (split.help) {
    context.print(explainHelp(context.width));
    return 0;
  }
  if (split.words.length > 0)
    throw new UsageError(`Unexpected word '${split.words[0]}': give the statement as --query="..."`);
  const own = new Map([...split.flags].filter(([name]) => Object.hasOwn(explainFlags, name)));
  const served = new Map([...split.flags].filter(([name]) => !Object.hasOwn(explainFlags, name)));
  const { values } = gatherSettings(explainFlags, { flags: own, environment: {} });
  const settings = gatherSettings(serveFlags, { flags: served, environment: context.environment });
  const { gateway } = makeServeOptions(settings, context);
  const { user, query } = values;
  if (user === null) throw new UsageError("Whose rights? Give --user=NAME");
  if (query === null) throw new UsageError('Which statement? Give --query="SELECT ..."');
  const identity = await explainedIdentity(gateway.auth, { ...values, user }, context.clock.wallMs());
  const foldsCase = values.lower_case_table_names !== 0;
  const routes = await explainRoutes(gateway.backend, identity, values.database, foldsCase);
  const analysis = contextOf(values, gateway.serverVersion ?? usualServer, routes.database);
  const authorizer = gateway.tableAcl === null ? null : await authorizerOf(gateway.tableAcl, analysis);
  const text = query === "-" && input !== null ? await readQuery(input) : Buffer.from(query);
  const { statements } = analyzeText(text, analysis);
  const explainedUser = explainUser(identity, authorizer);
  const routed = statements.map(routes.explain);
  const explained = statements.map((statement, index) =>
    explainStatement(identity, statement, authorizer, routed[index]?.text ?? null),
  );
  if (values.json) context.print(JSON.stringify({ user: explainedUser, statements: explained }, null, 2));
  else context.print(explanationText(explainedUser, explained).trimEnd());
  const isServed = routed.every(({ refused }) => !refused);
  return isServed && explained.every(({ answer }) => answer.permitted) ? 0 : 1;
}

/** Byte by byte: what is not UTF-8 is no mistake of the terminal's there. */
async function readQuery(input: AsyncIterable<Uint8Array | string>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    const read = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    bytes += read.length;
    if (bytes > queryBytesMax)
      throw new UsageError(`The text from standard input is longer than ${queryBytesMax} bytes`);
    chunks.push(read);
  }
  const text = Buffer.concat(chunks);
  if (text.toString("latin1").trim() === "") throw new UsageError("Standard input holds no statement");
  return text;
}

function contextOf(
  values: FlagValues<typeof explainFlags>,
  usual: string,
  database: string | null,
): AnalysisContext {
  const text = values.server_version ?? usual;
  const server = parseServerVersion(text);
  if (server === null)
    throw new UsageError(
      `Flag --server_version must be a version such as 8.4.3 or 10.11.6-MariaDB: '${text}'`,
    );
  for (const mode of values.sql_mode) {
    if (sqlModes.includes(mode.toUpperCase())) continue;
    const nearest = nearestName(mode.toUpperCase(), sqlModes);
    throw new UsageError(
      `Flag --sql_mode has no mode '${mode}'${nearest === null ? "" : `: did you mean ${nearest}?`}`,
    );
  }
  const modes = readingModesOf(values.sql_mode.join(","));
  if (modes === null)
    throw new UsageError(
      `Flag --sql_mode must list modes such as ANSI_QUOTES: '${values.sql_mode.join(",")}'`,
    );
  return {
    modes,
    ...server,
    characterSet: characterSetClass("utf8mb4"),
    defaultSchema: database,
    lowerCaseTableNames: values.lower_case_table_names === 0 ? 0 : 1,
  };
}

async function authorizerOf(
  options: TableAclOptions,
  { lowerCaseTableNames }: AnalysisContext,
): Promise<TableAclAuthorizer> {
  const content = await readFileContent(options.path, jsonFileBytesMax);
  if (!isFileContent(content)) throw new FileProblemsError([content]);
  const parsed = parseTableAclFile({ text: content.bytes, path: content.path });
  if (!parsed.ok) throw new FileProblemsError(parsed.problems);
  return createTableAclAuthorizer(prepareTableAcl(parsed.file, lowerCaseTableNames), options);
}

function explainHelp(width: number): string {
  const about = [
    "Tells how the gateway understands a statement, which entry of the table ACL decides about each table and routine, and what the client would get. Takes the flags of serve (--table_acl_config, --mysql_auth_server_static_file, ...) beside its own. Exit code 1 when the statement would be denied or could not be routed.",
    "It connects to nothing: --server_version says which server is to read the statement, and with --topology_file the types in that file say who is the primary.",
  ];
  return formatHelp(
    { usage: 'gatehouse explain --user=NAME --query="..." [flags]', about },
    explainFlags,
    width,
  );
}

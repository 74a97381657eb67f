// Statements that the gateway answers in the server's place, since a server would answer for the service account: SHOW
// GRANTS, SHOW CREATE USER and SHOW PROCESSLIST of oneself. Alone they are answered here; among other statements a
// SELECT with the same rows is sent in their place.

import { accountOf } from "../acl/grants.ts";
import { SqlError } from "../errors/sql-error.ts";
import type { Identity } from "../identity/identity.ts";
import type { Flavour } from "../sql/dialect.ts";
import { withMarks } from "../sql/rewrite.ts";
import type { OwnShow, StatementSummary } from "../sql/statement-summary.ts";
import type { TextEdit } from "../sql/text-edits.ts";
import { readGrants } from "./ask-backend.ts";
import type { CommandLoop } from "./command-loop.ts";
import { withOtherSessions } from "./other-sessions.ts";
import { type OwnColumn, type OwnResult, selectOf } from "./own-result.ts";
import { processList, processListColumns } from "./process-list.ts";
import { internalError } from "./reply.ts";
import { grantsOfClient } from "./service-grants.ts";
import type { StatementText } from "./statement-text.ts";

const ownSubjects: ReadonlySet<string | null> = new Set(["GRANTS", "CREATE USER", "PROCESSLIST"]);

/** What a statement asks of the gateway; null: the server answers it. */
export function ownShowOf(statement: StatementSummary): OwnShow | null {
  return statement.kind === "SHOW" ? statement.ownShow : null;
}

/** Whether it asks that inside another statement (a PREPARE, a body), where nobody can answer in the server's place. */
export function carriesOwnShow({ kind, innerKinds, subject }: StatementSummary): boolean {
  return kind !== "SHOW" && innerKinds.includes("SHOW") && ownSubjects.has(subject);
}

/** The columns of an answer, known before it is asked for. */
export function ownColumns(loop: CommandLoop, { what }: OwnShow): readonly OwnColumn[] {
  const { identity } = loop.state;
  const name = identity === null ? "" : `${identity.authUser}@${identity.authHost}`;
  switch (what) {
    case "GRANTS":
      return [{ name: `Grants for ${name}`, type: "text", characters: 1024 }];
    case "CREATE USER":
      return [{ name: `CREATE USER for ${name}`, type: "text", characters: 1024 }];
    default:
      return processListColumns(flavourOf(loop));
  }
}

/** The answer; asks the server where its account's grants are what the session may do. */
export function ownAnswer(
  loop: CommandLoop,
  show: OwnShow,
  written: string,
): OwnResult | SqlError | Promise<OwnResult | SqlError> {
  const { identity } = loop.state;
  if (identity === null) return internalError();
  const columns = ownColumns(loop, show);
  const lines = (list: readonly string[]): OwnResult => ({ columns, rows: list.map((line) => [line]) });
  switch (show.what) {
    case "GRANTS": {
      const held = loop.services.authorizer().grantsFor(identity);
      return held === null ? serviceGrants(loop, identity, lines) : lines(held);
    }
    case "CREATE USER":
      return lines([createUser(identity, flavourOf(loop))]);
    default:
      return withOtherSessions<OwnResult | SqlError>(
        loop,
        () => processList(loop, flavourOf(loop), show.what === "FULL PROCESSLIST", written),
        (error) => error,
      );
  }
}

/** What stands for the statements among others. */
export async function ownEdits(
  loop: CommandLoop,
  text: StatementText,
  sql: Uint8Array,
  executableParts: readonly number[],
): Promise<TextEdit[] | SqlError> {
  const edits: TextEdit[] = [];
  for (const statement of text.statements) {
    const show = ownShowOf(statement);
    if (show === null) continue;
    const { start, end } = show;
    const answer = await ownAnswer(loop, show, Buffer.from(sql.subarray(start, end)).toString("utf8"));
    if (answer instanceof SqlError) return answer;
    const select = Buffer.from(selectOf(answer));
    edits.push({ start, end, text: withMarks(select, sql, show, executableParts) });
  }
  return edits;
}

function flavourOf(loop: CommandLoop): Flavour {
  return loop.services.readingServer()?.flavour ?? "mysql";
}

async function serviceGrants(
  loop: CommandLoop,
  identity: Identity,
  answer: (lines: readonly string[]) => OwnResult,
): Promise<OwnResult | SqlError> {
  const grants = await readGrants(loop.backend);
  return grants instanceof SqlError ? grants : answer(grantsOfClient(grants, accountOf(identity)));
}

/** As servers show it to those who may not see secrets. How the base of a proxy user would log in is not told. */
function createUser(identity: Identity, flavour: Flavour): string {
  const account = `CREATE USER ${accountOf(identity)}`;
  if (identity.baseEntry !== null || !/^[a-z0-9_]+$/.test(identity.plugin)) return account;
  return flavour === "mariadb"
    ? `${account} IDENTIFIED VIA ${identity.plugin} USING '<secret>'`
    : `${account} IDENTIFIED WITH '${identity.plugin}' AS '<secret>'`;
}

// An explanation as lines for people. The same data goes out as JSON unchanged.

import type { ExplainedDenial, ExplainedRight, ExplainedStatement, ExplainedUser } from "./explain.ts";

/** Two columns; names are printed without control characters. */
export function explanationText(user: ExplainedUser, statements: readonly ExplainedStatement[]): string {
  const lines = [row("User", userLine(user))];
  for (const [index, statement] of statements.entries()) {
    const heading = statements.length === 1 ? "Statement" : `Statement ${index + 1}`;
    lines.push("", row(heading, kindLine(statement)));
    if (statement.uncertain !== null) lines.push(row("", `not understood: ${statement.uncertain}`));
    for (const right of statement.rights) lines.push(row(roleWord(right), rightLine(right)));
    lines.push(...answerLines(statement));
    if (statement.route !== null) lines.push(row("Route", statement.route));
  }
  return `${lines.map(printable).join("\n")}\n`;
}

const labelWidth = 12;

function row(label: string, text: string): string {
  return `${label.padEnd(labelWidth)} ${text}`;
}

function printable(line: string): string {
  return line.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, "?");
}

function userLine(user: ExplainedUser): string {
  const parts = [user.loginUser];
  if (user.authUser !== user.loginUser) parts.push(`as ${user.authUser}`);
  const principals = [`UserData ${user.userData}`];
  if (user.groups.length > 0) principals.push(`Groups ${user.groups.join(", ")}`);
  parts.push(`(${principals.join("; ")})`);
  if (user.exempt) parts.push("exempt");
  return parts.join(" ");
}

function kindLine(statement: ExplainedStatement): string {
  const kind = [statement.kind, statement.subject, ...statement.innerKinds.map((inner) => `> ${inner}`)];
  const traits = [statement.readOnly ? "read-only" : "not read-only"];
  if (statement.pins !== null) traits.push(`keeps its connection: ${statement.pins}`);
  return `${kind.filter((word) => word !== null).join(" ")} (${traits.join("; ")})`;
}

function roleWord(right: ExplainedRight): string {
  return `${right.role.charAt(0).toUpperCase()}${right.role.slice(1)} of`;
}

function rightLine(right: ExplainedRight): string {
  const verdict = `${right.name}: ${right.allowed ? "allowed" : "denied"}`;
  const { rule } = right;
  if (rule === null) return `${verdict}, no entry names it`;
  const place = `"${rule.entry}" of group "${rule.group}"`;
  return rule.list === null
    ? `${verdict} by ${place}, which lists nobody of the user as ${right.role}`
    : `${verdict} by ${place}, ${rule.list} has "${rule.principal}"`;
}

function answerLines(statement: ExplainedStatement): string[] {
  const { answer } = statement;
  if (!answer.permitted) return [row("Answer", denialText(answer)), row("", answer.reason)];
  if (answer.wouldDeny === null) return [row("Answer", `permitted: ${answer.reason}`)];
  return [
    row("Answer", `permitted: ${answer.reason}, otherwise ${denialText(answer.wouldDeny)}`),
    row("", answer.wouldDeny.reason),
  ];
}

function denialText(denial: ExplainedDenial): string {
  return `ERROR ${denial.code} (${denial.sqlState}): ${denial.message}`;
}

// Runs in the browser: what the table ACL has denied, grouped by the rule that decided, each with its explanation.

import { ago, type Denial, type Denials, stamp } from "./answers.ts";
import { byId, fillTable, type Row, visible } from "./draw.ts";

const shownMax = 100;

/** Fills the table; null: there is no table ACL. */
export function showDenials(denials: Denials | null, nowMs: number): void {
  if (denials === null) {
    byId("denials-count").textContent = "";
    fillTable("denials", [], "There is no table ACL: everybody may do what the service account may do.");
    return;
  }
  const byRule = new Map<string, Denial[]>();
  for (const denial of denials.denials) {
    const rule = ruleOf(denial);
    byRule.set(rule, [...(byRule.get(rule) ?? []), denial]);
  }
  const rows = [...byRule].flatMap(([rule, all]) => {
    const total = all.reduce((sum, { count }) => sum + count, 0);
    return all.map((denial) => denialRow(denial, rule, total, nowMs));
  });
  const total = denials.denials.reduce((sum, { count }) => sum + count, 0);
  const part = rows.length > shownMax ? `, the first ${shownMax} kinds shown` : "";
  byId("denials-count").textContent =
    total === 0 ? "" : `${total} in ${rows.length} ${rows.length === 1 ? "kind" : "kinds"}${part}`;
  fillTable("denials", rows.slice(0, shownMax), "Nothing was denied since the start.");
}

function ruleOf({ rule_group, rule_entry }: Denial): string {
  return rule_group === null ? "no rule" : `${rule_group}: ${rule_entry}`;
}

function denialRow(denial: Denial, rule: string, total: number, nowMs: number): Row {
  const what = denial.name ?? denial.object;
  const list = denial.rule_list === null ? "" : `, ${denial.rule_list} has ${denial.rule_principal}`;
  const wanted = denial.role === null ? denial.statement_kind : `${denial.statement_kind} as ${denial.role}`;
  return {
    key: JSON.stringify([
      ...[denial.outcome, denial.statement_kind, denial.object, denial.name, denial.role, denial.user_data],
      ...[denial.rule_group, denial.rule_entry, denial.rule_list, denial.rule_principal, denial.error_code],
    ]),
    cells: [
      { text: rule, more: `${total} in all${list}` },
      { text: what, more: denial.name === null ? "" : denial.object },
      { text: wanted, more: denial.outcome === "dry_run" ? "dry run: it ran" : `error ${denial.error_code}` },
      { text: denial.user_data, more: denial.groups.join(", ") },
      { text: `${denial.user}@${denial.host}` },
      { text: String(denial.count), numeric: true },
      { text: ago(denial.last, nowMs), more: stamp(denial.last) },
    ],
    button: {
      text: "Explain",
      label: `Explain why ${wanted} on ${what} was denied to ${denial.user_data}`,
      harmless: true,
      press: () => openExplanation(denial, wanted, what),
    },
  };
}

function openExplanation(denial: Denial, wanted: string, what: string): void {
  byId("explain-what").textContent = visible(`${wanted} on ${what}, asked by ${denial.user_data}`);
  byId("explain-lines").replaceChildren(
    ...denial.explanation.map((sentence) => {
      const item = document.createElement("li");
      item.textContent = visible(sentence);
      return item;
    }),
  );
  byId<HTMLDialogElement>("explain-dialog").showModal();
}

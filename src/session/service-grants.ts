// What a server tells of the service account's grants, told of the client's account: where no table ACL restricts a
// session, it may do what the service account may. How that account logs in is nobody's business.

/**
 * The lines of SHOW GRANTS with `account` in the place of the one they name, as far as they tell of rights: how the
 * account is identified and limited is left out, and so is whom it may stand for.
 */
export function grantsOfClient(lines: readonly string[], account: string): string[] {
  const told: string[] = [];
  for (const line of lines) {
    const words = topLevelWords(line);
    const head = words[0]?.text ?? "";
    if (head === "GRANT" && words[1]?.text === "PROXY") continue;
    const before = head === "GRANT" ? "TO" : head === "REVOKE" ? "FROM" : head === "SET" ? "FOR" : null;
    const at = words.findLast(({ text }) => text === before);
    // Whatever else it is, it is not known to be free of the account's name.
    if (at === undefined) continue;
    const option = words.some(({ text, start }) => text === "OPTION" && start > at.start);
    const admin = words.some(({ text, start }) => text === "ADMIN" && start > at.start);
    const tail = option ? ` WITH ${admin ? "ADMIN" : "GRANT"} OPTION` : "";
    told.push(`${line.slice(0, at.end)} ${account}${tail}`);
  }
  return told;
}

interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Words outside quotes, of whatever kind. */
function topLevelWords(line: string): Word[] {
  const words: Word[] = [];
  for (const match of line.matchAll(/(["'`])(?:(?!\1)[\s\S]|\1\1)*\1|[A-Za-z_]+/g)) {
    if (match[1] !== undefined) continue;
    words.push({ text: match[0].toUpperCase(), start: match.index, end: match.index + match[0].length });
  }
  return words;
}

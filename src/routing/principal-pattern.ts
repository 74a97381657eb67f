// Names of principals as routing rules and accounts write them: exact, or a prefix that ends with `%`.

/** Whether `name` is meant by `pattern`. */
export function matchesPrincipal(pattern: string, name: string): boolean {
  return pattern.endsWith("%") ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

/** The pattern that means `name` best: the name itself, else the longest prefix; null: none does. */
export function bestPrincipal(patterns: Iterable<string>, name: string): string | null {
  let best: string | null = null;
  for (const pattern of patterns) {
    if (!matchesPrincipal(pattern, name)) continue;
    if (!pattern.endsWith("%")) return pattern;
    if (best === null || pattern.length > best.length) best = pattern;
  }
  return best;
}

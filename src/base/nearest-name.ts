// Finds the name that was probably meant when an unknown one was written: for flags and for keys of files.

/** Names longer than this are not compared: no typing error of a person is being looked for any more. */
const nameLengthMax = 200;

/**
 * The name of `known` that is nearest to `written`, or null when none is near enough to be worth suggesting. Case and
 * the choice between `-` and `_` do not count as differences.
 */
export function nearestName(written: string, known: Iterable<string>): string | null {
  if (written.length > nameLengthMax) return null;
  const wanted = comparable(written);
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const name of known) {
    const distance = editDistance(wanted, comparable(name), bestDistance);
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

function comparable(name: string): string {
  return name.toLowerCase().replaceAll("-", "_");
}

/**
 * Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b` (optimal string alignment);
 * `limit` when it is that or more.
 */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    let rowMin = row;
    for (let column = 1; column <= b.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      let cost = Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, (beforePrevious[column - 2] ?? 0) + 1);
      }
      current.push(cost);
      rowMin = Math.min(rowMin, cost);
    }
    if (rowMin > limit) return limit;
    beforePrevious = previous;
    previous = current;
  }
  return Math.min(previous[b.length] ?? limit, limit);
}

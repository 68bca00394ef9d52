/** How many one-letter changes lead from one text to the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, n) => n);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries()) {
      const changed = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** The words of a name however it is written; singular and plural count as one. */
const wordsOf = (name: string): Set<string> =>
  new Set(
    name
      .replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, ' ')
      .toLowerCase()
      .split(/[^a-z0-9]+/)
      .map((word) => word.replace(/s$/, ''))
      .filter((word) => word !== ''),
  );

/** Below this two names without a word in common have nothing to do with each other. */
const ALIKE = 0.5;

/** Up to three names somebody may have meant, the likeliest first: half by the words they share, half by their letters. */
export function nearest(given: string, names: Iterable<string>): string[] {
  const typed = given.slice(0, 100);
  const words = wordsOf(typed);
  const scored = Array.from(names, (name) => {
    const others = wordsOf(name);
    const shared = [...words].filter((word) => others.has(word)).length;
    const letters = 1 - editDistance(typed.toLowerCase(), name.toLowerCase()) / Math.max(typed.length, name.length, 1);
    return { name, shared, score: shared / new Set([...words, ...others]).size + letters };
  });
  return scored
    .filter(({ shared, score }) => shared > 0 || score >= ALIKE)
    .toSorted((a, b) => b.score - a.score)
    .slice(0, 3)
    .map(({ name }) => name);
}

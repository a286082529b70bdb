/** Which known word someone probably meant. */

/**
 * The word of `known` with the fewest letters to change from `written`, or
 * `undefined` when none is near: more than a third of the letters differ.
 */
export function nearest(
  written: string,
  known: readonly string[],
): string | undefined {
  let best: string | undefined;
  let fewest = Math.ceil(written.length / 3) + 1;
  for (const word of known) {
    const changes = lettersToChange(written, word);
    if (changes < fewest) [best, fewest] = [word, changes];
  }
  return best;
}

/** Levenshtein distance; O(a * b) time. */
function lettersToChange(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

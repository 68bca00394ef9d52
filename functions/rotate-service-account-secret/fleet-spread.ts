import { createHash } from 'node:crypto';

/** A whole number below `below` that depends on `text` alone. */
export const hashed = (text: string, below: number): number =>
  createHash('sha256').update(text).digest().readUInt32BE(0) % below;

/**
 * Work in an order of its own for each name: the first hours of a list are nobody's, and no neighbour in it is always
 * next. The same names in any order come out the same.
 */
export const spread = <Item>(items: readonly Item[], nameOf: (item: Item) => string): Item[] =>
  items
    .map((item) => ({ item, name: nameOf(item), at: hashed(nameOf(item), 2 ** 32) }))
    .toSorted((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1))
    .map(({ item }) => item);

/** Works on every item, at most `atOnce` side by side. Whoever works must not throw what is not to end it all. */
export async function eachOf<Item>(
  items: Iterable<Item>,
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  // Shared by all: each takes the next one that nobody has taken.
  const queue = items[Symbol.iterator]();
  const workOn = async (): Promise<void> => {
    for (let next = queue.next(); !next.done; next = queue.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, workOn));
}

import type { Durable } from '../durable/durable.ts';
import type { Collection, World } from './world.ts';

/**
 * Keeps the world as a whole, and puts back what was kept: objects that stand in several collections stay one object.
 * Answers what keeps it again. What is not in a collection (tokens that were spent, rate limits, nonces) starts anew.
 */
export function keepWorld(world: World, durable: Durable): () => void {
  const shelf = durable.shelf<Readonly<Record<string, Collection>>>('world');
  const { collections } = world;
  for (const [, picture] of shelf.kept())
    for (const [name, kept] of Object.entries(picture)) {
      const collection = collections[name];
      if (collection instanceof Map && kept instanceof Map) for (const [key, value] of kept) collection.set(key, value);
      if (collection instanceof Set && kept instanceof Set) for (const value of kept) collection.add(value);
    }
  return () => shelf.put('world', collections);
}

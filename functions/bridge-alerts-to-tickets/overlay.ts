import * as z from 'zod';
import type { Key, State, Stored } from '../../lib/aws/state.ts';

const anything = z.unknown();

interface Kept {
  readonly key: Key;
  readonly value: unknown;
  readonly version: number;
}

const nameOf = ({ pk, sk }: Key): string => `${pk}\u0000${sk}`;

/** The state as it is, with writes that stay here: nothing of them reaches the table. */
export function overlay(real: State): State {
  /** Undefined where it was removed here. */
  const kept = new Map<string, Kept | undefined>();
  let version = 0;

  const put = <V extends object>(key: Key, value: V): Stored<V> => {
    const stored = { key, value: structuredClone(value), version: ++version };
    kept.set(nameOf(key), stored);
    return stored;
  };

  const read: State['read'] = async (key, schema, deadline) => {
    const name = nameOf(key);
    if (!kept.has(name)) return real.read(key, schema, deadline);
    const own = kept.get(name);
    return own && { key, value: schema.parse(own.value), version: own.version };
  };

  return {
    read,
    readAll: (keys, schema, deadline) => Promise.all(keys.map((key) => read(key, schema, deadline))),
    async create(key, value, deadline) {
      const name = nameOf(key);
      if (kept.has(name) ? kept.get(name) : await real.read(key, anything, deadline)) return undefined;
      return put(key, value);
    },
    async replace(stored, value) {
      const own = kept.get(nameOf(stored.key));
      return own && own.version !== stored.version ? undefined : put(stored.key, value);
    },
    async remove({ key }) {
      kept.set(nameOf(key), undefined);
      return true;
    },
    async *list(pk, schema, deadline, options = {}) {
      const { prefix = '', after, newestFirst = false } = options;
      const found = new Map<string, Kept>();
      for await (const item of real.list(pk, anything, deadline, options)) found.set(item.key.sk, item);
      for (const own of kept.values())
        if (own?.key.pk === pk && own.key.sk.startsWith(prefix)) found.set(own.key.sk, own);
      const order = [...found.keys()].toSorted();
      for (const sk of newestFirst ? order.toReversed() : order) {
        const key = { pk, sk };
        if (after !== undefined && (newestFirst ? sk >= after : sk <= after)) continue;
        const item = kept.has(nameOf(key)) ? kept.get(nameOf(key)) : found.get(sk);
        if (item) yield { key, value: schema.parse(item.value), version: item.version };
      }
    },
  };
}

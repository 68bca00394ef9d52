/** Values of one kind by their keys. What was put is there after a restart, once it was committed. */
export interface Shelf<Value> {
  /** What was there at the start, in the order of the keys. To be read once, before anything is put. */
  kept(): Iterable<readonly [key: string, value: Value]>;
  /** Keeps the value as it is at the next commit: one that is changed meanwhile is kept as it then is. */
  put(key: string, value: Value): void;
  remove(key: string): void;
}

/**
 * Where the services on this machine keep what must survive the process. They live in memory and write what changed;
 * whoever answers a caller commits first, so that nothing that was answered is forgotten.
 */
export interface Durable {
  shelf<Value>(name: string): Shelf<Value>;
  /** What was put and removed since the last time is on the disk, all of it or, where this throws, none. */
  commit(): void;
  /** The same for all who ask for it in one turn of the event loop, which is one commit. */
  committed(): Promise<void>;
}

const nothing: Shelf<never> = { kept: () => [], put: () => {}, remove: () => {} };

/** Keeps nothing: for tests, and for whoever ends when its work is done. */
export const forgetful: Durable = { shelf: () => nothing, commit: () => {}, committed: async () => {} };

/** Maps the shelves of one name onto another, so that two services of a kind do not meet. */
export const within = (durable: Durable, prefix: string): Durable => ({
  shelf: (name) => durable.shelf(`${prefix}/${name}`),
  commit: () => durable.commit(),
  committed: () => durable.committed(),
});

/** What is kept, to look at: nothing is written. */
export const frozen = (durable: Durable): Durable => ({
  shelf: (name) => ({ kept: () => durable.shelf<never>(name).kept(), put: () => {}, remove: () => {} }),
  commit: () => {},
  committed: async () => {},
});

/** A map whose entries are kept. An entry that is changed in place is put again, by whoever changes it. */
export class KeptMap<Value> extends Map<string, Value> {
  readonly #shelf: Shelf<Value> | undefined;

  constructor(shelf: Shelf<Value>) {
    super();
    for (const [key, value] of shelf.kept()) super.set(key, value);
    this.#shelf = shelf;
  }

  override set(key: string, value: Value): this {
    this.#shelf?.put(key, value);
    return super.set(key, value);
  }

  override delete(key: string): boolean {
    this.#shelf?.remove(key);
    return super.delete(key);
  }

  override clear(): void {
    for (const key of this.keys()) this.#shelf?.remove(key);
    super.clear();
  }
}

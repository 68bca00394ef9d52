import type { Generator } from '../generator.ts';
import type { Cluster } from './clusters.ts';

const BUILDS_FOR_MS = 60_000;

export interface SearchIndex {
  readonly id: string;
  readonly database: string;
  readonly collectionName: string;
  readonly name: string;
  readonly type: 'search' | 'vectorSearch';
  definition: Readonly<Record<string, unknown>>;
  version: number;
  changedAt: Date;
  /** A status it stays in; otherwise it is built some time after a change. */
  stuckIn: 'FAILED' | 'STALE' | 'PENDING' | 'BUILDING' | undefined;
}

type Placed = Pick<SearchIndex, 'database' | 'collectionName' | 'name'> &
  Partial<Pick<SearchIndex, 'type' | 'definition' | 'changedAt' | 'stuckIn'>>;

/** The search and vector search indexes of all clusters. */
export class SearchIndexes {
  readonly #indexes = new Map<string, SearchIndex[]>();
  readonly #now: () => Date;
  readonly #generator: Generator;

  /** What a picture of this state holds. */
  get collections() {
    return { indexes: this.#indexes };
  }

  constructor(world: { now(): Date }, generator: Generator) {
    this.#now = () => world.now();
    this.#generator = generator;
  }

  /** Places an index that was built long ago, unless a date is given. */
  add(cluster: Cluster, { type = 'search', changedAt = cluster.createdAt, stuckIn, ...index }: Placed): SearchIndex {
    const definition = type === 'search' ? { mappings: { dynamic: true } } : { fields: [] };
    const added = { id: this.#generator.hex(24), type, definition, version: 0, changedAt, stuckIn, ...index };
    this.#indexes.set(cluster.id, [...this.of(cluster), added]);
    return added;
  }

  of(cluster: Cluster): readonly SearchIndex[] {
    return this.#indexes.get(cluster.id) ?? [];
  }

  /** Says whether there was one. */
  remove(cluster: Cluster, id: string): boolean {
    const left = this.of(cluster).filter((index) => index.id !== id);
    const isRemoved = left.length < this.of(cluster).length;
    this.#indexes.set(cluster.id, left);
    return isRemoved;
  }

  redefine(index: SearchIndex, definition: SearchIndex['definition']): void {
    index.definition = definition;
    index.version += 1;
    index.changedAt = this.#now();
    index.stuckIn = undefined;
  }

  statusOf({ changedAt, stuckIn }: SearchIndex): 'FAILED' | 'STALE' | 'PENDING' | 'BUILDING' | 'READY' {
    if (stuckIn) return stuckIn;
    return this.#now().getTime() - changedAt.getTime() < BUILDS_FOR_MS ? 'BUILDING' : 'READY';
  }

  /** An index answers queries by its older definition while a younger one is being built. */
  isQueryable(index: SearchIndex): boolean {
    const status = this.statusOf(index);
    return status === 'READY' || status === 'STALE' || (status === 'BUILDING' && index.version > 0);
  }
}

import type { Generator } from '../generator.ts';
import type { Cluster } from './clusters.ts';

const PAUSES_FOR_MS = 60_000;

export interface OnlineArchive {
  readonly id: string;
  readonly dbName: string;
  readonly collName: string;
  readonly collectionType: 'STANDARD' | 'TIMESERIES';
  readonly partitionFields: readonly { readonly fieldName: string; readonly order: number }[];
  criteria: Readonly<Record<string, unknown>>;
  schedule: Readonly<Record<string, unknown>>;
  dataExpirationRule: { readonly expireAfterDays: number } | undefined;
  paused: boolean;
  /** What it was last told or placed to be; pausing takes a while. */
  phase: { readonly state: 'PENDING' | 'ACTIVE' | 'PAUSED' | 'ORPHANED'; readonly since: Date };
}

type Placed = Pick<OnlineArchive, 'dbName' | 'collName'> &
  Partial<Pick<OnlineArchive, 'criteria' | 'schedule' | 'dataExpirationRule' | 'collectionType'>> & {
    readonly state?: OnlineArchive['phase']['state'];
  };

/** The online archives of all clusters. */
export class OnlineArchives {
  readonly #archives = new Map<string, OnlineArchive[]>();
  readonly #now: () => Date;
  readonly #generator: Generator;

  /** What a picture of this state holds. */
  get collections() {
    return { archives: this.#archives };
  }

  constructor(world: { now(): Date }, generator: Generator) {
    this.#now = () => world.now();
    this.#generator = generator;
  }

  /** Places an archive that is active unless told otherwise. */
  add(cluster: Cluster, { state = 'ACTIVE', ...placed }: Placed): OnlineArchive {
    const archive: OnlineArchive = {
      id: this.#generator.hex(24),
      collectionType: 'STANDARD',
      partitionFields: [{ fieldName: 'createdAt', order: 0 }],
      criteria: { type: 'DATE', dateField: 'createdAt', dateFormat: 'ISODATE', expireAfterDays: 30 },
      schedule: { type: 'DEFAULT' },
      dataExpirationRule: undefined,
      paused: state === 'PAUSED',
      phase: { state, since: cluster.createdAt },
      ...placed,
    };
    this.#archives.set(cluster.id, [...this.of(cluster), archive]);
    return archive;
  }

  of(cluster: Cluster): readonly OnlineArchive[] {
    return this.#archives.get(cluster.id) ?? [];
  }

  setPaused(archive: OnlineArchive, paused: boolean): void {
    archive.paused = paused;
    archive.phase = { state: paused ? 'PAUSED' : 'ACTIVE', since: this.#now() };
  }

  stateOf({ phase: { state, since } }: OnlineArchive): OnlineArchive['phase']['state'] | 'PAUSING' {
    const isPausing = state === 'PAUSED' && this.#now().getTime() - since.getTime() < PAUSES_FOR_MS;
    return isPausing ? 'PAUSING' : state;
  }
}

import type { Generator } from '../generator.ts';
import type { Cluster } from './clusters.ts';

/** A restore of a dedicated cluster's snapshot. Atlas tells when one is over, and not when it began. */
export interface Restore {
  readonly id: string;
  readonly snapshotId: string;
  readonly deliveryType: 'automated' | 'download' | 'pointInTime';
  readonly target: { readonly groupId: string; readonly name: string } | undefined;
  finishedAt: Date | undefined;
  readonly failed: boolean;
  readonly cancelled: boolean;
}

export interface Export {
  readonly id: string;
  readonly snapshotId: string;
  readonly createdAt: Date;
  readonly finishedAt: Date | undefined;
  readonly state: 'Queued' | 'InProgress' | 'Failed' | 'Cancelled' | 'Successful';
}

/** What was done with the snapshots of dedicated clusters. */
export class BackupJobs {
  readonly #restores = new Map<string, Restore[]>();
  readonly #exports = new Map<string, Export[]>();
  readonly #now: () => Date;
  readonly #generator: Generator;

  /** What a picture of this state holds. */
  get collections() {
    return { restores: this.#restores, exports: this.#exports };
  }

  constructor(world: { now(): Date }, generator: Generator) {
    this.#now = () => world.now();
    this.#generator = generator;
  }

  /** Places a restore; into the cluster itself and just finished unless given. */
  addRestore(
    cluster: Cluster,
    {
      snapshotId = this.#generator.hex(24),
      deliveryType = 'automated',
      target = cluster,
      failed = false,
      cancelled = false,
      ...rest
    }: Partial<Omit<Restore, 'id'>> = {},
  ): Restore {
    const finishedAt = 'finishedAt' in rest ? rest.finishedAt : this.#now();
    const into = deliveryType === 'download' ? undefined : target;
    const restore = {
      id: this.#generator.hex(24),
      snapshotId,
      deliveryType,
      target: into,
      finishedAt,
      failed,
      cancelled,
    };
    this.#restores.set(cluster.id, [restore, ...this.restores(cluster)]);
    return restore;
  }

  /** Youngest first. */
  restores(cluster: Cluster): readonly Restore[] {
    return this.#restores.get(cluster.id) ?? [];
  }

  /** Places an export; successful and just finished unless given. */
  addExport(cluster: Cluster, change: Partial<Omit<Export, 'id'>> = {}): Export {
    const now = this.#now();
    const made: Export = {
      id: this.#generator.hex(24),
      snapshotId: this.#generator.hex(24),
      createdAt: now,
      finishedAt: now,
      state: 'Successful',
      ...change,
    };
    this.#exports.set(cluster.id, [made, ...this.exports(cluster)]);
    return made;
  }

  /** Youngest first. */
  exports(cluster: Cluster): readonly Export[] {
    return this.#exports.get(cluster.id) ?? [];
  }
}

import type { Generator } from '../generator.ts';
import type { Cluster } from './clusters.ts';
import { derivedId } from './derived-id.ts';
import { covers, type Interval } from './interval.ts';

const DAY_MS = 86_400_000;
const KEPT = 8;
const STARTS_AFTER_MS = 30_000;
const TAKES_MS = 90_000;

type Status = 'PENDING' | 'QUEUED' | 'RUNNING' | 'FAILED' | 'COMPLETED';

export interface FlexSnapshot {
  readonly id: string;
  readonly scheduledAt: Date;
  readonly startedAt: Date | undefined;
  readonly finishedAt: Date | undefined;
  readonly expiresAt: Date;
  readonly status: Status;
}

/** A restore as it was asked for; how far it is follows from the clock unless it is said. */
export interface FlexRestore {
  readonly id: string;
  readonly snapshotId: string;
  readonly snapshotFinishedAt: Date;
  readonly deliveryType: 'RESTORE' | 'DOWNLOAD';
  readonly target: { readonly groupId: string; readonly name: string } | undefined;
  readonly requestedAt: Date;
  readonly failed: boolean;
}

/** Backups of flex clusters: one a day from the second day on, the last eight of them kept, nothing to configure. */
export class FlexBackups {
  readonly #disturbed = new Map<string, (Interval & { readonly outcome: 'missed' | 'failed' })[]>();
  readonly #restores = new Map<string, FlexRestore[]>();
  readonly #now: () => Date;
  readonly #generator: Generator;

  /** What a picture of this state holds. */
  get collections() {
    return { disturbed: this.#disturbed, restores: this.#restores };
  }

  constructor(world: { now(): Date }, generator: Generator) {
    this.#now = () => world.now();
    this.#generator = generator;
  }

  /** Lets the snapshots of a stretch of time fail, or not be taken at all. */
  disturb(
    cluster: Cluster,
    { from, to, outcome }: { readonly from: Date; readonly to?: Date; readonly outcome: 'missed' | 'failed' },
  ): void {
    this.#disturbed.set(cluster.id, [...(this.#disturbed.get(cluster.id) ?? []), { from, to, outcome }]);
  }

  /** Youngest first. */
  snapshots(cluster: Cluster): FlexSnapshot[] {
    if (!cluster.backupEnabled) return [];
    const now = this.#now().getTime();
    const created = cluster.createdAt.getTime();
    const snapshots: FlexSnapshot[] = [];
    const days = Math.floor((now - created) / DAY_MS);
    for (let day = days; day >= 1 && day > days - 2 * KEPT && snapshots.length < KEPT; day -= 1) {
      const scheduled = created + day * DAY_MS;
      const disturbed = this.#disturbed.get(cluster.id)?.filter((each) => covers(each, scheduled)) ?? [];
      if (disturbed.some(({ outcome }) => outcome === 'missed')) continue;
      const started = scheduled + STARTS_AFTER_MS;
      const finished = started + TAKES_MS;
      const failed = disturbed.length > 0;
      snapshots.push({
        id: derivedId(cluster.id, 'flex', scheduled),
        scheduledAt: new Date(scheduled),
        startedAt: now >= started ? new Date(started) : undefined,
        finishedAt: now >= finished && !failed ? new Date(finished) : undefined,
        expiresAt: new Date(scheduled + KEPT * DAY_MS),
        status: now < started ? 'QUEUED' : now < finished ? 'RUNNING' : failed ? 'FAILED' : 'COMPLETED',
      });
    }
    return snapshots;
  }

  /** Places a restore of a snapshot. */
  addRestore(
    cluster: Cluster,
    snapshot: FlexSnapshot,
    { deliveryType = 'RESTORE', target, requestedAt = this.#now(), failed = false }: Partial<FlexRestore> = {},
  ): FlexRestore {
    const restore = {
      id: this.#generator.hex(24),
      snapshotId: snapshot.id,
      snapshotFinishedAt: snapshot.finishedAt ?? snapshot.scheduledAt,
      deliveryType,
      target: deliveryType === 'RESTORE' ? (target ?? cluster) : undefined,
      requestedAt,
      failed,
    };
    this.#restores.set(cluster.id, [restore, ...(this.#restores.get(cluster.id) ?? [])]);
    return restore;
  }

  /** Youngest first. */
  restores(cluster: Cluster): readonly FlexRestore[] {
    return this.#restores.get(cluster.id) ?? [];
  }

  /** How far a restore is, and when it ended. */
  progress({ requestedAt, failed }: FlexRestore): { readonly status: Status; readonly finishedAt: Date | undefined } {
    const elapsed = this.#now().getTime() - requestedAt.getTime();
    if (elapsed < STARTS_AFTER_MS) return { status: 'PENDING', finishedAt: undefined };
    if (elapsed < TAKES_MS) return { status: 'RUNNING', finishedAt: undefined };
    return { status: failed ? 'FAILED' : 'COMPLETED', finishedAt: new Date(requestedAt.getTime() + TAKES_MS) };
  }
}

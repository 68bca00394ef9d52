import type { AtlasClient } from '../../../lib/atlas/client.ts';
import { AtlasRejected, AtlasUnavailable } from '../../../lib/atlas/errors.ts';
import type { Clock } from '../../../lib/runtime/clock.ts';

export interface TrueAlert {
  readonly id: string;
  readonly cluster: string;
  readonly created: number;
  status: 'OPEN' | 'CLOSED' | 'CANCELLED';
  updated: number;
  acknowledged: { until: number; by: string; comment: string } | undefined;
}

export const PROJECT = 'a'.repeat(24);

/** Atlas in memory: alerts, and a memory of acknowledgements that should not have been made. */
export class MemoryAtlas {
  readonly alerts: TrueAlert[] = [];
  readonly violations: string[] = [];
  /** Calls answer with an error as long as this says so. */
  isDown = false;
  forbidden = false;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  open(cluster: string): TrueAlert {
    const now = this.#now();
    const id = (this.alerts.length + 1).toString(16).padStart(24, '0');
    const alert: TrueAlert = { id, cluster, created: now, status: 'OPEN', updated: now, acknowledged: undefined };
    this.alerts.push(alert);
    return alert;
  }

  /** The body of a webhook about the alert as it is now. */
  body(alert: TrueAlert): Record<string, unknown> {
    const iso = (at: number): string => new Date(at).toISOString();
    return {
      id: alert.id,
      groupId: PROJECT,
      eventTypeName: 'HOST_DOWN',
      status: alert.status,
      clusterName: alert.cluster,
      created: iso(alert.created),
      updated: iso(alert.updated),
      lastNotified: iso(alert.updated),
      ...(alert.status === 'CLOSED' && { resolved: iso(alert.updated) }),
      ...(alert.acknowledged && {
        acknowledgedUntil: iso(alert.acknowledged.until),
        acknowledgingUsername: alert.acknowledged.by,
        acknowledgementComment: alert.acknowledged.comment,
      }),
    };
  }

  end(alert: TrueAlert, status: 'CLOSED' | 'CANCELLED'): void {
    if (alert.status !== 'OPEN') return;
    alert.status = status;
    alert.updated = this.#now();
  }

  /** Atlas for one process. */
  for(pass: (operation: string) => Promise<void>): Pick<AtlasClient, 'call' | 'follow'> {
    const call = async (
      operation: { readonly id: string },
      input: { readonly params?: unknown; readonly query?: unknown; readonly body?: unknown },
    ): Promise<unknown> => {
      await pass(operation.id);
      if (this.isDown) throw new AtlasUnavailable('down');
      return this.#answer(operation.id, input.params as Record<string, string>, input);
    };
    return {
      call: call as AtlasClient['call'],
      follow: () => {
        throw new Error('there is one page');
      },
    };
  }

  #answer(
    operation: string,
    { alertId }: Record<string, string>,
    { query, body }: { query?: unknown; body?: unknown },
  ): unknown {
    const find = (): TrueAlert => {
      const found = this.alerts.find(({ id }) => id === alertId);
      if (!found) throw new AtlasRejected(operation, 404, 'ALERT_NOT_FOUND');
      return found;
    };
    switch (operation) {
      case 'getGroupAlert':
        return this.#view(find());
      case 'listGroupAlerts': {
        const {
          status,
          pageNum = 1,
          itemsPerPage = 100,
        } = query as { status?: string; pageNum?: number; itemsPerPage?: number };
        const all = this.alerts.filter((alert) => status === undefined || alert.status === status);
        const results = all
          .slice((pageNum - 1) * itemsPerPage, pageNum * itemsPerPage)
          .map((alert) => this.#view(alert));
        const more = all.length > pageNum * itemsPerPage;
        return { results, totalCount: all.length, links: more ? [{ rel: 'next', href: '/api/atlas/v2/x' }] : [] };
      }
      case 'acknowledgeGroupAlert': {
        if (this.forbidden) throw new AtlasRejected(operation, 403, 'USER_UNAUTHORIZED');
        const alert = find();
        const given = body as {
          acknowledgedUntil?: Date | string;
          acknowledgementComment?: string;
          unacknowledgeAlert?: boolean;
        };
        const theirs =
          alert.acknowledged && alert.acknowledged.by !== 'bridge' && alert.acknowledged.until > this.#now();
        if (theirs) this.violations.push('I8: a person’s acknowledgement was touched');
        if (given.unacknowledgeAlert) alert.acknowledged = undefined;
        else {
          const until = new Date(given.acknowledgedUntil ?? 0).getTime();
          if (until > this.#now() + 8 * 3_600_000) this.violations.push('I8: acknowledged for too long');
          alert.acknowledged = { until, by: 'bridge', comment: given.acknowledgementComment ?? '' };
        }
        alert.updated = this.#now();
        return this.#view(alert);
      }
      case 'listGroupClusters':
        return { results: [], links: [] };
      default:
        throw new AtlasRejected(operation, 403);
    }
  }

  #view(alert: TrueAlert): object {
    const at = (ms: number): Date => new Date(ms);
    return {
      id: alert.id,
      groupId: PROJECT,
      eventTypeName: 'HOST_DOWN',
      status: alert.status,
      clusterName: alert.cluster,
      created: at(alert.created),
      updated: at(alert.updated),
      ...(alert.status === 'CLOSED' && { resolved: at(alert.updated) }),
      ...(alert.acknowledged && {
        acknowledgedUntil: at(alert.acknowledged.until),
        acknowledgingUsername: alert.acknowledged.by,
        acknowledgementComment: alert.acknowledged.comment,
      }),
    };
  }

  #now(): number {
    return Math.floor(this.#clock.now().getTime() / 1_000) * 1_000;
  }
}

import type { Generator } from '../generator.ts';
import type { Project } from '../world.ts';
import type { Events } from './events.ts';

const MINUTE_MS = 60_000;

export interface Notification {
  readonly typeName: string;
  /** Minutes the condition lasts before the first notification. */
  readonly delayMin: number;
  /** Minutes between two notifications of one alert. */
  readonly intervalMin: number;
  readonly [attribute: string]: unknown;
}

export interface AlertConfig {
  readonly id: string;
  readonly groupId: string;
  readonly eventTypeName: string;
  readonly createdAt: Date;
  updatedAt: Date;
  enabled: boolean;
  notifications: readonly Notification[];
  /** `matchers`, `threshold`, `metricThreshold`, `severityOverride`. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface Alert {
  readonly id: string;
  readonly groupId: string;
  readonly orgId: string;
  readonly alertConfigId: string;
  readonly eventTypeName: string;
  readonly createdAt: Date;
  status: 'TRACKING' | 'OPEN' | 'CLOSED' | 'CANCELLED';
  updatedAt: Date;
  resolvedAt: Date | undefined;
  lastNotifiedAt: Date | undefined;
  acknowledgement:
    | { readonly until: Date; readonly username: string; readonly comment: string | undefined }
    | undefined;
  /** `clusterName`, `hostnameAndPort`, `replicaSetName`, `metricName`, `currentValue` and the like. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** In the words of the header `X-MMS-Event`. */
export type AlertChange = 'alert.open' | 'alert.update' | 'alert.acknowledge' | 'alert.close' | 'alert.cancel';

/** Told of every notification Atlas sends about an alert. */
export type AlertListener = (change: AlertChange, alert: Alert, config: AlertConfig) => void;

interface NewConfig {
  readonly eventTypeName: string;
  readonly enabled?: boolean;
  readonly notifications?: readonly (Pick<Notification, 'typeName'> & Partial<Notification>)[];
  readonly createdAt?: Date;
  readonly details?: Readonly<Record<string, unknown>>;
}

interface NewAlert {
  readonly eventTypeName: string;
  /** The project's first configuration for the type unless given; one is added where there is none. */
  readonly config?: AlertConfig;
  /** Now unless given; may lie in the past. */
  readonly createdAt?: Date;
  readonly details?: Readonly<Record<string, unknown>>;
}

interface Scope {
  readonly configs: Map<string, AlertConfig>;
  readonly alerts: Map<string, Alert>;
  /** Those that time still changes. */
  readonly running: Set<Alert>;
}

/** The alerts of all projects. Time moves them: whatever is due happens in {@link Alerts.settle}, which reads call first. */
export class Alerts {
  readonly #scopes = new Map<string, Scope>();
  readonly #listeners = new Set<AlertListener>();
  readonly #time: { now(): Date };
  readonly #generator: Generator;
  readonly #events: Events;

  /** What a picture of this state holds. */
  get collections() {
    return { scopes: this.#scopes };
  }

  constructor(time: { now(): Date }, generator: Generator, events: Events) {
    this.#time = time;
    this.#generator = generator;
    this.#events = events;
  }

  /** Calls `listener` with every notification from now on, until the returned function is called. */
  onAlert(listener: AlertListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  addConfig(project: Project, config: NewConfig): AlertConfig {
    const { eventTypeName, enabled = true, createdAt = this.#time.now(), details = {} } = config;
    const { notifications = [{ typeName: 'GROUP', emailEnabled: true, smsEnabled: false }] } = config;
    const added: AlertConfig = {
      id: this.#generator.hex(24),
      groupId: project.id,
      eventTypeName,
      createdAt,
      updatedAt: createdAt,
      enabled,
      notifications: notifications.map((notification) => ({
        delayMin: 0,
        intervalMin: 60,
        notifierId: this.#generator.hex(24),
        ...notification,
      })),
      details,
    };
    this.#scope(project.id).configs.set(added.id, added);
    return added;
  }

  /** The condition of an alert has come true: TRACKING for the delay of its configuration, then OPEN. */
  openAlert(
    project: Project,
    { eventTypeName, createdAt = this.#time.now(), details = {}, ...given }: NewAlert,
  ): Alert {
    const scope = this.#scope(project.id);
    const config =
      given.config ??
      scope.configs.values().find((candidate) => candidate.eventTypeName === eventTypeName) ??
      this.addConfig(project, { eventTypeName });
    const alert: Alert = {
      id: this.#generator.hex(24),
      groupId: project.id,
      orgId: project.orgId,
      alertConfigId: config.id,
      eventTypeName,
      createdAt,
      status: 'TRACKING',
      updatedAt: createdAt,
      resolvedAt: undefined,
      lastNotifiedAt: undefined,
      acknowledgement: undefined,
      details,
    };
    scope.alerts.set(alert.id, alert);
    scope.running.add(alert);
    this.#events.record({ eventTypeName, groupId: project.id, createdAt, details });
    this.settle(project.id);
    return alert;
  }

  /** The condition is over. The end is notified even of an acknowledged alert, but not of one that never opened. */
  closeAlert(alert: Alert): void {
    this.#end(alert, 'CLOSED', 'alert.close');
  }

  /** The configuration is gone, or the alert makes no sense any more. */
  cancelAlert(alert: Alert): void {
    this.#end(alert, 'CANCELLED', 'alert.cancel');
  }

  acknowledge(alert: Alert, acknowledgement: NonNullable<Alert['acknowledgement']>): void {
    alert.acknowledgement = acknowledgement;
    alert.updatedAt = this.#time.now();
    this.#notify('alert.acknowledge', alert, alert.updatedAt);
  }

  unacknowledge(alert: Alert): void {
    alert.acknowledgement = undefined;
    alert.updatedAt = this.#time.now();
  }

  /** Alerts of the project, oldest first. */
  list(project: Project, status?: Alert['status']): Alert[] {
    this.settle(project.id);
    const alerts = [...this.#scope(project.id).alerts.values()];
    return status === undefined ? alerts : alerts.filter((alert) => alert.status === status);
  }

  find(project: Project, id: string): Alert | undefined {
    this.settle(project.id);
    return this.#scope(project.id).alerts.get(id);
  }

  configs(project: Project): AlertConfig[] {
    return [...this.#scope(project.id).configs.values()];
  }

  findConfig(project: Project, id: string): AlertConfig | undefined {
    return this.#scope(project.id).configs.get(id);
  }

  /** Lets everything happen that is due by now, in one project or in all: alerts open, and are notified again. */
  settle(groupId?: string): void {
    const scopes = groupId === undefined ? [...this.#scopes.values()] : [this.#scope(groupId)];
    const now = this.#time.now();
    for (const { running, configs } of scopes) {
      for (const alert of running) {
        const config = configs.get(alert.alertConfigId);
        if (config) this.#advance(alert, config, now);
      }
    }
  }

  #advance(alert: Alert, { notifications, enabled }: AlertConfig, now: Date): void {
    const delay = Math.min(...notifications.map(({ delayMin }) => delayMin));
    const opensAt = later(alert.createdAt, notifications.length > 0 ? delay : 0);
    if (alert.status === 'TRACKING' && opensAt <= now) {
      alert.status = 'OPEN';
      alert.updatedAt = opensAt;
      if (enabled) this.#notify('alert.open', alert, opensAt);
    }
    if (alert.status !== 'OPEN' || !enabled || notifications.length === 0) return;
    const interval = Math.max(1, Math.min(...notifications.map(({ intervalMin }) => intervalMin)));
    const next = (): Date => {
      const due = later(alert.lastNotifiedAt ?? opensAt, interval);
      const silentUntil = alert.acknowledgement?.until;
      return silentUntil && silentUntil > due ? silentUntil : due;
    };
    for (let at = next(); at <= now; at = next()) {
      // With nobody to tell, only the last time counts: an alert seeded years ago would take thousands of steps.
      const skipped = this.#listeners.size > 0 ? 0 : Math.floor((now.getTime() - at.getTime()) / MINUTE_MS / interval);
      this.#notify('alert.update', alert, later(at, skipped * interval));
    }
  }

  #end(alert: Alert, status: 'CLOSED' | 'CANCELLED', change: AlertChange): void {
    this.settle(alert.groupId);
    const wasOpen = alert.status === 'OPEN';
    if (!this.#scope(alert.groupId).running.delete(alert)) throw new Error(`the alert ${alert.id} is over already`);
    const now = this.#time.now();
    alert.status = status;
    alert.updatedAt = now;
    if (status === 'CLOSED') alert.resolvedAt = now;
    if (wasOpen) this.#notify(change, alert, now);
  }

  #notify(change: AlertChange, alert: Alert, at: Date): void {
    const config = this.#scope(alert.groupId).configs.get(alert.alertConfigId);
    if (!config) return;
    alert.lastNotifiedAt = at;
    for (const listener of this.#listeners) listener(change, alert, config);
  }

  #scope(groupId: string): Scope {
    const scope = this.#scopes.get(groupId) ?? { configs: new Map(), alerts: new Map(), running: new Set() };
    this.#scopes.set(groupId, scope);
    return scope;
  }
}

function later(date: Date, minutes: number): Date {
  return new Date(date.getTime() + minutes * MINUTE_MS);
}

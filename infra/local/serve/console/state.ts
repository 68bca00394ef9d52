import type { TicketSandbox } from '../../ticket-sandbox/sandbox.ts';
import type { Ticket } from '../../ticket-sandbox/tracker.ts';
import type { Host } from '../host.ts';
import type { Run } from '../ledger.ts';
import { AuditReader } from './audits.ts';
import { IncidentReader } from './incidents.ts';
import { MigrationReader } from './migrations.ts';
import { type SecretView, secretView } from './secrets.ts';
import { tableOf } from './table.ts';

export interface TicketView extends Ticket {
  readonly tracker: string;
}

export const isOpen = ({ status }: TicketView): boolean =>
  !/^(closed|done|resolved|solved|canceled|cancelled)$/i.test(status);

/** Reads the machine for the pages. */
export class State {
  readonly host: Host;
  /** What every form carries. */
  readonly formToken: string;
  readonly audits: AuditReader;
  readonly migrations: MigrationReader;
  readonly incidents: IncidentReader;
  readonly #tickets: TicketSandbox;

  constructor(host: Host, tickets: TicketSandbox, formToken: string) {
    this.host = host;
    this.formToken = formToken;
    this.#tickets = tickets;
    const table = tableOf(host.machine);
    this.audits = new AuditReader(host);
    this.migrations = new MigrationReader(host, table);
    this.incidents = new IncidentReader(host, table);
  }

  get now(): Date {
    return this.host.machine.clock.now();
  }

  /** Those of service accounts, and those that are rotated, first to expire first. */
  get secrets(): readonly SecretView[] {
    const managed = new Set(this.host.wiring.rotations.map(({ secret }) => secret));
    return Object.values(this.host.machine.aws.secretsManager.secrets)
      .map((secret) => secretView(secret, managed.has(secret.name)))
      .filter(({ isManaged, clientId }) => isManaged || clientId !== undefined)
      .toSorted(
        (a, b) =>
          (a.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY) - (b.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY) ||
          a.name.localeCompare(b.name),
      );
  }

  /** Newest first. */
  get tickets(): readonly TicketView[] {
    return this.#tickets.trackers
      .flatMap((tracker) => tracker.tickets.present.map((ticket) => ({ ...ticket, tracker: tracker.name })))
      .toSorted((a, b) => b.updatedAt - a.updatedAt);
  }

  /** The last run of a function that ended. */
  lastRun(lambda: string): Run | undefined {
    return this.host.ledger.runs(lambda).find(({ durationMs }) => durationMs !== undefined);
  }
}

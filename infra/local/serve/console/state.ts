import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { parseJson } from '../../../../lib/runtime/json.ts';
import type { Secret } from '../../aws/secrets-manager/secret.ts';
import type { TicketSandbox } from '../../ticket-sandbox/sandbox.ts';
import type { Ticket } from '../../ticket-sandbox/tracker.ts';
import type { Host } from '../host.ts';
import type { Run } from '../ledger.ts';

/** How old the list of migrations may be that a page shows. */
const MIGRATIONS_MS = 10_000;

const Value = z.object({ clientId: z.string().optional(), expiresAt: z.iso.datetime({ offset: true }).optional() });

export interface SecretView {
  readonly name: string;
  readonly clientId: string | undefined;
  readonly expiresAt: Date | undefined;
  /** A new value waits to become the current one. */
  readonly pending: boolean;
  readonly stages: readonly string[];
  readonly changedAt: Date;
  readonly nextRotation: Date | undefined;
}

const Migration = z.looseObject({
  runId: z.string(),
  state: z.string(),
  reason: z.string().default(''),
  approval: z.object({ approvalId: z.string() }).nullish(),
});
export type Migration = z.output<typeof Migration>;
const Status = z.object({ migrations: z.array(Migration) });

const Audited = z.object({
  audits: z.array(
    z.object({ exitState: z.string(), totals: z.object({ byStatus: z.record(z.string(), z.number()) }) }),
  ),
});
export type Audit = z.output<typeof Audited>['audits'][number];

/** What the pages show of an account: what is public of it, and never the value itself. */
export function secretView({ name, labels, versions, changedAt, rotation }: Secret): SecretView {
  const current = versions.find(({ id }) => id === labels['AWSCURRENT']);
  const parsed = Value.safeParse(parseJson(current?.text ?? '')).data;
  const pending = labels['AWSPENDING'];
  return {
    name,
    clientId: parsed?.clientId,
    expiresAt: parsed?.expiresAt === undefined ? undefined : new Date(parsed.expiresAt),
    pending: pending !== undefined && pending !== labels['AWSCURRENT'],
    stages: Object.keys(labels).toSorted(),
    changedAt: new Date(changedAt),
    nextRotation: rotation?.nextAt === undefined ? undefined : new Date(rotation.nextAt),
  };
}

export interface TicketView extends Ticket {
  readonly tracker: string;
}

/** Reads the machine for the pages. */
export class State {
  readonly host: Host;
  readonly #tickets: TicketSandbox;
  #migrations: { readonly at: number; readonly known: readonly Migration[] } | undefined;

  /** Whether the last look at the migrations failed: then the list is an older one. */
  migrationsUnread = false;

  constructor(host: Host, tickets: TicketSandbox) {
    this.host = host;
    this.#tickets = tickets;
  }

  get secrets(): readonly SecretView[] {
    return Object.values(this.host.machine.aws.secretsManager.secrets)
      .map(secretView)
      .toSorted((a, b) => a.name.localeCompare(b.name));
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

  /** What the last audit that ended well said; undefined before there is one. */
  get audit(): Audit | undefined {
    for (const { result } of this.host.ledger.runs('audit-snapshot-schedules')) {
      const audited = Audited.safeParse(parseJson(result ?? '')).data?.audits[0];
      if (audited) return audited;
    }
    return undefined;
  }

  get knownMigrations(): readonly Migration[] {
    return this.#migrations?.known ?? [];
  }

  /** As the function itself tells it; asked again where that is a while ago. */
  async migrations(): Promise<readonly Migration[]> {
    const { wiring, machine, stopping } = this.host;
    if (!wiring.functions.has('command-live-migration') || stopping) return this.knownMigrations;
    const now = machine.clock.now().getTime();
    if (!this.#migrations || now - this.#migrations.at > MIGRATIONS_MS) {
      // Taken first, so that pages opened meanwhile do not ask as well.
      this.#migrations = { at: now, known: this.knownMigrations };
      const answer: unknown = await machine
        .invoke('command-live-migration', { action: 'status' })
        .catch(() => undefined);
      const status = Status.safeParse(answer);
      this.migrationsUnread = !status.success;
      if (status.success) this.#migrations = { at: now, known: status.data.migrations };
    }
    return this.knownMigrations;
  }

  /** The page of the newest audit. */
  async auditReport(): Promise<string | undefined> {
    const { machine } = this.host;
    const client = new S3Client({ ...machine.sdk, forcePathStyle: true });
    try {
      const found: { key: string; at: number }[] = [];
      let ContinuationToken: string | undefined;
      do {
        const page = await client.send(
          new ListObjectsV2Command({ Bucket: machine.reportBucket, Prefix: 'audits/', ContinuationToken }),
        );
        for (const { Key = '', LastModified } of page.Contents ?? [])
          if (Key.endsWith('/report.html')) found.push({ key: Key, at: LastModified?.getTime() ?? 0 });
        ContinuationToken = page.NextContinuationToken;
      } while (ContinuationToken !== undefined);
      const newest = found.toSorted((a, b) => b.at - a.at)[0];
      if (!newest) return undefined;
      const { Body } = await client.send(new GetObjectCommand({ Bucket: machine.reportBucket, Key: newest.key }));
      return await Body?.transformToString();
    } finally {
      client.destroy();
    }
  }
}

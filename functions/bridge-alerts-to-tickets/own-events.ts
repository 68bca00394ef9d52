import * as z from 'zod';
import {
  BACKUP_FINDING_OPENED,
  BACKUP_FINDING_RESOLVED,
  BackupFindingOpened,
  BackupFindingResolved,
} from '../../lib/events/backup.ts';
import { FAN_OUT_BEHIND, FanOutBehind } from '../../lib/events/fan-out.ts';
import { SERVICE_ACCOUNT_CLASS_CHANGED, ServiceAccountClassChanged } from '../../lib/events/fleet.ts';
import {
  MIGRATION_NEEDS_PERSON,
  MIGRATION_STATE_CHANGED,
  MigrationNeedsPerson,
  MigrationStateChanged,
} from '../../lib/events/migration.ts';
import {
  PREVIOUS_RETIRED,
  PreviousRetired,
  ROTATION_BLOCKED,
  ROTATION_FAILED,
  ROTATION_TAKEN_BACK,
  RotationBlocked,
  RotationFailed,
  RotationTakenBack,
  SECRET_IN_DANGER,
  SECRET_ROTATED,
  SecretInDanger,
  SecretRotated,
  STRAGGLER_SEEN,
  StragglerSeen,
} from '../../lib/events/rotation.ts';
import type { Severity } from '../../lib/tickets/tickets.ts';
import type { OwnEvent } from './contract.ts';
import { digestOf } from './grouping.ts';
import { type Observation, RANK } from './observation.ts';

/** What an event of the bundle says about something that may need a person. */
export type Told =
  | Trouble
  /** Whatever there was about the thing until then is over. */
  | { readonly kind: 'over'; readonly thing: string; readonly at?: string }
  /** The thing is in another state now: what was told in the one before is over. */
  | {
      readonly kind: 'entered';
      readonly thing: string;
      readonly state: string;
      readonly at: string;
      /** Where the state itself is trouble. */
      readonly trouble?: Trouble;
    }
  | { readonly kind: 'nothing' };

export interface Trouble {
  readonly kind: 'trouble';
  /** What it is about. One incident each, unless several share a `group`. */
  readonly thing: string;
  readonly group?: string;
  /** Tells one trouble of the thing from the next. */
  readonly episode: string;
  readonly type: string;
  readonly severity: Severity;
  readonly sentence: string;
  readonly projectId?: string | null;
  readonly cluster?: string | null;
  /** It is said again and again while it lasts: silent for so many hours, it is over. */
  readonly lastsHours?: number;
  /** It lasts as long as the thing is in this state. */
  readonly state?: string;
  /** When it was so, where the event says; else when it was sent. */
  readonly at?: string;
}

interface Kind {
  readonly read: (detail: unknown) => Told | undefined;
}

const kind = <Schema extends z.ZodType>(schema: Schema, tell: (detail: z.output<Schema>) => Told): Kind => ({
  read(detail) {
    const parsed = schema.safeParse(detail);
    return parsed.success ? tell(parsed.data) : undefined;
  },
});

const nothing: Told = { kind: 'nothing' };
/** The sweep says its troubles every hour. */
const HOURLY = 4;

const TROUBLE = new Set(['START_UNKNOWN', 'CUTOVER_UNKNOWN', 'FAILED', 'EXPIRED']);
/** As other versions of the bundle may send them: a state or a word this one does not know is told all the same. */
const NeedsPerson = MigrationNeedsPerson.extend({
  state: z.string(),
  severity: MigrationNeedsPerson.shape.severity.catch('warning'),
});
const StateChanged = MigrationStateChanged.extend({ from: z.string().nullable(), to: z.string() });

const FINDING = { critical: 'critical', high: 'error', medium: 'warning', low: 'info', info: 'info' } as const;

/** One line for each kind of event: a new one needs no more. */
const KINDS: Readonly<Record<string, Kind>> = {
  [SECRET_IN_DANGER]: kind(SecretInDanger, ({ secretArn, versionId, hoursLeft, code, reason }) => ({
    kind: 'trouble',
    thing: `secret ${secretArn}`,
    episode: `danger ${versionId}`,
    type: 'SECRET_IN_DANGER',
    severity: hoursLeft <= 24 ? 'critical' : 'error',
    sentence: `The secret ${nameOfSecret(secretArn)} ends in ${hoursLeft} h and cannot be rotated: ${code}, ${reason}`,
    lastsHours: HOURLY,
  })),
  [ROTATION_TAKEN_BACK]: kind(RotationTakenBack, ({ secretArn, versionId, deadline }) => ({
    kind: 'trouble',
    thing: `secret ${secretArn}`,
    episode: `taken back ${versionId}`,
    type: 'SECRET_ROTATION_TAKEN_BACK',
    severity: 'critical',
    sentence: `The rotation of ${nameOfSecret(secretArn)} was taken back; a new one must finish before ${deadline}.`,
  })),
  [SECRET_ROTATED]: kind(SecretRotated, ({ secretArn }) => ({ kind: 'over', thing: `secret ${secretArn}` })),
  [FAN_OUT_BEHIND]: kind(FanOutBehind, ({ secretArn, versionId, target, code, reason }) => ({
    kind: 'trouble',
    thing: `fan-out ${secretArn} ${target}`,
    episode: versionId,
    type: 'SECRET_FAN_OUT_BEHIND',
    severity: 'error',
    sentence: `${target} does not have the current secret of ${nameOfSecret(secretArn)}: ${code}, ${reason}`,
    lastsHours: HOURLY,
  })),
  [SERVICE_ACCOUNT_CLASS_CHANGED]: kind(ServiceAccountClassChanged, ({ clientId, name, needsPerson, reasons, at }) =>
    needsPerson
      ? {
          kind: 'trouble',
          thing: `account ${clientId}`,
          episode: at,
          type: 'SERVICE_ACCOUNT_NEEDS_PERSON',
          severity: 'warning',
          sentence: `The service account ${name ?? clientId} needs a person: ${reasons.join('; ')}`,
        }
      : { kind: 'over', thing: `account ${clientId}` },
  ),
  [MIGRATION_NEEDS_PERSON]: kind(
    NeedsPerson,
    ({ id, runId, groupId, clusterName, at, state, what, severity, reason }) => ({
      kind: 'trouble',
      thing: `migration ${runId}`,
      episode: `${what} ${id}`,
      type: `MIGRATION_${what.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')}`,
      severity,
      sentence: `The migration to ${clusterName} needs a person: ${reason}`,
      projectId: groupId,
      cluster: clusterName,
      state,
      at,
    }),
  ),
  [MIGRATION_STATE_CHANGED]: kind(StateChanged, ({ id, runId, groupId, clusterName, at, to, reason }) => ({
    kind: 'entered',
    thing: `migration ${runId}`,
    state: to,
    at,
    ...(TROUBLE.has(to) && {
      trouble: {
        kind: 'trouble',
        thing: `migration ${runId}`,
        episode: `${to} ${id}`,
        type: `MIGRATION_${to}`,
        severity: 'error',
        sentence: `The migration to ${clusterName} is ${to}: ${reason}`,
        projectId: groupId,
        cluster: clusterName,
        state: to,
        at,
      },
    }),
  })),
  [ROTATION_BLOCKED]: kind(RotationBlocked, ({ secretArn, secretId, clientId }) => ({
    kind: 'trouble',
    thing: `secret ${secretArn}`,
    episode: `blocked ${secretId}`,
    type: 'SECRET_ROTATION_BLOCKED',
    severity: 'error',
    sentence: `A secret that nobody here made blocks every rotation of ${clientId}: ${secretId}`,
  })),
  [ROTATION_FAILED]: kind(RotationFailed, ({ secretArn, versionId, step, code, reason, mayPass }) =>
    mayPass
      ? nothing
      : {
          kind: 'trouble',
          thing: `secret ${secretArn}`,
          episode: `failed ${versionId} ${code}`,
          type: 'SECRET_ROTATION_FAILED',
          severity: 'error',
          sentence: `The rotation of ${nameOfSecret(secretArn)} failed at ${step}: ${code}, ${reason}`,
        },
  ),
  [STRAGGLER_SEEN]: kind(StragglerSeen, ({ secretArn, secretId, until, waitingFor }) => ({
    kind: 'trouble',
    thing: `straggler ${secretArn}`,
    episode: secretId,
    type: 'SECRET_STRAGGLER',
    severity: 'warning',
    sentence: `Somebody still needs the replaced secret of ${nameOfSecret(secretArn)}, which is kept until ${until}${waitingFor.length > 0 ? `: ${waitingFor.join(', ')}` : ''}`,
  })),
  [PREVIOUS_RETIRED]: kind(PreviousRetired, ({ secretArn }) => ({ kind: 'over', thing: `straggler ${secretArn}` })),
  [BACKUP_FINDING_OPENED]: kind(BackupFindingOpened, (finding) => ({
    kind: 'trouble',
    thing: `backup ${finding.findingId}`,
    // One ticket for a cluster, whatever number of rules it breaks.
    group: `backups ${finding.organizationId} ${finding.projectId ?? ''} ${finding.clusterId ?? ''}`,
    episode: finding.firstSeen,
    type: `BACKUP_${finding.rule.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')}`,
    severity: FINDING[finding.severity],
    sentence: `${finding.title}: ${finding.reason} ${finding.remedy}`,
    projectId: finding.projectId,
    cluster: finding.clusterName,
  })),
  [BACKUP_FINDING_RESOLVED]: kind(BackupFindingResolved, ({ findingId }) => ({
    kind: 'over',
    thing: `backup ${findingId}`,
  })),
};

/** Whether events of this kind are told of, whatever their shape. */
export const isKnown = ({ detailType }: Pick<OwnEvent, 'detailType'>): boolean => Object.hasOwn(KINDS, detailType);

/** What an event of the bundle's bus says, or undefined where it is no kind this knows, or not of the shape of its kind. */
export const toldBy = ({ detailType, detail }: Pick<OwnEvent, 'detailType' | 'detail'>): Told | undefined =>
  isKnown({ detailType }) ? KINDS[detailType]?.read(detail) : undefined;

/** An open trouble as the bridge hears of it. Its id changes when the thing is in trouble again after it was over. */
export function observationOfTrouble(
  told: Extract<Told, { kind: 'trouble' }>,
  life: number,
  { at, now }: { readonly at: number; readonly now: number },
): Observation {
  // What lasts as long as a state is told anew, by an event of its own, when the state comes back.
  const id = `own-${digestOf(told.thing, told.episode, told.state ?? `${life}`).slice(0, 32)}`;
  return {
    schema: 1,
    id,
    state: 'open',
    version: { at, rank: RANK.open },
    subject: {
      type: told.type.slice(0, 120),
      sentence: told.sentence.slice(0, 2_000),
      ...(told.projectId && { projectId: told.projectId }),
      ...(told.cluster && { clusterName: told.cluster.slice(0, 120) }),
    },
    createdAt: at,
    via: 'event',
    heardAt: now,
    digest: '',
    severity: told.severity,
    incident: (told.group ?? told.thing).slice(0, 2_000),
  };
}

const nameOfSecret = (arn: string): string =>
  arn
    .split(':')
    .at(-1)
    ?.replace(/-[A-Za-z0-9]{6}$/, '') ?? arn;

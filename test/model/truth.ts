/** What is so in the modelled world, in the invariants' terms. */
import type { Secret } from '../../infra/local/atlas-sandbox/world.ts';
import type { Subject } from './scenes.ts';
import { time } from './stand-ins/time.ts';

export interface Stored {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly secretId?: string;
  readonly orgId?: string;
  readonly groupId?: string;
}

const parsed = new Map<string, Stored | undefined>();

/** What a version holds, where it is an account's value. Remembered: the same few bytes are looked at all the time. */
export function storedIn(text: string | undefined): Stored | undefined {
  if (text === undefined) return undefined;
  if (parsed.has(text)) return parsed.get(text);
  if (parsed.size > 5_000) parsed.clear();
  const value = text.startsWith('{') ? (JSON.parse(text) as Stored) : undefined;
  parsed.set(text, value);
  return value;
}

export const labelled = ({ managed }: Subject, label: string): string | undefined => managed.labels[label];

export function versionValue({ managed }: Subject, versionId: string | undefined): Stored | undefined {
  return storedIn(managed.versions.find(({ id }) => id === versionId)?.text);
}

/** The Atlas secret a version holds, as long as it is there. */
export function secretOf(subject: Subject, versionId: string | undefined): Secret | undefined {
  const value = versionValue(subject, versionId);
  return value && subject.account.secrets.find((secret) => secret.value === value.clientSecret);
}

export const isAlive = (secret: Secret | undefined): boolean =>
  secret !== undefined && secret.expiresAt.getTime() > time.now();

/** The version of a rotation that is under way. */
export function pendingVersion(subject: Subject): string | undefined {
  const pending = labelled(subject, 'AWSPENDING');
  return pending === labelled(subject, 'AWSCURRENT') ? undefined : pending;
}

/** Secrets in Atlas that no version holds, and that no person made. */
export function unreferenced(subject: Subject): Secret[] {
  const held = new Set(subject.managed.versions.map(({ text }) => storedIn(text)?.clientSecret));
  return subject.account.secrets.filter(({ id, value }) => !held.has(value) && !subject.foreign.has(id));
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const spanOf = (ms: number): string =>
  ms <= 0
    ? 'over'
    : ms < 20 * 60_000
      ? 'minutes'
      : ms < DAY
        ? 'hours'
        : ms < 3 * DAY
          ? 'days'
          : ms <= 7 * DAY
            ? 'week'
            : 'long';

/** The world as far as any decision could depend on it, in one line: two worlds with the same line are the same state. */
export function stateOf(subject: Subject): string {
  const { labels, versions } = subject.managed;
  const roleOf = new Map<string, string>();
  for (const { id, text } of versions) {
    const value = storedIn(text);
    if (!value) continue;
    const role =
      labels['AWSCURRENT'] === id
        ? 'current'
        : labels['AWSPENDING'] === id
          ? 'pending'
          : labels['AWSPREVIOUS'] === id
            ? 'previous'
            : 'old';
    if (role !== 'old' || !roleOf.has(value.clientSecret)) roleOf.set(value.clientSecret, role);
  }
  const secrets = subject.account.secrets
    .map(({ id, value, createdAt, expiresAt, lastUsedAt }) =>
      [
        subject.foreign.has(id) ? 'foreign' : (roleOf.get(value) ?? 'lost'),
        spanOf(time.now() - createdAt.getTime() + 1),
        spanOf(expiresAt.getTime() - time.now()),
        lastUsedAt ? 'used' : 'new',
      ].join(':'),
    )
    .sort();
  const stageOf = (label: string): string => {
    const id = labels[label];
    if (id === undefined) return '-';
    const version = versions.find((one) => one.id === id);
    return version?.text === undefined ? 'empty' : secretOf(subject, id) ? 'alive' : 'dead';
  };
  return [
    subject.mode,
    ...['AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS'].map(stageOf),
    labels['AWSPENDING'] === labels['AWSCURRENT'] ? 'same' : '',
    subject.managed.rotation?.enabled ? '' : 'off',
    subject.managed.deleteAt === undefined ? '' : 'doomed',
    ...secrets,
  ].join(' ');
}

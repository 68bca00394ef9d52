import { Settings } from '../../infra/settings.ts';
import { nameOf, type Recorded } from './record.ts';

type Section = Readonly<Record<string, unknown>>;
interface Listed {
  readonly secret: string;
}

/**
 * The settings file somebody would have written for what a test set up: its own sections, the credentials it put beside
 * them, and the secrets it had rotated. By the names the worlds of the tests give, `subject-1` is a managed secret, `subject-1-admin`
 * its administrator's, and what begins with `migration/` a source of migrations.
 */
export function settingsOf({ settings, environment, managed, secrets, calls }: Recorded): Settings {
  const callers = new Set(calls.map(({ caller }) => caller));
  const has = (...names: string[]): boolean => names.some((name) => callers.has(name));
  const credentials = { secret: environment['ATLAS_CREDENTIALS_SECRET'] };
  const { rotation = {}, audit, migration = {}, tickets }: Readonly<Record<string, Section | undefined>> = settings;
  const listed = ((rotation['secrets'] ?? []) as Listed[]).map((each) => {
    const fact = managed.find(({ secret }) => secret === each.secret || nameOf(secret) === each.secret);
    return { ...placeOf(fact), ...each };
  });
  const names = listed.map(({ secret }) => nameOf(secret));
  const others = managed.filter(({ secret }) => !names.includes(nameOf(secret)));
  const known = [...names, ...others.map(({ secret }) => nameOf(secret))];
  const subjects = secrets
    .filter((name) => /^subject-\d+$/.test(name) && !known.includes(name))
    .map((secret) => ({ secret, ...(secrets.includes(`${secret}-admin`) && { adminSecret: `${secret}-admin` }) }));
  const rotated = [...listed, ...others.map((fact) => ({ secret: fact.secret, ...placeOf(fact) })), ...subjects];
  // The sweep is deployed with the rotation alone; worlds that look at the fleet alone rotate nothing.
  if (rotated.length === 0 && has('sweep-service-account-secrets')) rotated.push({ secret: 'nobody/rotates-this' });
  const sources = secrets.filter((name) => name.startsWith('migration/'));
  return Settings.parse({
    atlas: {
      credentials: {
        ...(has('audit-snapshot-schedules') && { audit: credentials }),
        ...(has('remediate-snapshot-schedules') && { remediation: credentials }),
        ...(has('command-live-migration', 'watch-live-migrations') && { migration: credentials }),
        ...(has('deliver-tickets', 'reconcile-alerts', 'receive-ticket-update', 'receive-atlas-alert') && {
          tickets: credentials,
        }),
        ...(has('sweep-service-account-secrets') && { fleet: credentials }),
      },
    },
    rotation: { ...rotation, secrets: rotated },
    ...(audit && { audit }),
    migration: { ...migration, sourceSecrets: [...new Set(sources)].map((secret) => ({ secret })) },
    ...(tickets && { tickets }),
    webhooks: { atlas: { secret: environment['WEBHOOK_SECRET'] } },
    stack: { account: '000000000000', region: 'us-east-1' },
  });
}

const placeOf = (fact: Recorded['managed'][number] | undefined): object => ({
  ...(fact?.adminSecret !== undefined && { adminSecret: fact.adminSecret }),
  ...(fact?.kmsKey !== undefined && { kmsKeyArn: fact.kmsKey }),
});

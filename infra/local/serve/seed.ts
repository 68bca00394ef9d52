import { createHmac } from 'node:crypto';
import { ConfigError } from '../../../lib/errors.ts';
import type { Settings } from '../../settings.ts';
import type { Alert, AlertChange } from '../atlas-sandbox/state/alerts.ts';
import type { Organization, Project } from '../atlas-sandbox/world.ts';
import type { Machine } from '../machine.ts';
import { seedClusters } from '../tour/backups.ts';

const DAY_MS = 86_400_000;

/** What the sandbox of Atlas holds once it is filled. */
export interface DemoWorld {
  readonly org: Organization;
  readonly project: Project;
}

/**
 * Fills the sandbox of Atlas and the embedded Secrets Manager so that every function of these settings finds what it
 * looks for: an account for each secret to rotate, one for the automation itself, and clusters that are backed up as
 * they should be, and not. What is there since an earlier start stays as it is.
 */
export async function seedWorld(
  machine: Machine,
  { rotation, atlas }: Settings,
  there: DemoWorld | undefined,
): Promise<DemoWorld> {
  const { world } = machine.atlas;
  const { org, project } = there ?? addClusters(machine);
  const now = machine.clock.now().getTime();

  const administrators = rotation.secrets.flatMap(({ adminSecret }) => adminSecret ?? []);
  const missing = [...administrators, ...automationSecrets(atlas)].filter((name) => !machine.hasSecret(name));
  if (missing.length > 0) {
    const owner = world.addOrgAccount(org, { name: 'organization owner', roles: ['ORG_OWNER'] });
    const ownerValue = { clientId: owner.clientId, clientSecret: world.addSecret(owner).value };
    for (const name of new Set(missing)) await machine.putSecret(name, ownerValue);
  }
  for (const [nth, { secret, adminSecret }] of rotation.secrets.entries()) {
    if (machine.hasSecret(secret)) continue;
    const name = secret.slice(0, 60);
    // Who rotates itself has to be its own owner.
    const account = world.addOrgAccount(org, {
      name,
      roles: [adminSecret === undefined ? 'ORG_OWNER' : 'ORG_READ_ONLY'],
    });
    const minted = world.addSecret(account, { createdAt: new Date(now - 5 * DAY_MS), hours: (9 + 20 * nth) * 24 });
    await machine.putSecret(secret, {
      clientId: account.clientId,
      clientSecret: minted.value,
      orgId: org.id,
      secretId: minted.id,
      createdAt: minted.createdAt.toISOString(),
      expiresAt: minted.expiresAt.toISOString(),
      ...(adminSecret !== undefined && { adminSecretArn: adminSecret }),
    });
  }
  machine.atlas.keep();
  return { org, project };
}

function addClusters(machine: Machine): DemoWorld {
  const { world } = machine.atlas;
  const org = world.addOrg({ name: 'Example' });
  const project = world.addProject(org, { name: 'shop' });
  seedClusters(machine, org, project);
  return { org, project };
}

/** Where the settings let a function look for its own credentials. */
const automationSecrets = ({ credentials }: Settings['atlas']): string[] =>
  Object.values(credentials).flatMap((each) => (each === undefined ? [] : each.secret));

/**
 * Puts these credentials wherever the settings let a function look for its own and there is nothing yet, or what an
 * earlier start put there: `before`. Answers those places. What somebody else stored stays. Without credentials every
 * account has to be there: throws ConfigError with all that are not.
 */
export async function putCredentials(
  machine: Pick<Machine, 'putSecret' | 'hasSecret'>,
  atlas: Settings['atlas'],
  credentials: () => Promise<object | undefined>,
  before: readonly string[] = [],
): Promise<string[]> {
  const names = [...new Set(automationSecrets(atlas))];
  const wanted = names.filter((name) => before.includes(name) || !machine.hasSecret(name));
  if (wanted.length === 0) return [];
  const value = await credentials();
  const missing = wanted.filter((name) => !machine.hasSecret(name));
  if (value === undefined && missing.length > 0)
    throw new ConfigError(
      `there are no Atlas credentials for ${missing.join(', ')}: store them (npm run init -- --secrets folder), or set MONGODB_ATLAS_CLIENT_ID and MONGODB_ATLAS_CLIENT_SECRET`,
    );
  if (value) for (const name of wanted) await machine.putSecret(name, { ...value });
  return wanted;
}

const bodyOf = (alert: Alert): object => ({
  id: alert.id,
  groupId: alert.groupId,
  orgId: alert.orgId,
  alertConfigId: alert.alertConfigId,
  eventTypeName: alert.eventTypeName,
  status: alert.status,
  created: alert.createdAt.toISOString(),
  updated: alert.updatedAt.toISOString(),
  ...(alert.lastNotifiedAt && { lastNotified: alert.lastNotifiedAt.toISOString() }),
  ...(alert.resolvedAt && { resolved: alert.resolvedAt.toISOString() }),
  ...alert.details,
});

/** Lets the sandbox of Atlas send its webhooks to `url`, signed with `key`. One that does not get there is lost. */
export function sendWebhooks({ atlas: { world } }: Machine, url: string, key: string): () => void {
  return world.alerts.onAlert((change: AlertChange, alert) => {
    const body = JSON.stringify(bodyOf(alert));
    const signature = createHmac('sha1', key).update(body).digest('base64');
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-mms-event': change, 'x-mms-signature': signature },
      body,
    }).catch(() => {});
  });
}

/** One host of the demonstration is down. */
export function openAlert({ atlas }: Machine, { project }: DemoWorld): Alert {
  const alert = atlas.world.alerts.openAlert(project, {
    eventTypeName: 'HOST_DOWN',
    details: {
      clusterName: 'orders',
      hostnameAndPort: 'orders-shard-00-01.example.net:27017',
      replicaSetName: 'atlas-orders-shard-0',
    },
  });
  atlas.keep();
  return alert;
}

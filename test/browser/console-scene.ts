import { createHmac } from 'node:crypto';
import { RotateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { LocalHost } from '../../infra/local/serve/local-host.ts';
import { startLocalHost } from '../../infra/local/serve/local-host.ts';
import { beginMigration } from '../../infra/local/tour/migration.ts';
import { EXAMPLE, TOKEN } from '../infra/local/serve/probe-host.ts';

const KEY = 'signed by this test';

export interface Scene extends AsyncDisposable {
  readonly local: LocalHost;
  /** A migration that waits for somebody to approve its cutover; `ada` planned it. */
  readonly runId: string;
  /** Sends a webhook as Atlas does. */
  alert(id: string, status: 'OPEN' | 'CLOSED'): Promise<number>;
}

/** A local host with something on every page: real functions, tickets, an audit after an audit, and a decision to take. */
export async function startScene(bundles: string): Promise<Scene> {
  const local = await startLocalHost({ settings: EXAMPLE, bundles, token: TOKEN, webhookKey: KEY, demo: true });
  const { machine, world } = local;
  if (!world) throw new Error('there is a sandbox');
  const begun = await beginMigration(machine, world.org, world.project);
  if (!begun) throw new Error('the plan stands against a start');
  if (!(await begun.until('READY', 5 * 60_000))) throw new Error(`it is ${begun.migration().state}`);
  const alert = async (id: string, status: 'OPEN' | 'CLOSED'): Promise<number> => {
    const at = new Date(machine.clock.now().getTime() - 60_000).toISOString();
    const body = JSON.stringify({
      id: id.repeat(24).slice(0, 24),
      groupId: world.project.id,
      orgId: world.org.id,
      alertConfigId: 'c'.repeat(24),
      eventTypeName: 'HOST_DOWN',
      status,
      created: at,
      updated: at,
      lastNotified: at,
      clusterName: 'catalogue',
      hostnameAndPort: `catalogue-${id}:27017`,
      replicaSetName: 'atlas-catalogue-shard-0',
    });
    const { status: answered } = await fetch(`${local.hooksOrigin}/hooks/receive-atlas-alert/`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-mms-event': status === 'OPEN' ? 'alert.open' : 'alert.close',
        'x-mms-signature': createHmac('sha1', KEY).update(body).digest('base64'),
      },
      body,
    });
    return answered;
  };
  // One value has just replaced another, which is in its grace.
  const client = new SecretsManagerClient(machine.sdk);
  await client.send(new RotateSecretCommand({ SecretId: 'atlas/orders/service-account' }));
  await machine.aws.secretsManager.rotationsSettled();
  client.destroy();
  await alert('a', 'OPEN');
  await alert('b', 'OPEN');
  await machine.invoke('audit-snapshot-schedules', {});
  const { clusters } = machine.atlas.world;
  const createdAt = new Date(machine.clock.now().getTime() - 3 * 86_400_000);
  clusters.add(world.project, { name: 'drafts', tier: 'M10', createdAt, backupEnabled: false });
  await machine.invoke('audit-snapshot-schedules', { mode: 'full' });
  return {
    local,
    runId: begun.runId,
    alert,
    async [Symbol.asyncDispose]() {
      // A watch of a migration runs for as long as its function may; nobody waits for it here.
      const stopped = local.stop();
      await machine.faults.kill();
      await stopped;
      await local[Symbol.asyncDispose]();
    },
  };
}

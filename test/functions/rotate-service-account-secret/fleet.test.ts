import { Logger } from '@aws-lambda-powertools/logger';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RotationSettings } from '../../../functions/rotate-service-account-secret/contract.ts';
import { type FleetStep, reportFleet } from '../../../functions/rotate-service-account-secret/fleet.ts';
import { FleetReport } from '../../../functions/rotate-service-account-secret/fleet-report.ts';
import { type AtlasSandbox, createAtlasSandbox } from '../../../infra/local/atlas-sandbox/sandbox.ts';
import type { Organization, Project, ServiceAccount } from '../../../infra/local/atlas-sandbox/world.ts';
import { createEmbeddedAws, type EmbeddedAws } from '../../../infra/local/aws/embedded-aws.ts';
import { createMovableClock } from '../../../infra/local/clock.ts';
import { createAtlasClient } from '../../../lib/atlas/client.ts';
import { createEvents } from '../../../lib/aws/events.ts';
import { createReports, type Reports } from '../../../lib/aws/reports.ts';
import { createSecretsManager } from '../../../lib/aws/secrets-manager.ts';
import { createState } from '../../../lib/aws/state.ts';
import { SERVICE_ACCOUNT_CLASS_CHANGED } from '../../../lib/events/fleet.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';

const DAY = 86_400_000;
const clock = createMovableClock();
const daysFromNow = (n: number): Date => new Date(clock.now().getTime() + n * DAY);

let started: AsyncDisposableStack;
let atlas: AtlasSandbox;
let aws: EmbeddedAws;
let secrets: SecretsManagerClient;
let reports: Reports;
let org: Organization;
let projects: Project[];
let admin: ServiceAccount;
let step: FleetStep;

beforeEach(async () => {
  started = new AsyncDisposableStack();
  atlas = createAtlasSandbox({ seed: 'fleet', clock });
  aws = createEmbeddedAws({ clock, tables: ['state'], buckets: ['reports'] });
  const [atlasServer, awsServer] = [started.use(await atlas.listen()), started.use(await aws.listen())];
  const sdk = {
    endpoint: awsServer.origin,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    forcePathStyle: true,
  };
  secrets = new SecretsManagerClient(sdk);
  reports = createReports('reports', new S3Client(sdk));
  org = atlas.world.addOrg({ name: 'acme' });
  projects = Array.from({ length: 5 }, (_, n) => atlas.world.addProject(org, { name: `project-${n}` }));
  admin = atlas.world.addOrgAccount(org, { name: 'automation', roles: ['ORG_READ_ONLY'] });
  const { value: clientSecret } = atlas.world.addSecret(admin, { lastUsedAt: daysFromNow(0) });
  await put('automation', { clientId: admin.clientId, clientSecret });
  step = {
    atlas: createAtlasClient({
      origin: atlasServer.origin,
      credentials: async () => ({ clientId: admin.clientId, clientSecret }),
    }),
    credentialsSecret: 'automation',
    secretsManager: createSecretsManager(secrets),
    events: createEvents('default', new EventBridgeClient(sdk)),
    state: createState('state', sdk, clock),
    reports,
    settings: RotationSettings.parse({}),
    log: new Logger({ logLevel: 'SILENT' }),
    deadline: deadlineIn(20_000, systemClock),
  };
});
afterEach(() => started.disposeAsync());

const put = (Name: string, value: object) =>
  secrets.send(new CreateSecretCommand({ Name, SecretString: JSON.stringify(value) }));
const manage = async (name: string, account: ServiceAccount, more: object = {}) => {
  const secret = atlas.world.addSecret(account, { lastUsedAt: daysFromNow(-1) });
  await put(name, {
    clientId: account.clientId,
    clientSecret: secret.value,
    orgId: org.id,
    secretId: secret.id,
    ...more,
  });
  return secret;
};
const report = (over: Partial<FleetStep> = {}, dryRun = false) => reportFleet({ ...step, ...over }, dryRun);
const settings = (names: string[], more: object = {}) =>
  RotationSettings.parse({ secrets: names.map((secret) => ({ secret })), ...more });
const told = () =>
  aws.events.entries
    .filter((event) => event['detail-type'] === SERVICE_ACCOUNT_CLASS_CHANGED)
    .map(({ detail }) => detail as { clientId: string; classes: string[]; previously: string[] | null });

describe('the report', () => {
  it('counts every account of the organization and its projects once, page by page, to the last one', async () => {
    for (let n = 0; n < 503; n++) atlas.world.addOrgAccount(org, { name: `org-${n}`, roles: ['ORG_MEMBER'] });
    for (const [n, project] of projects.entries()) {
      for (let i = 0; i <= n; i++) {
        const account = atlas.world.addProjectAccount(project, { name: `p${n}-${i}`, roles: ['GROUP_READ_ONLY'] });
        if (i === 0) atlas.world.assign(account, projects[0]!, ['GROUP_OWNER']);
      }
    }
    const found = await report({}, true);
    expect(found.complete).toBe(true);
    expect(found.counts.accounts).toBe(atlas.world.accounts.size);
    expect(new Set(found.accounts.map(({ clientId }) => clientId))).toEqual(new Set(atlas.world.accounts.keys()));
    expect(found.coverage).toMatchObject({
      organizations: { seen: 1, read: 1, unreadable: [] },
      projects: { seen: 5, read: 5, unreadable: [] },
    });
    for (const { clientId, projects: roles } of found.accounts)
      expect(new Map(roles.map((one) => [one.groupId, one.roles]))).toEqual(
        new Map([...atlas.world.account(clientId).groupRoles]),
      );
  });

  it('joins accounts with what the managed secrets hold, by mask where the value has no secretId', async () => {
    const account = atlas.world.addOrgAccount(org, { name: 'orders', roles: ['ORG_MEMBER'] });
    await manage('orders/atlas', account, { secretId: undefined });
    const found = await report({ settings: settings(['orders/atlas']) });
    expect(found.managedSecrets).toMatchObject([
      { managedSecret: 'orders/atlas', state: 'in order', secretId: account.secrets[0]?.id },
    ]);
    expect(found.accounts.find(({ clientId }) => clientId === account.clientId)).toMatchObject({
      ownership: 'managed',
      secrets: [{ role: 'current' }],
    });
    expect(JSON.stringify(found)).not.toContain('mdb_sa_sk');
  });

  it('names the projects it could not read, and takes nothing for gone that they may hold', async () => {
    const account = atlas.world.addProjectAccount(projects[2]!, { name: 'shop', roles: ['GROUP_READ_ONLY'] });
    await manage('shop/atlas', account, { orgId: undefined, groupId: projects[2]!.id });
    const managed = settings(['shop/atlas']);
    await report({ settings: managed });
    // A project's account that no list of the organization shows.
    account.groupRoles.clear();
    atlas.world.accounts.delete(account.clientId);
    atlas.faults.plan([{ operation: 'listGroupServiceAccounts', nth: 1, fault: { kind: 'refuse', status: 403 } }]);
    const before = told().length;
    const partial = await report({ settings: managed });
    expect(partial.complete).toBe(false);
    expect(partial.coverage.projects).toMatchObject({ seen: 5, read: 4, unreadable: [{ code: 'ATLAS_REJECTED' }] });
    expect(partial.coverage.projects.unreadable[0]?.name).toMatch(/^project-/);
    expect(partial.managedSecrets).toMatchObject([{ state: 'account not seen' }]);
    expect(told().slice(before)).toEqual([]);

    const whole = await report({ settings: managed });
    expect(whole.managedSecrets).toMatchObject([{ state: 'account gone' }]);
    expect(told().slice(before)).toMatchObject([{ clientId: account.clientId, classes: ['gone'] }]);
  });

  it('goes on without the organization’s own list, and says what it lacks', async () => {
    const account = atlas.world.addProjectAccount(projects[0]!, { name: 'shop', roles: ['GROUP_OWNER'] });
    await manage('x', account);
    atlas.faults.plan([{ operation: 'listOrgServiceAccounts', nth: 1, fault: { kind: 'refuse', status: 403 } }]);
    const found = await report();
    expect(found.coverage.organizations).toMatchObject({ seen: 1, read: 0, unreadable: [{ what: 'accounts' }] });
    expect(found.accounts).toMatchObject([{ clientId: account.clientId, orgRoles: null }]);
  });

  it('fails as a whole where the automation itself is turned away', async () => {
    atlas.world.revokeSecret(admin, admin.secrets[0]!.id);
    await expect(report()).rejects.toMatchObject({ code: 'ATLAS_CREDENTIALS_REFUSED' });
    expect(told()).toEqual([]);
  });

  it('does not accuse whom an unread administrator’s secret may name, nor call unmanaged what an unread one may hold', async () => {
    const owner = atlas.world.addOrgAccount(org, { name: 'owner', roles: ['ORG_OWNER'] });
    atlas.world.addSecret(owner, { lastUsedAt: daysFromNow(-1) });
    await put('broken', { no: 'account' });
    const found = await report({
      settings: RotationSettings.parse({ secrets: [{ secret: 'broken', adminSecret: 'nowhere' }] }),
    });
    expect(found.accounts.find(({ name }) => name === 'owner')).toMatchObject({ ownership: 'unknown', findings: [] });
    expect(found.coverage.administrators.unreadable).toMatchObject([{ managedSecret: 'nowhere' }]);
    expect(found.managedSecrets).toMatchObject([{ managedSecret: 'broken', state: 'unreadable' }]);
  });

  it('is kept by day, as it is answered', async () => {
    const found = await report();
    const kept = await reports.get(`fleet/${found.at.slice(0, 10)}.json`, step.deadline);
    expect(FleetReport.parse(JSON.parse(Buffer.from(kept ?? []).toString()))).toEqual(found);
  });

  it('of a dry run is only answered', async () => {
    atlas.world.addSecret(atlas.world.addOrgAccount(org, { name: 'stray', roles: ['ORG_OWNER'] }));
    const found = await report({}, true);
    expect(found.counts.needPerson).toBeGreaterThan(0);
    expect(told()).toEqual([]);
    expect(await reports.get(`fleet/${found.at.slice(0, 10)}.json`, step.deadline)).toBeUndefined();
    await report();
    expect(told().length, 'nothing was remembered either').toBeGreaterThan(0);
  });
});

describe('what changed', () => {
  it('is told once for each account and change', async () => {
    const account = atlas.world.addOrgAccount(org, { name: 'orders', roles: ['ORG_MEMBER'] });
    const secret = atlas.world.addSecret(account, { lastUsedAt: daysFromNow(-1) });
    const of = () => told().filter(({ clientId }) => clientId === account.clientId);
    await report();
    await report();
    expect(of()).toMatchObject([{ classes: ['unmanaged'], previously: null, needsPerson: true }]);

    secret.expiresAt = daysFromNow(2);
    account.orgRoles = ['ORG_OWNER'];
    await report();
    await report();
    expect(of().slice(1)).toMatchObject([
      { classes: ['unmanaged', 'expiring', 'over-privileged'], previously: ['unmanaged'] },
    ]);

    atlas.world.accounts.delete(account.clientId);
    await report();
    await report();
    expect(of().slice(2)).toMatchObject([{ classes: ['gone'], needsPerson: false }]);
  });

  it('is told again where the bus failed before it was remembered', async () => {
    aws.events.failEntries([{ nth: 1, errorCode: 'InternalFailure' }]);
    await expect(report()).rejects.toMatchObject({ code: 'AWS_CALL_FAILED' });
    aws.events.failEntries([]);
    await report();
    expect(told().map(({ clientId }) => clientId)).toContain(admin.clientId);
  });

  it('can’t be known without a memory: then whatever needs a person is told each time', async () => {
    const stray = atlas.world.addOrgAccount(org, { name: 'stray', roles: ['ORG_MEMBER'] });
    atlas.world.addSecret(stray);
    const calm = atlas.world.addOrgAccount(org, { name: 'calm', roles: ['ORG_MEMBER'] });
    await manage('calm', calm);
    for (let day = 0; day < 2; day++) await report({ state: undefined, settings: settings(['calm']) });
    const ids = told().map(({ clientId }) => clientId);
    expect(ids.filter((id) => id === stray.clientId)).toHaveLength(2);
    expect(ids).not.toContain(calm.clientId);
  });
});

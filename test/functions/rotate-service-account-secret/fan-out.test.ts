import { Logger } from '@aws-lambda-powertools/logger';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RotationSettings } from '../../../functions/rotate-service-account-secret/contract.ts';
import {
  ACKNOWLEDGE_WITHIN_MS,
  copyFor,
  type FanOutStep,
  fanOut,
  judge,
  missingFrom,
} from '../../../functions/rotate-service-account-secret/fan-out.ts';
import {
  targetsAcknowledged,
  targetsLeftToTheSweep,
} from '../../../functions/rotate-service-account-secret/fan-out-gate.ts';
import { FanOutTarget, FanOutTargets, targetName } from '../../../lib/fan-out/settings.ts';
import { FanOutFailed } from '../../../lib/fan-out/target.ts';
import { type FanOutWorld, startFanOutWorld } from '../../lib/fan-out/fan-out-world.ts';

const NOW = new Date('2026-03-01T00:00:00Z');
const ago = (ms: number): Date => new Date(NOW.getTime() - ms);

describe('an outcome', () => {
  const failed = { state: 'failed', error: new FanOutFailed('FAN_OUT_REFUSED', 'no') } as const;
  it.each([
    [{ state: 'held' } as const, ago(ACKNOWLEDGE_WITHIN_MS * 9), 'held', undefined],
    [{ state: 'delivered' } as const, ago(ACKNOWLEDGE_WITHIN_MS * 9), 'delivered', undefined],
    [{ state: 'would deliver' } as const, ago(ACKNOWLEDGE_WITHIN_MS * 9), 'would deliver', undefined],
    [{ state: 'requested' } as const, ago(ACKNOWLEDGE_WITHIN_MS - 1), 'requested', undefined],
    [{ state: 'requested' } as const, ago(ACKNOWLEDGE_WITHIN_MS), 'behind', 'FAN_OUT_NOT_ACKNOWLEDGED'],
    [{ state: 'requested' } as const, undefined, 'behind', 'FAN_OUT_NOT_ACKNOWLEDGED'],
    [failed, NOW, 'behind', 'FAN_OUT_REFUSED'],
  ])('%o since %o is %s', (outcome, since, state, code) => {
    expect(judge('t', outcome, since, NOW)).toMatchObject({ target: 't', state, ...(code && { code }) });
  });
});

describe('what a target is to hold', () => {
  const of = { secretArn: 'arn', versionId: 'v' };
  const ssm = (field?: string) => FanOutTarget.parse({ type: 'ssm', parameter: '/p', ...(field && { field }) });

  it('is the whole value, byte for byte, or one field of it', () => {
    const value = '{ "clientSecret": "s" }';
    expect(copyFor(ssm(), of, value).value).toBe(value);
    expect(copyFor(ssm('clientSecret'), of, value).value).toBe('s');
  });

  it.each([
    '{"clientSecret":7}',
    '{"clientSecret":""}',
    '{}',
    'mdb_sa_sk_no_json',
    '{"__proto__":{"clientSecret":"x"}}',
  ])('is refused where the field is no text: %s', (value) => {
    const error = (() => {
      try {
        return copyFor(ssm('clientSecret'), of, value);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toMatchObject({ code: 'FAN_OUT_FIELD_MISSING' });
    expect(JSON.stringify(error) + String(error)).not.toContain('mdb_sa_sk');
  });
});

describe('the settings of targets', () => {
  it('name each place once', () => {
    const twice = [
      { type: 'ssm', parameter: '/p' },
      { type: 'ssm', parameter: '/p', field: 'clientSecret' },
    ];
    expect(FanOutTargets.safeParse(twice).error?.issues).toMatchObject([{ path: [1], message: 'is listed twice' }]);
  });

  it('know a Kubernetes Secret for the keys it has', () => {
    const target = { type: 'kubernetes', cluster: 'c', namespace: 'n', secret: 's' };
    expect(
      FanOutTargets.safeParse([
        { ...target, field: 'clientId' },
        { ...target, field: 'clientSecret' },
      ]).success,
    ).toBe(true);
  });

  it.each([
    [{ type: 'github-actions', name: 'A', tokenSecret: 't' }, 'repository'],
    [{ type: 'github-actions', name: 'A', tokenSecret: 't', organization: 'o' }, 'visibility'],
    [{ type: 'github-actions', name: 'A', tokenSecret: 't', repository: 'o/r', visibility: 'all' }, 'visibility'],
    [
      { type: 'github-actions', name: 'A', tokenSecret: 't', organization: 'o', visibility: 'selected' },
      'selectedRepositoryIds',
    ],
    [{ type: 'github-actions', name: 'GITHUB_X', tokenSecret: 't', repository: 'o/r' }, 'name'],
    [{ type: 'github-actions', name: '1X', tokenSecret: 't', repository: 'o/r' }, 'name'],
    [{ type: 'github-actions', name: 'A', tokenSecret: 't', repository: 'o/r', baseUrl: 'http://evil' }, 'baseUrl'],
    [{ type: 'ssm', parameter: '/a b' }, 'parameter'],
    [{ type: 'kubernetes', cluster: 'c', namespace: 'N', secret: 's' }, 'namespace'],
  ])('refuse %o', (target, path) => {
    expect(FanOutTarget.safeParse(target).error?.issues.map((issue) => issue.path[0])).toContain(path);
  });

  it('keep a managed secret from being another one’s copy, and two from sharing one place', () => {
    const problems = RotationSettings.safeParse({
      secrets: [
        {
          secret: 'a',
          adminSecret: 'owner',
          fanOut: [
            { type: 'secrets-manager', secret: 'b' },
            { type: 'ssm', parameter: '/p' },
          ],
        },
        {
          secret: 'b',
          fanOut: [
            { type: 'ssm', parameter: '/p' },
            { type: 'secrets-manager', secret: 'owner' },
          ],
        },
      ],
    }).error?.issues.map(({ path }) => path.join('.'));
    expect(problems).toEqual(['secrets.0.fanOut.0', 'secrets.1.fanOut.0', 'secrets.1.fanOut.1']);
  });

  it('call a target the same whatever its case where case means nothing', () => {
    const named = (name: string) =>
      targetName(FanOutTarget.parse({ type: 'github-actions', name, tokenSecret: 't', repository: 'o/r' }));
    expect(named('abc')).toBe(named('ABC'));
  });
});

describe('a fan-out', () => {
  let world: FanOutWorld;
  let step: FanOutStep;
  const log = new Logger({ logLevel: 'SILENT' });
  beforeAll(async () => {
    world = await startFanOutWorld();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  let count = 0;
  let arn: string;
  let targets: FanOutTarget[];
  const value = (n: number) => JSON.stringify({ clientId: 'id', clientSecret: `mdb_sa_sk_${n}` });
  const write = (n: number) =>
    world.secretsManager.store(
      arn,
      { token: `${count}-${n}`.padStart(36, '0'), value: value(n), stage: 'AWSCURRENT' },
      world.seconds(5),
    );
  const told = (detailType: string) =>
    world.aws.events.entries.filter((event) => event['detail-type'] === detailType && event.resources.includes(arn));
  beforeEach(async () => {
    const n = ++count;
    arn = await world.create(`managed-${n}`, value(1));
    await world.create(`copy-${n}`, 'placeholder');
    world.github.add('repository', `acme/shop-${n}`);
    targets = FanOutTargets.parse([
      { type: 'secrets-manager', secret: `copy-${n}` },
      { type: 'ssm', parameter: `/p-${n}`, field: 'clientSecret' },
      {
        type: 'github-actions',
        repository: `acme/shop-${n}`,
        name: 'ATLAS',
        tokenSecret: 'github-token',
        baseUrl: world.githubOrigin,
      },
      { type: 'kubernetes', cluster: 'live', namespace: 'shop', secret: `atlas-${n}` },
    ]);
    step = {
      services: { secretsManager: world.secretsManager, events: world.events },
      openTarget: async (settings) => world.open(settings),
      log,
      clock: world.clock,
      deadline: world.seconds(20),
    };
  });
  const acknowledge = async () => {
    const secret = await world.secretsManager.describe(arn, world.seconds(5));
    const [versionId = ''] = [...secret.stages].find(([, stages]) => stages.includes('AWSCURRENT')) ?? [];
    await world.acknowledgements.acknowledged(
      targetName(targets[3]!),
      { secretArn: arn, versionId },
      world.clock.now(),
      world.seconds(5),
    );
  };
  const states = async (dryRun = false) =>
    (await fanOut(step, await world.secretsManager.describe(arn, world.seconds(5)), targets, dryRun)).map(
      ({ state }) => state,
    );

  it('brings the value everywhere, and again brings nothing', async () => {
    expect(await states(true)).toEqual(['would deliver', 'would deliver', 'would deliver', 'would deliver']);
    expect(world.aws.parameters.parameters[`/p-${count}`]).toBeUndefined();
    expect(told('Secret Fan-out Requested')).toEqual([]);

    expect(await states()).toEqual(['delivered', 'delivered', 'delivered', 'requested']);
    expect(await states()).toEqual(['held', 'held', 'held', 'requested']);
    await acknowledge();
    expect(await states()).toEqual(['held', 'held', 'held', 'held']);
    expect(world.aws.parameters.parameters[`/p-${count}`]?.map((one) => one.value)).toEqual(['mdb_sa_sk_1']);

    await write(2);
    expect(await states()).toEqual(['delivered', 'delivered', 'delivered', 'requested']);
    expect(world.aws.parameters.parameters[`/p-${count}`]?.at(-1)?.value).toBe('mdb_sa_sk_2');
    expect(told('Fan-out Behind')).toEqual([]);
  });

  it('that fails at one place goes on at the others, and says which is behind, without the value', async () => {
    world.aws.faults.plan([{ operation: 'PutParameter', nth: 1, fault: { kind: 'refuse', status: 403 } }]);
    expect(await states()).toEqual(['delivered', 'behind', 'delivered', 'requested']);
    world.aws.faults.plan([]);
    expect(told('Fan-out Behind').map(({ detail }) => detail)).toMatchObject([
      { target: targetName(targets[1]!), code: 'AWS_CALL_FAILED', secretArn: arn, since: expect.any(String) },
    ]);
    expect(JSON.stringify(world.aws.events.entries)).not.toContain('mdb_sa_sk');
    expect(await states()).toEqual(['held', 'delivered', 'held', 'requested']);
  });

  it('that nobody acknowledges is behind after an hour', async () => {
    await states();
    world.clock.advance(ACKNOWLEDGE_WITHIN_MS + 1_000);
    expect(await states()).toEqual(['held', 'held', 'held', 'behind']);
    expect(told('Fan-out Behind')).toMatchObject([{ detail: { code: 'FAN_OUT_NOT_ACKNOWLEDGED' } }]);
  });

  it('holds the replaced secret until every place is seen to have the new one', async () => {
    const gate = targetsAcknowledged(step);
    const ask = async () => {
      const secret = await world.secretsManager.describe(arn, world.seconds(5));
      const [versionId = ''] = [...secret.stages].find(([, stages]) => stages.includes('AWSCURRENT')) ?? [];
      const [entry] = RotationSettings.parse({ secrets: [{ secret: arn }] }).secrets;
      const view = {
        secret,
        entry: entry && { ...entry, fanOut: targets },
        current: { versionId, secretId: 'new' },
        previous: { versionId: 'p', secretId: 'old' },
        now: world.clock.now(),
      };
      expect(await targetsLeftToTheSweep(view, world.seconds(5))).toMatchObject({ ok: false });
      return gate(view, world.seconds(10));
    };
    expect(await ask()).toMatchObject({ ok: false, waitingFor: targets.map((one) => targetName(one)) });
    await states();
    expect(await ask()).toEqual({ ok: false, waitingFor: [targetName(targets[3]!)] });
    await acknowledge();
    expect(await ask()).toEqual({ ok: true });

    // A place that had it and lost it is waited for again.
    await world.aws.parameters.service.operations['PutParameter']?.({
      Name: `/p-${count}`,
      Value: 'x',
      Overwrite: true,
    });
    expect(await ask()).toEqual({ ok: false, waitingFor: [targetName(targets[1]!)] });
    world.aws.faults.plan([{ operation: 'GetParameter', nth: 1, fault: { kind: 'refuse', status: 403 } }]);
    expect(await ask()).toEqual({ ok: false, waitingFor: [`${targetName(targets[1]!)} (AWS_CALL_FAILED)`] });
    world.aws.faults.plan([]);
  });

  it('of a value that was changed meanwhile says so, rather than that all is well', async () => {
    await states();
    await acknowledge();
    const secret = await world.secretsManager.describe(arn, world.seconds(5));
    expect(await missingFrom(step, secret, 'another version', targets)).toEqual([
      expect.stringContaining('was changed meanwhile'),
    ]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as z from 'zod';
import { createAcknowledgements } from '../../../lib/fan-out/acknowledgements.ts';
import type { FanOutTarget } from '../../../lib/fan-out/settings.ts';
import type { Copy, Target } from '../../../lib/fan-out/target.ts';
import { type FanOutWorld, startFanOutWorld } from './fan-out-world.ts';

let world: FanOutWorld;
beforeAll(async () => {
  world = await startFanOutWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const version = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const copy = (n: number): Copy => ({
  secretArn: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:orders-AbCdEf',
  versionId: version(n),
  value: JSON.stringify({ clientSecret: `mdb_sa_sk_value-${n}` }),
});

interface Place {
  readonly settings: z.input<typeof FanOutTarget>;
  /** What is really there. */
  readonly shows: () => string | undefined;
  readonly writes: () => number;
  /** Somebody else writes there. */
  readonly overwrite: (value: string) => Promise<void>;
  /** The call that brings the value, as the faults know it. */
  readonly operation: string;
  readonly faults: () => { plan(faults: Parameters<FanOutWorld['aws']['faults']['plan']>[0]): void };
}

let count = 0;
const places: Record<string, () => Promise<Place>> = {
  async 'another secret'() {
    const name = `copy-${++count}`;
    const arn = await world.create(name, 'placeholder');
    const secret = () => world.aws.secretsManager.secrets[arn]!;
    return {
      settings: { type: 'secrets-manager', secret: name },
      shows: () => secret().versions.find(({ id }) => id === secret().labels['AWSCURRENT'])?.text,
      writes: () => secret().versions.length - 1,
      overwrite: async (value) => {
        const by = { token: `${++count}`.padStart(36, '0'), value, stage: 'AWSCURRENT' } as const;
        await world.secretsManager.store(name, by, world.seconds(5));
      },
      operation: 'PutSecretValue',
      faults: () => world.aws.faults,
    };
  },

  async 'a parameter'() {
    const parameter = `/orders/atlas-${++count}`;
    const versions = () => world.aws.parameters.parameters[parameter] ?? [];
    return {
      settings: { type: 'ssm', parameter },
      shows: () => versions().at(-1)?.value,
      writes: () => versions().length,
      overwrite: async (Value) => {
        await world.aws.parameters.service.operations['PutParameter']?.({ Name: parameter, Value, Overwrite: true });
      },
      operation: 'PutParameter',
      faults: () => world.aws.faults,
    };
  },

  ...Object.fromEntries(
    (['repository', 'environment', 'organization'] as const).map((kind) => [
      `a GitHub secret of ${kind === 'organization' ? 'an organization' : `a${kind === 'environment' ? 'n' : ''} ${kind}`}`,
      async (): Promise<Place> => {
        const owner = `acme-${++count}`;
        const place = world.github.add(
          kind,
          kind === 'organization' ? owner : kind === 'environment' ? `${owner}/shop/live site` : `${owner}/shop`,
        );
        const secret = () => place.secrets.get('ATLAS_SECRET');
        return {
          settings: {
            type: 'github-actions',
            name: 'atlas_secret',
            tokenSecret: 'github-token',
            baseUrl: world.githubOrigin,
            ...(kind === 'organization'
              ? { organization: owner, visibility: 'private' }
              : { repository: `${owner}/shop`, ...(kind === 'environment' && { environment: 'live site' }) }),
          },
          shows: () => secret()?.value,
          writes: () => secret()?.writes ?? 0,
          overwrite: async (value) => {
            world.clock.advance(2_000);
            Object.assign(secret()!, { value, updatedAt: world.clock.now() });
          },
          operation: 'github PUT secret',
          faults: () => world.github.faults,
        };
      },
    ]),
  ),
};

describe.each(Object.entries(places))('%s', (_, make) => {
  const start = async (): Promise<Place & { target: Target }> => {
    const place = await make();
    return { ...place, target: world.open(place.settings) };
  };

  it('holds nothing until it is brought there, and then that very version', async () => {
    const { target, shows } = await start();
    expect(await target.holds(copy(1), world.seconds(5))).toBe(false);
    expect(await target.deliver(copy(1), world.seconds(5))).toBe('acknowledged');
    expect(shows()).toBe(copy(1).value);
    expect(await target.holds(copy(1), world.seconds(5))).toBe(true);
    expect(await target.holds(copy(2), world.seconds(5))).toBe(false);
    world.clock.advance(2_000);
    expect(await target.deliver(copy(2), world.seconds(5))).toBe('acknowledged');
    expect(shows()).toBe(copy(2).value);
    expect(await target.holds(copy(1), world.seconds(5)), 'the version before').toBe(false);
  });

  it('that somebody wrote to since is seen, and gets the version again', async () => {
    const { target, shows, overwrite } = await start();
    await target.deliver(copy(1), world.seconds(5));
    await overwrite('theirs');
    expect(await target.holds(copy(1), world.seconds(5))).toBe(false);
    await target.deliver(copy(1), world.seconds(5));
    expect(shows()).toBe(copy(1).value);
    expect(await target.holds(copy(1), world.seconds(5))).toBe(true);
  });

  it('is right again after a writer of an old version came late', async () => {
    const { target, shows } = await start();
    await target.deliver(copy(2), world.seconds(5));
    world.clock.advance(2_000);
    await target.deliver(copy(1), world.seconds(5));
    expect(await target.holds(copy(2), world.seconds(5))).toBe(false);
    world.clock.advance(2_000);
    await target.deliver(copy(2), world.seconds(5));
    expect(shows()).toBe(copy(2).value);
  });

  it.each([{ kind: 'lost' }, { kind: 'refuse', status: 503 }] as const)(
    'after an answer that is $kind it is brought there by the next try, whatever became of the first',
    async (fault) => {
      const { target, shows, operation, faults } = await start();
      faults().plan([{ operation, nth: 1, fault }]);
      await target.deliver(copy(1), world.seconds(5)).catch(() => {});
      if (!(await target.holds(copy(1), world.seconds(5)))) await target.deliver(copy(1), world.seconds(5));
      expect(shows()).toBe(copy(1).value);
      expect(await target.holds(copy(1), world.seconds(5))).toBe(true);
      faults().plan([]);
    },
  );

  it('that refuses says so without the value', async () => {
    const { target, operation, faults } = await start();
    faults().plan([{ operation, nth: 1, fault: { kind: 'refuse', status: 403 } }]);
    const error = await target.deliver(copy(1), world.seconds(2)).catch((thrown: Error) => thrown);
    faults().plan([]);
    expect(error).toMatchObject({ disposition: 'give-up' });
    const shown = JSON.stringify([error, String(error), (error as Error).stack, (error as Error).cause]);
    expect(shown).not.toMatch(/mdb_sa_sk|ghp_test/);
  });
});

describe('another secret', () => {
  it('gets one version for one version, however often it is brought', async () => {
    const { settings, writes } = await places['another secret']!();
    const target = world.open(settings);
    for (let i = 0; i < 3; i++) await target.deliver(copy(1), world.seconds(5));
    expect(writes()).toBe(1);
  });

  it('that is not there is not made', async () => {
    const target = world.open({ type: 'secrets-manager', secret: 'nowhere' });
    expect(await target.holds(copy(1), world.seconds(5))).toBe(false);
    await expect(target.deliver(copy(1), world.seconds(5))).rejects.toMatchObject({
      code: 'AWS_CALL_FAILED',
      error: 'ResourceNotFoundException',
    });
  });
});

describe('a parameter', () => {
  it('that is not encrypted is no place for a secret', async () => {
    await world.aws.parameters.service.operations['PutParameter']?.({ Name: '/open', Value: 'x', Type: 'String' });
    const target = world.open({ type: 'ssm', parameter: '/open' });
    await expect(target.holds(copy(1), world.seconds(5))).rejects.toMatchObject({ code: 'FAN_OUT_REFUSED' });
    await expect(target.deliver(copy(1), world.seconds(5))).rejects.toMatchObject({ code: 'AWS_CALL_FAILED' });
  });

  it('that is too small for the value says so without it', async () => {
    const target = world.open({ type: 'ssm', parameter: '/small' });
    const large = { ...copy(1), value: 'mdb_sa_sk_'.repeat(500) };
    const error = await target.deliver(large, world.seconds(5)).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ error: 'ValidationException' });
    expect((error as Error).cause).toBeUndefined();
  });

  it('is encrypted with the key the settings name', async () => {
    const key = world.aws.keys.create();
    await world.open({ type: 'ssm', parameter: '/keyed', kmsKeyArn: key.arn }).deliver(copy(1), world.seconds(5));
    expect(world.aws.parameters.parameters['/keyed']?.[0]).toMatchObject({ type: 'SecureString', keyId: key.arn });
  });
});

describe('a GitHub secret', () => {
  const repository = (name: string) => ({
    type: 'github-actions' as const,
    repository: `acme/${name}`,
    name: 'ATLAS',
    tokenSecret: 'github-token',
    baseUrl: world.githubOrigin,
  });

  it('is known by no date alone: without a memory it is never held, and never written', async () => {
    const place = world.github.add('repository', 'acme/forgetful');
    const target = world.open(repository('forgetful'), createAcknowledgements(undefined));
    await expect(target.holds(copy(1), world.seconds(5))).rejects.toMatchObject({ code: 'FAN_OUT_NEEDS_STATE' });
    await expect(target.deliver(copy(1), world.seconds(5))).rejects.toMatchObject({ code: 'FAN_OUT_NEEDS_STATE' });
    expect(place.secrets.size).toBe(0);
  });

  it('waits as long as GitHub asks, and no longer than there is time', async () => {
    const place = world.github.add('repository', 'acme/busy');
    world.github.faults.plan([
      { operation: 'github GET public-key', nth: 1, fault: { kind: 'refuse', status: 403, retryAfterSeconds: 1 } },
    ]);
    const begun = performance.now();
    expect(await world.open(repository('busy')).deliver(copy(1), world.seconds(10))).toBe('acknowledged');
    expect(performance.now() - begun).toBeGreaterThan(990);
    expect(place.secrets.get('ATLAS')?.value).toBe(copy(1).value);

    world.github.faults.plan([
      { operation: 'github GET public-key', nth: 1, fault: { kind: 'refuse', status: 429, retryAfterSeconds: 60 } },
    ]);
    const target = world.open(repository('busy'));
    const again = performance.now();
    await expect(target.deliver(copy(2), world.seconds(10))).rejects.toMatchObject({ code: 'FAN_OUT_UNAVAILABLE' });
    await expect(target.deliver(copy(2), world.seconds(10)), 'nor is it asked meanwhile').rejects.toMatchObject({
      code: 'FAN_OUT_UNAVAILABLE',
    });
    expect(performance.now() - again).toBeLessThan(3_000);
    world.github.faults.plan([]);
  });

  it('takes the place’s new key when that was renewed', async () => {
    const place = world.github.add('repository', 'acme/renewed');
    const target = world.open(repository('renewed'));
    await target.deliver(copy(1), world.seconds(5));
    world.github.renewKey(place);
    await target.deliver(copy(2), world.seconds(5));
    expect(place.secrets.get('ATLAS')?.value).toBe(copy(2).value);
  });

  it('with a token that is none says so, and shows nothing of it', async () => {
    await world.create('odd-token', 'ghp_odd\nx-evil: 1');
    const target = world.open({ ...repository('any'), tokenSecret: 'odd-token' });
    const error = await target.deliver(copy(1), world.seconds(5)).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: 'FAN_OUT_TOKEN_UNREADABLE' });
    expect(JSON.stringify([error, String(error)])).not.toContain('ghp_odd');
  });
});

describe('a Kubernetes Secret', () => {
  const settings = { type: 'kubernetes', cluster: 'live', namespace: 'shop', secret: 'atlas' } as const;
  const told = () => world.aws.events.entries.filter((event) => event['detail-type'] === 'Secret Fan-out Requested');

  it('is asked for without the value, until somebody acknowledges that version', async () => {
    const target = world.open(settings);
    expect(await target.holds(copy(1), world.seconds(5))).toBe(false);
    expect(await target.deliver(copy(1), world.seconds(5))).toBe('requested');
    expect(await target.deliver(copy(1), world.seconds(5))).toBe('requested');
    expect(told().map(({ detail }) => detail)).toMatchObject([
      { target: 'kubernetes:live/shop/atlas', versionId: version(1), namespace: 'shop', field: null },
      { versionId: version(1), requestedAt: told()[0]?.detail['requestedAt'] },
    ]);
    expect(JSON.stringify(told())).not.toContain('mdb_sa_sk');
    expect(await target.holds(copy(1), world.seconds(5))).toBe(false);

    await world.acknowledgements.acknowledged(target.name, copy(1), world.clock.now(), world.seconds(5));
    expect(await target.holds(copy(1), world.seconds(5))).toBe(true);
    expect(await target.holds(copy(2), world.seconds(5))).toBe(false);
  });
});

describe('a replica', () => {
  it('is what Secrets Manager says of it', async () => {
    const arn = await world.create('replicated', 'x');
    const target = world.open({ type: 'replica', region: 'eu-west-1' });
    const of = { ...copy(1), secretArn: arn };
    const say = (status: 'InSync' | 'InProgress' | 'Failed') => {
      world.aws.secretsManager.secrets[arn]!.replicas = [{ Region: 'eu-west-1', Status: status }];
    };
    await expect(target.deliver(of, world.seconds(5))).rejects.toMatchObject({ code: 'FAN_OUT_REPLICA_BEHIND' });
    say('Failed');
    expect(await target.holds(of, world.seconds(5))).toBe(false);
    await expect(target.deliver(of, world.seconds(5))).rejects.toMatchObject({ facts: { status: 'Failed' } });
    say('InSync');
    expect(await target.holds(of, world.seconds(5))).toBe(true);
    expect(await target.deliver(of, world.seconds(5))).toBe('acknowledged');
  });
});

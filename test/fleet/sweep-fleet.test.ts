/**
 * Three hundred managed accounts of one organization, swept in one invocation of the built bundle over a sandbox that
 * takes 100 ms for every answer and has Atlas's published rate limits. Figures are printed.
 */
import { describe, expect, it } from 'vitest';
import { type FleetOptions, measure, startFleet } from './fleet-of.ts';

const LATENCY_BOUND_SECONDS = 60;

/** How many rotations one sweep begins that are not urgent. */
const MOST_BEGUN = 8;

const print = (what: string, figures: object): void => {
  process.stdout.write(`${what}: ${JSON.stringify(figures)}\n`);
};

const scenes: Record<string, FleetOptions> = {
  'accounts that rotate themselves': { accounts: 300, mode: 'self', automation: false },
  'accounts with one administrator': { accounts: 300, mode: 'admin', automation: false },
  'accounts in their grace': { accounts: 300, mode: 'self', automation: false, inGrace: true },
  'accounts that can be listed': { accounts: 300, mode: 'self', automation: true },
  'accounts in their grace that can be listed': { accounts: 300, mode: 'admin', automation: true, inGrace: true },
};

describe('three hundred', () => {
  it.each(Object.entries(scenes))(
    '%s are swept within a minute, and Atlas refuses no call',
    async (name, scene) => {
      const { machine } = await startFleet(scene);
      await using _ = machine;
      const cold = await measure(machine);
      print(name, cold);
      expect(Object.values(cold.states).reduce((a, b) => a + b, 0)).toBe(300);
      expect(cold.states['blocked']).toBeUndefined();
      expect(cold.refused).toBe(0);
      expect(cold.seconds).toBeLessThan(LATENCY_BOUND_SECONDS);
    },
    180_000,
  );

  it('that all want a rotation get it in turn, and none is refused a call while it is under way', async () => {
    const { machine, accounts } = await startFleet({ accounts: 300, mode: 'self', automation: true, ending: true });
    await using _ = machine;
    const first = await measure(machine);
    await machine.aws.secretsManager.rotationsSettled();
    const refused = machine.faults.journal.filter(({ status }) => status === 429).length;
    print('all at once', { ...first, refusedInRotations: refused });
    expect(first.states).toEqual({ started: MOST_BEGUN, waiting: 300 - MOST_BEGUN });
    expect(refused).toBe(0);
    expect(accounts.filter(({ secrets }) => secrets.length === 2)).toHaveLength(MOST_BEGUN);
    expect(first.seconds).toBeLessThan(LATENCY_BOUND_SECONDS);
  }, 300_000);

  it('accounts of an organization whose limit is nearly used up wait for it, and none is refused', async () => {
    const rates = { orgServiceAccounts: { capacity: 100, refill: 100, seconds: 10 } };
    const { machine } = await startFleet({
      accounts: 300,
      mode: 'admin',
      automation: false,
      atlas: { latencyMs: 100, limits: { rates } },
    });
    await using _ = machine;
    const figures = await measure(machine);
    print('a tight limit', figures);
    expect(figures.refused).toBe(0);
    expect(figures.states['blocked']).toBeUndefined();
  }, 300_000);
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { assertProperty } from '../../support/properties.ts';
import { violationsAtRest } from './check.ts';
import { type Command, commands, play } from './history.ts';
import { naives } from './naive.ts';

/** Nothing but what a network and a queue do on an ordinary day: repeats, another order, an answer that is lost. */
const ordinary = new Set<Command['do']>(['open', 'update', 'close', 'deliver', 'run', 'pass', 'fate']);
const mild = commands.map((history) =>
  history.filter((command) => ordinary.has(command.do) && (command.do !== 'fate' || command.of === 'lost')),
);
const exactness = (violations: readonly string[]): string[] =>
  violations.filter((violation) => /^I[13]/.test(violation));

it.each(Object.entries(naives))(
  '%s is caught making two tickets of one incident, or leaving one open',
  { timeout: 120_000 },
  async (_, naive) => {
    const result = await fc.check(
      fc.asyncProperty(mild, async (history) => {
        const world = await play(history, { naive });
        return exactness(await violationsAtRest(world)).length === 0;
      }),
      { numRuns: 300, endOnFailure: true },
    );
    expect(result.failed).toBe(true);
  },
);

it('the bridge is not, by the very same histories', { timeout: 120_000 }, async () => {
  await assertProperty(
    fc.asyncProperty(mild, async (history) => {
      const world = await play(history);
      expect(exactness(await violationsAtRest(world))).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

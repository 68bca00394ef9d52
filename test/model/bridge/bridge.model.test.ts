import fc from 'fast-check';
import { expect, it } from 'vitest';
import { assertProperty } from '../../support/properties.ts';
import { violationsAtRest } from './check.ts';
import { commands, play } from './history.ts';

it.each([
  ['finds, reopens and edits', {}],
  ['never opens a closed ticket again', { reopens: false }],
])(
  'every history comes to one true ticket per incident, at a tracker that %s',
  { timeout: 600_000 },
  async (_, traits) => {
    await assertProperty(
      fc.asyncProperty(commands, async (history) => {
        const world = await play(history, { traits });
        expect(await violationsAtRest(world)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  },
);

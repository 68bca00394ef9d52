import { expect, it } from 'vitest';
import { promotionOf, type Traces } from '../../../functions/rotate-service-account-secret/promotion.ts';

const day = (n: number): Date => new Date(Date.UTC(2030, 5, n));
const nothing: Traces = {
  lastRotatedAt: undefined,
  lastChangedAt: undefined,
  currentMadeAt: undefined,
  currentVersionAt: undefined,
  previousVersionAt: undefined,
  previousMadeAt: undefined,
  now: day(30),
};

it.each<[string, Partial<Traces>, { at: Date; recorded: boolean }]>([
  [
    'when its rotation was seen to its end',
    { currentMadeAt: day(10), currentVersionAt: day(10), previousVersionAt: day(1), lastRotatedAt: day(11) },
    { at: day(11), recorded: true },
  ],
  [
    'not before its secret was made, where only an earlier rotation was seen to its end',
    { currentMadeAt: day(10), currentVersionAt: day(10), previousVersionAt: day(1), lastRotatedAt: day(2) },
    { at: day(10), recorded: false },
  ],
  [
    'when the managed secret changed last, where nobody saw the end of its first rotation',
    { currentMadeAt: day(10), currentVersionAt: day(10), lastChangedAt: day(15) },
    { at: day(15), recorded: true },
  ],
  [
    'not before its secret was made, where nothing else tells of its first rotation',
    { currentMadeAt: day(10), currentVersionAt: day(10) },
    { at: day(10), recorded: false },
  ],
  [
    'when it was written by hand, where nothing was ever rotated',
    { currentMadeAt: day(10), currentVersionAt: day(20), lastChangedAt: day(21) },
    { at: day(20), recorded: true },
  ],
  [
    'when its secret was made, where nothing was ever rotated',
    { currentMadeAt: day(10) },
    { at: day(10), recorded: true },
  ],
  [
    'when it was put back over a younger secret, whatever was rotated before',
    { currentMadeAt: day(1), currentVersionAt: day(20), previousMadeAt: day(10), previousVersionAt: day(10) },
    { at: day(20), recorded: true },
  ],
  [
    'when it was written after the last rotation, with a secret from before it',
    { currentMadeAt: day(1), currentVersionAt: day(20), lastRotatedAt: day(11) },
    { at: day(20), recorded: true },
  ],
  [
    'when it was written after the last rotation, with the very secret that one made',
    { currentMadeAt: day(11), currentVersionAt: day(20), lastRotatedAt: day(11) },
    { at: day(20), recorded: true },
  ],
  [
    'nobody knows when, where the label was moved back by hand: not before the other version was begun',
    { currentMadeAt: day(1), currentVersionAt: day(1), previousVersionAt: day(10), lastRotatedAt: day(11) },
    { at: day(10), recorded: false },
  ],
  ['just now, where nothing tells', {}, { at: day(30), recorded: true }],
])('a value became current %s', (_, traces, expected) => {
  expect(promotionOf({ ...nothing, ...traces })).toEqual(expected);
});

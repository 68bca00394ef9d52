import { expect, it } from 'vitest';
import {
  identifyCurrent,
  identifyPrevious,
  type MaskedSlot,
} from '../../../functions/rotate-service-account-secret/identify.ts';

const DAY = 86_400_000;
const now = new Date('2030-06-01T00:00:00Z');
const masked = (id: string, mask: string | undefined, daysOld = 1): MaskedSlot => ({
  id,
  mask,
  createdAt: new Date(now.getTime() - daysOld * DAY),
  expiresAt: new Date(now.getTime() + DAY),
  lastUsedAt: undefined,
});

it.each([
  ['the only one', [masked('a', 'mdb_sa_sk_...')], 'a'],
  ['the one whose mask fits', [masked('a', 'mdb_sa_sk_...x9Z_'), masked('b', 'mdb_sa_sk_...0000')], 'a'],
  ['the one whose mask fits, in stars', [masked('a', 'mdb_sa_sk_********x9Z_'), masked('b', '********0000')], 'a'],
  ['none, when the masks say nothing', [masked('a', 'mdb_sa_sk_...'), masked('b', 'mdb_sa_sk_...')], undefined],
  ['none, when no mask fits', [masked('a', 'mdb_sa_sk_****0000')], undefined],
  ['none, when there is none', [], undefined],
])('a value that does not say which secret it is, is %s', (_, slots, expected) => {
  expect(identifyCurrent('mdb_sa_sk_secretx9Z_', slots)).toBe(expected);
});

it('such a value is, once replaced, the one older than its successor, unless its mask says no', () => {
  const successor = masked('current', 'mdb_sa_sk_...aaaa');
  expect(identifyPrevious('mdb_sa_sk_old', 'current', [masked('a', 'mdb_sa_sk_...', 2), successor])).toBe('a');
  expect(identifyPrevious('mdb_sa_sk_old', 'current', [masked('a', 'mdb_sa_sk_...new', 2), successor])).toBeUndefined();
  expect(identifyPrevious('mdb_sa_sk_old', 'current', [masked('a', 'mdb_sa_sk_...', 0.5), successor])).toBeUndefined();
});

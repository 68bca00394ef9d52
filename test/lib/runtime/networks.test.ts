import fc from 'fast-check';
import { expect, it } from 'vitest';
import { liesIn, Network } from '../../../lib/runtime/networks.ts';
import { assertProperty } from '../../support/properties.ts';

it.each(['192.0.2.0/24', '192.0.2.7', '0.0.0.0/0', '10.0.0.0/32', '2001:db8::/32', '::/0', '2001:db8::1', '::1/128'])(
  '%s is a network',
  (text) => {
    expect(Network.safeParse(text).success).toBe(true);
  },
);

it.each([
  '',
  '192.0.2',
  '192.0.2.0/33',
  '192.0.2.0/',
  '192.0.2.0/-1',
  '192.0.2.0/24/8',
  '::/129',
  'a.example',
  '192.0.2.0/2x',
  ' 1.2.3.4',
])('%j is none', (text) => {
  expect(Network.safeParse(text).success).toBe(false);
});

it.each([
  ['192.0.2.255', ['192.0.2.0/24'], true],
  ['192.0.3.0', ['192.0.2.0/24'], false],
  ['192.0.2.7', ['192.0.2.7'], true],
  ['192.0.2.8', ['192.0.2.7'], false],
  ['2001:db8:7::1', ['192.0.2.0/24', '2001:db8:7::/48'], true],
  ['2001:db8:8::1', ['2001:db8:7::/48'], false],
  ['203.0.113.1', ['0.0.0.0/0'], true],
  ['2001:db8::1', ['0.0.0.0/0'], false],
  ['192.0.2.7', [], false],
  ['not an address', ['0.0.0.0/0', '::/0'], false],
  ['', ['0.0.0.0/0', '::/0'], false],
  [undefined, ['0.0.0.0/0', '::/0'], false],
])('%s in %j: %s', (address, networks, expected) => {
  expect(liesIn(networks, address)).toBe(expected);
});

it('goes by the bits of an IPv4 address and nothing else', () => {
  const bits = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  assertProperty(
    fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 32 }), (address, base, length) => {
      const size = 2 ** (32 - length);
      expect(liesIn([`${base}/${length}`], address)).toBe(
        Math.floor(bits(address) / size) === Math.floor(bits(base) / size),
      );
    }),
  );
});

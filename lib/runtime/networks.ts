import { BlockList, isIP } from 'node:net';
import * as z from 'zod';

const BITS: Readonly<Record<number, number>> = { 4: 32, 6: 128 };

/** A network as `192.0.2.0/24` or `2001:db8::/32`, or one address. */
export const Network = z.string().refine(
  (text) => {
    const [address = '', length, ...more] = text.split('/');
    const bits = BITS[isIP(address)];
    if (bits === undefined || more.length > 0) return false;
    return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= bits);
  },
  { error: 'must be an IP address or a network, like 192.0.2.0/24' },
);

/** Whether an address lies in one of these networks. One that cannot be read lies in none. */
export function liesIn(networks: readonly string[], address: string | undefined): boolean {
  const version = isIP(address ?? '');
  if (address === undefined || version === 0) return false;
  const list = new BlockList();
  for (const network of networks) {
    const [base = '', length] = network.split('/');
    const family = isIP(base) === 6 ? 'ipv6' : 'ipv4';
    list.addSubnet(base, length === undefined ? (BITS[isIP(base)] ?? 0) : Number(length), family);
  }
  return list.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

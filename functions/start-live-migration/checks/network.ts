import { BlockList, isIP } from 'node:net';
import type { AccessListEntry } from '../../../lib/atlas/operations/project-access-lists.ts';
import { type Evidence, fail, pass, unknown, type Verdict } from '../checks.ts';

const HOUR_MS = 3_600_000;
const EVERYBODY = new Set(['0.0.0.0/0', '::/0']);

/** Over the internet: the project's access list lets the host in, and does so until the latest end of a migration. */
export function publicAccess({ request, accessList, now, settings }: Evidence): Verdict {
  if (accessList === undefined || 'problem' in accessList)
    return unknown(accessList?.problem ?? 'the access list was not read');
  const end = new Date(now.getTime() + settings.cutoverWindowHours * HOUR_MS);
  const lasting = accessList.known.filter(({ deleteAfterDate }) => deleteAfterDate == null || deleteAfterDate > end);
  if (lasting.some(({ cidrBlock }) => cidrBlock != null && EVERYBODY.has(cidrBlock)))
    return pass('the access list is open to everybody');
  const address = request.migrationHostAddress;
  if (address === undefined)
    return unknown(`migrationHostAddress is not given: attest that the host is on it (${lasting.length} entries last)`);
  if (lasting.some((entry) => covers(entry, address))) return pass(`${address} is on the access list`);
  const brief = accessList.known.find((entry) => covers(entry, address));
  return fail(
    brief?.deleteAfterDate
      ? `${address} leaves the access list at ${brief.deleteAfterDate.toISOString()}`
      : `${address} is not on the access list`,
  );
}

/** Over a private endpoint: the one that is named is there, and its service is available. */
export function privateLink(name: string, services: Evidence['endpointServices']): Verdict {
  if (services === undefined || 'problem' in services)
    return unknown(services?.problem ?? 'the private endpoints were not read');
  const service = services.known.find(({ id, interfaceEndpoints, privateEndpoints, endpointGroupNames }) =>
    [id, ...(interfaceEndpoints ?? []), ...(privateEndpoints ?? []), ...(endpointGroupNames ?? [])].includes(name),
  );
  if (!service) return unknown(`none of ${services.known.length} endpoint services knows ${name}: attest it`);
  const { status, regionName } = service;
  const words = `its service in ${regionName ?? 'an unknown region'} is ${status ?? 'in an unknown state'}`;
  return status === 'AVAILABLE' ? pass(words) : fail(words);
}

function covers({ cidrBlock, ipAddress }: AccessListEntry, address: string): boolean {
  const family = (text: string) => (isIP(text) === 6 ? 'ipv6' : 'ipv4');
  const list = new BlockList();
  if (ipAddress != null && isIP(ipAddress)) list.addAddress(ipAddress, family(ipAddress));
  const [start = '', prefix = ''] = (cidrBlock ?? '').split('/');
  const length = Number(prefix);
  if (prefix !== '' && isIP(start) && Number.isInteger(length) && length <= (isIP(start) === 6 ? 128 : 32))
    list.addSubnet(start, length, family(start));
  return list.check(address, family(address));
}

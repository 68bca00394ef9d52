import type { Deadline } from '../runtime/deadline.ts';
import type { AtlasClient } from './client.ts';
import {
  type Container,
  listGroupContainers,
  PEERING_PROVIDERS,
  type PeeringProvider,
} from './operations/network-containers.ts';
import { listGroupPeers, type Peer } from './operations/network-peers.ts';
import { pages } from './pages.ts';

type Caller = Pick<AtlasClient, 'call' | 'follow'>;

interface Where {
  readonly groupId: string;
}

/** Asks for each provider in turn. Whatever fails, fails the whole: a partial list is not an absence. */
async function ofEvery<Item>(listOf: (providerName: PeeringProvider) => AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for (const providerName of PEERING_PROVIDERS) for await (const item of listOf(providerName)) items.push(item);
  return items;
}

/** Every network peering connection of a project. Atlas answers for one provider at a time, AWS unless asked. */
export const listPeersOfEveryProvider = (atlas: Caller, { groupId }: Where, deadline?: Deadline): Promise<Peer[]> =>
  ofEvery((providerName) => pages(atlas, listGroupPeers, { params: { groupId }, query: { providerName } }, deadline));

/** Every network peering container of a project at the providers that have peering. */
export const listContainersOfEveryProvider = (
  atlas: Caller,
  { groupId }: Where,
  deadline?: Deadline,
): Promise<Container[]> =>
  ofEvery((providerName) =>
    pages(atlas, listGroupContainers, { params: { groupId }, query: { providerName } }, deadline),
  );

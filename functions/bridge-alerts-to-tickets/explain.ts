import * as z from 'zod';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { paragraph } from '../../lib/tickets/text.ts';
import { TicketRef as Reference, type TicketRef, type Tickets } from '../../lib/tickets/tickets.ts';
import { type Bridge, contextOf } from './bridge.ts';
import { type Incident, openMembers } from './core/incident.ts';
import { digestOf } from './grouping.ts';
import type { IncidentId } from './store.ts';

/** An incident with a ticket, as the other incidents of its cluster see it. */
const Neighbour = z.object({ key: z.string(), ref: Reference });

/** How long an explanation counts before it is asked for again. */
const TRUST_MS = 2 * 60_000;

const partitionOf = ({ destination, scope }: Incident): string =>
  `neighbours#${destination}#${scope.projectId ?? ''}#${scope.cluster?.toLowerCase() ?? ''}`;

/** Whether a cluster can have several incidents here: where alerts are grouped by cluster there is nobody to explain. */
const hasNeighbours = ({ scope }: Incident): boolean => scope.apart === true && scope.cluster !== undefined;

/**
 * The incident with what explains it, for a while: another of its cluster that has a ticket and an open alert of a kind
 * that explains others, as a cluster without a primary explains hosts that are down. Undefined where nothing does.
 */
export async function explained(incident: Incident, bridge: Bridge, deadline: Deadline): Promise<Incident | undefined> {
  if (!hasNeighbours(incident)) return undefined;
  const { isInhibited, isInhibitor, now } = contextOf(bridge, NO_TRAITS);
  const types = openMembers(incident).map(([, { type }]) => type);
  if (types.some((type) => isInhibitor(type) || !isInhibited(type))) return undefined;
  for await (const { value } of bridge.store.state.list(partitionOf(incident), Neighbour, deadline)) {
    if (value.key === incident.key || !(await explains(value, incident, bridge, deadline))) continue;
    return {
      ...incident,
      explainedBy: { key: value.key, ticket: value.ref.key, url: value.ref.url, until: now + TRUST_MS },
    };
  }
  return undefined;
}

async function explains(
  { key }: z.output<typeof Neighbour>,
  { destination }: IncidentId,
  bridge: Bridge,
  deadline: Deadline,
): Promise<boolean> {
  const other = await bridge.store.readIncident({ destination, key }, deadline);
  const { isInhibitor } = contextOf(bridge, NO_TRAITS);
  return other?.value.ticket?.state === 'open' && openMembers(other.value).some(([, { type }]) => isInhibitor(type));
}

/**
 * Makes a new ticket known to the other incidents of its cluster. Where it explains them, their tickets are linked to it
 * and say so; they stay open, since people may be at work on them. Safe to repeat. Throws what the tracker throws.
 */
export async function introduce(
  incident: Incident,
  ref: TicketRef,
  tickets: Tickets,
  bridge: Bridge,
  deadline: Deadline,
): Promise<void> {
  if (!hasNeighbours(incident)) return;
  const { isInhibited, isInhibitor } = contextOf(bridge, NO_TRAITS);
  const partition = partitionOf(incident);
  await bridge.store.state.create(
    { pk: partition, sk: `${incident.key} ${ref.id}` },
    { key: incident.key, ref },
    deadline,
  );
  const lead = openMembers(incident).find(([, { type }]) => isInhibitor(type))?.[1];
  if (!lead) return;
  for await (const { value } of bridge.store.state.list(partition, Neighbour, deadline)) {
    if (value.key === incident.key) continue;
    const other = await bridge.store.readIncident({ destination: incident.destination, key: value.key }, deadline);
    const its = other?.value.ticket;
    if (!other || its?.state !== 'open' || its.ref.id !== value.ref.id) continue;
    if (!openMembers(other.value).every(([, { type }]) => isInhibited(type))) continue;
    const marker = `act-${digestOf(incident.key, value.key, ref.id).slice(0, 24)}`;
    const text = [paragraph(`${lead.type} on this cluster explains this incident: ${ref.key} ${ref.url}`)];
    await tickets.link(its.ref, ref, 'relates', { marker, text, repeated: true }, deadline);
    await tickets.comment(its.ref, { marker, text, repeated: true }, deadline);
  }
}

const NO_TRAITS = { reopens: true, comments: true, updates: true, reads: true };

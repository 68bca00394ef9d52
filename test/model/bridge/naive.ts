import * as z from 'zod';
import { digestOf } from '../../../functions/bridge-alerts-to-tickets/grouping.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';
import { TicketRef, type Tickets } from '../../../lib/tickets/tickets.ts';
import type { WorldOptions } from './world.ts';

type Naive = NonNullable<WorldOptions['naive']>;
const deadline = deadlineIn(3_600_000, systemClock);
const Entry = z.object({ ref: TicketRef.optional(), busyUntil: z.number().optional(), sentAt: z.number().optional() });

const markerOf = (cluster: unknown): string => `naive-${String(cluster)}`;
const note = { marker: 'act-00000000', text: [], repeated: false };

const open = (tickets: Tickets, cluster: unknown) =>
  tickets.open(
    { incident: markerOf(cluster), title: `HOST_DOWN on ${cluster}`, body: [], severity: 'error', labels: [] },
    deadline,
  );

/** Looks for an open ticket of the cluster, and makes one where it sees none. */
async function searchThenCreate(tickets: Tickets, body: Record<string, unknown>): Promise<void> {
  const { clusterName, status } = body;
  const found = await tickets.find(markerOf(clusterName), new Date(0), deadline);
  const ref = found.kind === 'found' ? found.tickets.at(-1) : undefined;
  if (status !== 'OPEN') {
    if (ref) await tickets.close(ref, { ...note, resolution: 'resolved' }, deadline);
  } else if (ref && (await tickets.read(ref, {}, deadline)).status === 'open') {
    await tickets.comment(ref, note, deadline);
  } else await open(tickets, clusterName);
}

/**
 * The way that is right, without one of its parts: whoever finds a marker looks for the ticket before another one is made,
 * and an alert that is over stays over.
 */
async function lockAndLook(
  { tickets, state, clock }: Parameters<Naive>[0],
  { clusterName, status, id }: Record<string, unknown>,
  { waits, remembers }: { readonly waits: boolean; readonly remembers: boolean },
): Promise<void> {
  const key = { pk: 'marker', sk: String(clusterName) };
  const over = { pk: 'over', sk: String(id) };
  const held = await state.read(key, Entry, deadline);
  if (status !== 'OPEN') {
    if (remembers) await state.create(over, { at: 0 }, deadline);
    if (!held?.value.ref) return;
    await tickets.close(held.value.ref, { ...note, resolution: 'resolved' }, deadline);
    await state.remove(held, deadline);
    return;
  }
  if (held?.value.ref || (remembers && (await state.read(over, z.unknown(), deadline)))) return;
  if (held) {
    const since = waits ? (held.value.sentAt ?? 0) : 0;
    const found = await tickets.find(markerOf(clusterName), new Date(since), deadline);
    const ref = found.kind === 'found' ? found.tickets[0] : undefined;
    if (ref) await state.replace(held, { ref }, deadline);
    if (found.kind !== 'absent') return;
  }
  const entry = { sentAt: clock.now().getTime() };
  const claimed = held ? await state.replace(held, entry, deadline) : await state.create(key, entry, deadline);
  if (!claimed) return;
  const ref = await open(tickets, clusterName);
  await state.replace(claimed, { ref }, deadline);
}

/**
 * Ways to make tickets of alerts that are in use elsewhere, each with the hole it has, and the way of the bridge with one of
 * its parts missing.
 */
export const naives: Readonly<Record<string, Naive>> = {
  'search, then create':
    ({ tickets }) =>
    (body) =>
      searchThenCreate(tickets, body),

  'idempotency by payload, then search':
    ({ tickets, state }) =>
    async (body) => {
      const fresh = await state.create({ pk: 'payload', sk: digestOf(JSON.stringify(body)) }, { at: 0 }, deadline);
      if (fresh) await searchThenCreate(tickets, body);
    },

  'a conditional put on the incident’s key':
    ({ tickets, state }) =>
    async ({ clusterName, status }) => {
      const key = { pk: 'key', sk: String(clusterName) };
      const held = await state.read(key, Entry, deadline);
      if (status !== 'OPEN') {
        if (!held?.value.ref) return;
        await tickets.close(held.value.ref, { ...note, resolution: 'resolved' }, deadline);
        await state.remove(held, deadline);
        return;
      }
      const claimed = held ? undefined : await state.create(key, {}, deadline);
      if (!claimed) return;
      const ref = await open(tickets, clusterName);
      await state.replace(claimed, { ref }, deadline);
    },

  'a lock and a marker, and a look that does not wait for the search to show what was made': (tools) => (body) =>
    lockAndLook(tools, body, { waits: false, remembers: true }),

  'a lock, a marker and a look, and no memory of what is over': (tools) => (body) =>
    lockAndLook(tools, body, { waits: true, remembers: false }),

  'a lease that is taken again after a failure':
    ({ tickets, state, clock }) =>
    async ({ clusterName, status }) => {
      const key = { pk: 'lease', sk: String(clusterName) };
      for (let attempt = 0; attempt < 3; attempt++) {
        const held = await state.read(key, Entry, deadline);
        const now = clock.now().getTime();
        if ((held?.value.busyUntil ?? 0) > now) return;
        const entry = { ...held?.value, busyUntil: now + 30_000 };
        const leased = held ? await state.replace(held, entry, deadline) : await state.create(key, entry, deadline);
        if (!leased) continue;
        try {
          let { ref } = entry;
          if (status === 'OPEN') ref ??= await open(tickets, clusterName);
          else if (ref) await tickets.close(ref, { ...note, resolution: 'resolved' }, deadline);
          await state.replace(leased, status === 'OPEN' && ref ? { ref } : {}, deadline);
          return;
        } catch {
          await state.replace(leased, { ...(entry.ref && { ref: entry.ref }) }, deadline);
        }
      }
    },
};

import { forgetAt } from '../../../functions/bridge-alerts-to-tickets/core/settle.ts';
import { type BridgeWorld, parseIncident } from './world.ts';

const MAX_ACK_MS = 8 * 3_600_000;

/** What must be so when everything has come to rest, as sentences about what is not; empty in a good world. */
export async function violationsAtRest(world: BridgeWorld): Promise<string[]> {
  const found = [...world.tracker.violations, ...world.atlas.violations];
  const { rows } = world.tracker;
  const incidents = world.incidents();
  const clusters = new Set(world.atlas.alerts.map(({ cluster }) => cluster));
  for (const cluster of clusters) {
    const alerts = world.atlas.alerts.filter((alert) => alert.cluster === cluster);
    const its = incidents.filter(({ scope }) => scope.cluster === cluster);
    const markers = new Set(rows.filter(({ title }) => title.includes(cluster)).map(({ marker }) => marker));
    const live = rows.filter((row) => markers.has(row.marker) && row.status === 'open');
    const open = alerts.filter(({ status }) => status === 'OPEN');
    // One of an earlier time that people open again, while the next is being opened, is theirs.
    const ours = live.filter(({ ref, reopened }) => !reopened || its.some(({ ticket }) => ticket?.ref.id === ref.id));
    if (ours.length > 1)
      found.push(`I1: ${cluster} has ${ours.length} open tickets: ${ours.map(({ ref }) => ref.key)}`);
    for (const marker of markers) {
      const made = rows.filter((row) => row.marker === marker && row.status !== 'gone');
      const kept = made.filter(({ resolution }) => resolution !== 'duplicate');
      if (kept.length > 1) found.push(`I1: ${made.map(({ ref }) => ref.key)} are of one incident and one generation`);
    }
    const [incident] = its;
    const peoples = incident?.ticket?.state === 'closed' && incident.ticket.closedBy === 'people';
    const muted = incident?.mutedUntil !== undefined && incident.mutedUntil > world.now;
    if (open.length > 0 && live.length === 0 && !peoples && !muted && !incident?.dead)
      found.push(`I2: ${cluster} has ${open.length} open alerts and no ticket`);
    if (open.length === 0 && ours.length > 0 && !incident?.ticket?.kept)
      found.push(`I3: every alert of ${cluster} is over, and ${ours.map(({ ref }) => ref.key)} is open`);
  }
  for (const alert of world.atlas.alerts) {
    const until = alert.acknowledged?.by === 'bridge' ? alert.acknowledged.until : 0;
    if (until > world.now + MAX_ACK_MS) found.push('I8: acknowledged for too long');
    const its = incidents.find(({ members }) => members[alert.id]);
    if (alert.status === 'OPEN' && until > world.now && its && !its.taken)
      found.push(`I8: ${alert.id} is acknowledged by us, and nobody has the ticket`);
  }
  const places = new Set(
    world.state
      .snapshot()
      .filter(({ pk }) => pk.startsWith('due#'))
      .map(({ sk }) => sk),
  );
  for (const { dueKey, key } of incidents)
    if (dueKey !== undefined && !places.has(dueKey)) found.push(`${key} counts on a place that is not in the list`);
  for (const { pk, value, expiresAt } of world.state.snapshot().filter((item) => item.pk.startsWith('incident#'))) {
    const incident = parseIncident(value);
    const lastDay = forgetAt(incident, { policy: world.settings.policy, now: world.now });
    // Who is due once more gets a last day then.
    if (lastDay && expiresAt === undefined && incident.dueKey === undefined)
      found.push(`${pk} is over, and kept for ever`);
  }
  for (const { ticket, taken } of incidents) {
    const row = rows.find(({ ref }) => ref.id === ticket?.ref.id);
    if (!ticket || !row) continue;
    if (row.status !== 'gone' && row.status !== ticket.state)
      found.push(`I15: ${row.ref.key} is ${row.status}, and taken for ${ticket.state}`);
    if (taken && row.assignee === undefined && ticket.closedBy !== 'people' && !ticket.insisted)
      found.push(`I15: nobody has ${row.ref.key}, and it is taken for somebody’s`);
  }
  for (const row of rows) if (row.writes > 60) found.push(`I14: ${row.ref.key} was written ${row.writes} times`);
  for (const { attempt, key } of incidents) if (attempt) found.push(`an attempt of ${key} never ended`);
  const before = world.tracker.writes;
  await world.rest(4);
  if (world.tracker.writes > before)
    found.push(`I7: ${world.tracker.writes - before} writes after everything was at rest`);
  for (const trouble of world.troubles)
    found.push(`trouble: ${String(Array.isArray(trouble) ? trouble.at(-1) : trouble)}`);
  return [...new Set(found)];
}

import * as z from 'zod';
import { html, type Markup } from '../../../../lib/html/markup.ts';
import { duration } from '../../../../lib/html/time.ts';
import { parseJson } from '../../../../lib/runtime/json.ts';
import { brief, empty, pageOf, table, tag, when } from './parts.ts';
import type { SecretView } from './secrets.ts';
import type { State } from './state.ts';
import { scaleOf, type TimelineRow, timelineRow } from './timeline.ts';

const HOUR_MS = 3_600_000;
const SOON_MS = 7 * 24 * HOUR_MS;

const Grace = z.object({
  rotation: z.object({
    graceHours: z.number().default(24),
    secrets: z.array(z.object({ secret: z.string(), graceHours: z.number().optional() })).default([]),
  }),
});

/** How long the replaced value of each secret is kept at the least, in milliseconds. */
function graces({ host }: State): (secret: string) => number {
  const { settings = '{}' } = host.wiring.functions.get('rotate-service-account-secret') ?? {};
  const rotation = Grace.safeParse(parseJson(settings)).data?.rotation;
  const own = new Map(rotation?.secrets.map(({ secret, graceHours }) => [secret, graceHours]));
  return (secret) => (own.get(secret) ?? rotation?.graceHours ?? 24) * HOUR_MS;
}

/** Until when the replaced value works at the least; undefined where there is none any more. */
function graceUntil({ changedAt, previousExpiresAt }: SecretView, graceMs: number, now: number): number | undefined {
  const until = Math.min(changedAt.getTime() + graceMs, previousExpiresAt?.getTime() ?? Number.POSITIVE_INFINITY);
  return previousExpiresAt !== undefined && until > now ? until : undefined;
}

function rowOf(secret: SecretView, grace: number | undefined, now: number): TimelineRow {
  const { createdAt, changedAt, expiresAt, nextRotation } = secret;
  const to = expiresAt?.getTime();
  const kind = to === undefined || to > now + SOON_MS ? 'life' : to > now ? 'life soon' : 'life over';
  return {
    bars: [
      ...(to === undefined ? [] : [{ kind, from: (createdAt ?? changedAt).getTime(), to } as const]),
      ...(grace === undefined ? [] : [{ kind: 'grace', from: changedAt.getTime(), to: grace } as const]),
    ],
    dueAt: nextRotation?.getTime(),
  };
}

export function secretsPage(state: State, page: number): Markup {
  const now = state.now.getTime();
  const all = state.secrets;
  if (all.length === 0) return empty('There are no service accounts in Secrets Manager.');
  const graceOf = graces(state);
  const others = all.filter(({ isManaged, expiresAt }) => !isManaged && expiresAt === undefined);
  const { items, links } = pageOf(
    all.filter((secret) => !others.includes(secret)),
    page,
    '/secrets',
    'account',
  );
  const rows = items.map((secret) => {
    const grace = graceUntil(secret, graceOf(secret.name), now);
    return { secret, grace, row: rowOf(secret, grace, now) };
  });
  const scale = scaleOf(
    rows.map(({ row }) => row),
    now,
  );
  return html`<p class="quiet">Values are never shown. Rotation is what Secrets Manager does when it is due.</p>
<p class="legend" aria-hidden="true"><span><span class="key life"></span>value works</span> <span><span class="key grace"></span>replaced value works as well</span> <span><span class="key due"></span>next rotation</span> <span><span class="key now"></span>now</span></p>
<p class="axis-dates" aria-hidden="true"><span>${dayOf(scale.from)}</span><span>${dayOf(scale.to)}</span></p>
<ul class="lives">${rows.map(
    ({ secret, grace, row }) => html`<li>
<div class="life-head"><b>${brief(secret.name, 80)}</b> ${verdict(secret, now)}${!secret.isManaged && tag('none', 'not rotated')}</div>
${timelineRow(row, scale)}
<dl class="facts small">
<div><dt>Account</dt><dd>${secret.clientId === undefined ? '–' : html`<code>${brief(secret.clientId, 40)}</code>`}</dd></div>
<div><dt>Expires</dt><dd>${when(secret.expiresAt)}</dd></div>
<div><dt>Changed</dt><dd>${when(secret.changedAt)}</dd></div>
<div><dt>Next rotation</dt><dd>${when(secret.nextRotation)}</dd></div>
<div><dt>Replaced value</dt><dd>${grace === undefined ? html`<span class="quiet">none in use</span>` : html`works until ${when(new Date(grace))} at the least`}</dd></div>
</dl></li>`,
  )}</ul>${links}
${
  others.length > 0 &&
  html`<h2>Not rotated here, end not known</h2>${table(
    'Other accounts',
    ['Secret', 'Account', 'Changed'],
    others
      .slice(0, 50)
      .map(({ name, clientId, changedAt }) => [
        brief(name, 80),
        html`<code>${brief(clientId ?? '–', 40)}</code>`,
        when(changedAt),
      ]),
  )}`
}`;
}

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

function verdict({ expiresAt, pending }: SecretView, now: number): Markup {
  const left = expiresAt === undefined ? undefined : expiresAt.getTime() - now;
  const life =
    left === undefined
      ? undefined
      : left <= 0
        ? tag('fail', 'expired')
        : tag(left < SOON_MS ? 'warn' : 'pass', `${duration(left / 1_000)} left`);
  return html`${life} ${pending && tag('warn', 'rotation not finished')} `;
}

import type { Tone } from '../../../../lib/html/charts.ts';
import { html, type Markup } from '../../../../lib/html/markup.ts';
import type { ClusterSummary, Status } from '../../report.ts';

/** How each status is shown: its colour, a sign for those who see no colours, and its name. Worst first. */
export const states: Readonly<Record<Status, { readonly tone: Tone; readonly sign: string; readonly name: string }>> = {
  FAIL: { tone: 'fail', sign: '✕', name: 'Fails' },
  UNKNOWN: { tone: 'unknown', sign: '?', name: 'Unknown' },
  WARN: { tone: 'warn', sign: '!', name: 'Warning' },
  EXEMPT: { tone: 'exempt', sign: '§', name: 'Exempt' },
  NOT_APPLICABLE: { tone: 'none', sign: '–', name: 'Not applicable' },
  PASS: { tone: 'pass', sign: '✓', name: 'Passes' },
};

/** The order of parts in every chart and table: worst first, then what was not judged, then what is fine. */
export const inOrder = [
  'FAIL',
  'UNKNOWN',
  'WARN',
  'EXEMPT',
  'PASS',
  'NOT_APPLICABLE',
] as const satisfies readonly Status[];

export const tag = (status: Status, text = states[status].name): Markup =>
  html`<span class="tag ${states[status].tone}"><span aria-hidden="true">${states[status].sign}</span> ${text}</span>`;

/** The rules that judge how old the newest snapshot is. */
const FRESHNESS = ['BK-08', 'BK-21'];

/** What the age of the newest snapshot means for this cluster. */
export const freshness = ({ statuses }: ClusterSummary): Status => {
  const judged = FRESHNESS.flatMap((rule) => statuses[rule] ?? []);
  return inOrder.find((status) => judged.includes(status)) ?? 'NOT_APPLICABLE';
};

/** Where a rule is explained on the page. Ids of rules are ours; anything else is made harmless. */
export const anchorOf = (rule: string): string => `rule-${rule.replaceAll(/[^\w-]/g, '')}`;

export const tierName = (tier: string): string => (/^\d+$/.test(tier) ? `Tier ${tier}` : tier);

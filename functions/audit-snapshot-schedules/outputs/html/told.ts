import { type Content, html, type Markup } from '../../../../lib/html/markup.ts';
import { moment } from '../../../../lib/html/time.ts';
import { allWords, words } from '../../../../lib/html/untrusted.ts';
import { type Finding, type ReportHead, severities } from '../../report.ts';
import { anchorOf, inOrder, tag } from './states.ts';

/** What is kept of an open finding to show it: much less than the finding, because there may be 50,000 of them. */
export interface Told
  extends Omit<Finding, 'evidence' | 'policyDigest' | 'organizationId' | 'previousStatus' | 'exemption' | 'title'> {
  /** Its title and remedy are there once for all findings of a rule. */
  readonly described: Pick<ReportHead['rules'][number], 'title' | 'remedy'>;
  readonly exemption: Finding['exemption'];
  /** Kept from an earlier run, because this one could not look. */
  readonly kept: boolean;
  /** As one line of text. */
  readonly evidence: string;
}

const EVIDENCE = 400;

/** `described` comes from the catalogue where the rule is in it. */
export function toldOf(
  finding: Finding,
  { startedAt }: ReportHead,
  described: Told['described'] = { title: finding.title, remedy: '' },
): Told {
  const { policyDigest, organizationId, previousStatus, title, evidence, ...rest } = finding;
  return {
    ...rest,
    described,
    kept: Date.parse(finding.lastSeen) < Date.parse(startedAt),
    evidence: evidenceText(evidence).slice(0, EVIDENCE * 4),
  };
}

/** What was seen, as names and values. */
const evidenceText = (evidence: Finding['evidence']): string =>
  Object.entries(evidence)
    .map(([name, value]) => {
      const values = Array.isArray(value) ? value : value === null ? [] : [value];
      const plain = values.every((one) => typeof one !== 'object' || one === null);
      return `${name}: ${plain ? values.map(String).join(', ') || 'none' : JSON.stringify(value)}`;
    })
    .join(' · ');

/** The worst status first, then the gravest rule. */
export const graverTold = (a: Told, b: Told): number =>
  inOrder.indexOf(a.status) - inOrder.indexOf(b.status) ||
  severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
  (a.rule < b.rule ? -1 : 1);

/** What is to be seen behind the line of a cluster. */
export const foundList = (told: readonly Told[]): Content =>
  told.length === 0
    ? html`<p class="quiet">No rule fails, warns or is unknown.</p>`
    : html`<ul class="found">${told.map(foundOne)}</ul>`;

const foundOne = (
  one: Told,
): Markup => html`<li><p>${tag(one.status)} <a href="#${anchorOf(one.rule)}">${one.rule}</a> <b>${one.described.title}</b></p>
<div class="reason">${allWords(one.reason)}</div>
${one.status === 'FAIL' && html`<p><span class="quiet">Remedy:</span> ${words(one.described.remedy, 400)}</p>`}${one.exemption !== null && exemptionOf(one.exemption)}
<p class="quiet small">${one.severity}, since ${moment(one.firstSeen)}${one.change === 'new' && ', new in this run'}${one.kept && html`, last seen ${moment(one.lastSeen)} and not read since`}${one.evidence !== '' && html`. ${words(one.evidence, EVIDENCE)}`}</p></li>`;

const exemptionOf = ({ owner, reason, until, expired }: NonNullable<Finding['exemption']>): Markup =>
  html`<p>${expired ? 'The exception of ' : 'Exception of '}${words(owner)}${expired ? ' ended ' : ' until '}${moment(until)}: ${words(reason, 200)}</p>`;

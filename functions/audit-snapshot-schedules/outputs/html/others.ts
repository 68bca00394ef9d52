import { html, type Markup } from '../../../../lib/html/markup.ts';
import { counted, grouped, moment } from '../../../../lib/html/time.ts';
import { allWords, words } from '../../../../lib/html/untrusted.ts';
import type { Finding } from '../../report.ts';
import { anchorOf, tag } from './states.ts';
import type { Told } from './told.ts';

/** One exception, and how much it holds. */
export interface Held {
  readonly exemption: NonNullable<Finding['exemption']>;
  readonly findings: number;
}

/** Findings of projects and of the organization, and those kept of clusters that were not read; worst first. */
export const outsideSection = (findings: readonly Told[], all: number): Markup | undefined =>
  findings.length === 0
    ? undefined
    : html`<section aria-labelledby="outside"><h2 id="outside">Outside of the clusters above</h2>
<p class="quiet small">Findings of projects and of the organization, and what earlier runs found on clusters that this one could not read.</p>
<div class="scroll" role="region" aria-label="Table of findings outside of clusters" tabindex="0"><table><thead><tr><th scope="col">Status</th><th scope="col">Where</th><th scope="col">Rule</th><th scope="col">Why</th><th scope="col">Since</th></tr></thead><tbody>${findings.map(
        (one) =>
          html`<tr><td>${tag(one.status)}</td><td>${one.projectId === null ? 'the organization' : words(one.projectName ?? one.projectId)}${one.clusterId !== null && html`<br>${words(one.clusterName ?? one.clusterId)} <span class="quiet">not read, last seen ${moment(one.lastSeen)}</span>`}</td><td><a href="#${anchorOf(one.rule)}">${one.rule}</a> <span class="quiet">${one.severity}</span></td><td>${allWords(one.reason, 200)}</td><td>${moment(one.firstSeen)}</td></tr>`,
      )}</tbody></table></div>${all > findings.length && html`<p class="quiet small">The worst ${grouped(findings.length)} of ${grouped(all)}; the rest is in findings.csv.</p>`}</section>`;

/** Who answers for what is not counted, and until when. */
export const exceptionsSection = (held: readonly Held[]): Markup | undefined =>
  held.length === 0
    ? undefined
    : html`<section aria-labelledby="exceptions"><h2 id="exceptions">Exceptions</h2>
<div class="scroll" role="region" aria-label="Table of exceptions" tabindex="0"><table><thead><tr><th scope="col">Exception</th><th scope="col">Owner</th><th scope="col">Reason</th><th scope="col">Until</th><th scope="col" class="number">Findings</th></tr></thead><tbody>${held.map(
        ({ exemption: { name, owner, reason, until, expired }, findings }) =>
          html`<tr><td>${words(name)}</td><td>${words(owner)}</td><td>${allWords(reason, 200)}</td><td>${moment(until)}${expired && html` ${tag('FAIL', 'ended')}`}</td><td class="number">${grouped(findings)}</td></tr>`,
      )}</tbody></table></div></section>`;

/** What is no longer open, so that good news is news too. */
export const closedSection = (closed: readonly Finding[], all: number): Markup | undefined =>
  closed.length === 0
    ? undefined
    : html`<section aria-labelledby="closed"><h2 id="closed">Closed since the last run</h2><details class="closed"><summary>${counted(all, 'finding')}</summary><ul>${closed.map(
        (one) =>
          html`<li>${one.change === 'gone' ? tag('NOT_APPLICABLE', 'gone') : one.status === 'PASS' ? tag('PASS', 'resolved') : tag(one.status)} ${one.rule} <span class="quiet">on</span> ${words(one.clusterName ?? one.clusterId ?? one.projectName ?? one.projectId ?? 'the organization')} <span class="quiet">in</span> ${words(one.projectName ?? one.projectId ?? 'the organization')}</li>`,
      )}</ul>${all > closed.length && html`<p class="quiet small">And ${grouped(all - closed.length)} more: see findings.csv.</p>`}</details></section>`;

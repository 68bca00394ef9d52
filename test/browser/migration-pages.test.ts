import axe from 'axe-core';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changed } from '../../functions/start-live-migration/change.ts';
import { CHECKS } from '../../functions/start-live-migration/checks.ts';
import { MigrationRequest } from '../../functions/start-live-migration/contract.ts';
import { planPage } from '../../functions/start-live-migration/pages/plan-page.ts';
import { timelinePage } from '../../functions/start-live-migration/pages/timeline-page.ts';
import { type Checked, type Plan, sealed } from '../../functions/start-live-migration/plan.ts';
import type { Run } from '../../functions/start-live-migration/run.ts';
import { hostileNames } from '../support/any-audit-report.ts';
import { began, later, policy, request, running } from '../support/migration-run.ts';
import { type Chromium, startChromium } from './chromium.ts';

let chromium: Chromium;
beforeAll(async () => {
  chromium = await startChromium();
}, 60_000);
afterAll(() => chromium?.[Symbol.asyncDispose]());

const OUTCOMES: readonly Checked['outcome'][] = ['PASS', 'FAIL', 'WAIVED', 'PENDING', 'UNKNOWN', 'NOT_APPLICABLE'];
type Word = (at: number) => string;
const plain: Word = (at) => `word ${at}`;
const hostile: Word = (at) => hostileNames[at % hostileNames.length]!;

const requestOf = (word: Word): MigrationRequest =>
  MigrationRequest.parse({
    ...request,
    source: { ...request.source, clusterName: word(1).slice(0, 256) || 'x' },
    destination: { ...request.destination, clusterName: word(2).slice(0, 256) || 'x' },
    migrationHost: word(3).slice(0, 256) || 'x',
  });

const planOf = (word: Word): Plan =>
  sealed({
    madeAt: began.toISOString(),
    requestedBy: word(4),
    request: { ...requestOf(word), dropDestinationData: true },
    requestHash: 'e'.repeat(64),
    notMigrated: [word(5), word(6)],
    checks: CHECKS.map(({ id, number, title, severity, remedy }, at) => {
      const outcome = OUTCOMES[at % OUTCOMES.length]!;
      const waiver = { owner: word(at + 1), reason: word(at + 2), expires: later(9_999).toISOString() };
      return {
        id,
        number,
        title,
        severity,
        remedy,
        outcome,
        evidence: word(at),
        ...(outcome === 'WAIVED' && { waiver }),
      };
    }),
  });

function timelineOf(word: Word): string {
  let run: Run = running({
    request: requestOf(word),
    requestedBy: word(1),
    plannedBy: word(2),
    notMigrated: [word(3)],
    oplogWindowSeconds: 90_000,
    firstReadyAt: later(5_000).toISOString(),
    lastNotReadyAt: later(4_700).toISOString(),
    polledAt: later(9_000).toISOString(),
    extension: { until: later(999_999).toISOString(), recordedBy: word(4), note: word(5) },
    polls: Array.from({ length: 30 }, (_, nth) => ({
      at: later(nth * 300).toISOString(),
      ready: nth > 16,
      lagSeconds: nth === 20 ? null : Math.max(2, 5_000 - nth * 300),
    })),
  });
  for (let at = 0; at < 12; at++)
    run = changed(run, later(at * 60), {
      what: word(at),
      reason: word(at + 1),
      by: word(at + 2),
      facts: { note: word(at + 3) },
    });
  return timelinePage(run, run.record.unwritten, { ...policy, timeZone: 'Europe/Berlin' });
}

const pages: Readonly<Record<string, (word: Word) => string>> = {
  'the page of a plan': (word) => planPage(planOf(word), [word(7), word(8)], policy),
  'the page of a course': timelineOf,
};

const axeProblems = async (page: Page): Promise<string[]> => {
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    const run = Reflect.get(globalThis, 'axe').run as () => Promise<{
      violations: { impact: string; id: string; nodes: { html: string }[] }[];
    }>;
    return (await run()).violations;
  });
  return violations.map(({ impact, id, nodes }) => `${impact} ${id}: ${nodes[0]?.html.slice(0, 160)}`);
};

describe.each(Object.entries(pages))('%s', (_, render) => {
  it.each([
    { width: 1280, scheme: 'light' },
    { width: 1280, scheme: 'dark' },
    { width: 390, scheme: 'light' },
  ] as const)('opens without a complaint or a request, and is accessible, at $width px in $scheme', async (view) => {
    for (const word of [plain, hostile]) {
      await using opened = await chromium.open(render(word), view);
      const { page, complaints, requests } = opened;
      expect(await axeProblems(page)).toEqual([]);
      expect(complaints).toEqual([]);
      expect(requests.filter((url) => !url.startsWith('data:'))).toEqual([]);
      expect(await page.$eval('html', ({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBeLessThanOrEqual(
        0,
      );
    }
  });

  it('makes nothing of a hostile name but text', async () => {
    await using opened = await chromium.open(render(hostile));
    const made = await opened.page.$$eval('script, img, iframe, a, object, embed, form, input', (found) =>
      found.map(({ outerHTML }) => outerHTML),
    );
    expect(made).toEqual([]);
  });
});

it('shows what stands against a start first, blockers before the rest', async () => {
  await using opened = await chromium.open(planPage(planOf(plain), [], policy));
  const rows = await opened.page.$$eval('.checks > li', (found) =>
    found.map((row) => [...row.querySelectorAll('.tag')].map(({ textContent }) => textContent)),
  );
  expect(rows).toHaveLength(34);
  const isOpen = rows.map(([, outcome]) => outcome === 'FAIL' || outcome === 'PENDING' || outcome === 'UNKNOWN');
  expect(isOpen).toEqual(isOpen.toSorted((a, b) => Number(b) - Number(a)));
  const open = rows.filter((_, at) => isOpen[at]).map(([severity]) => severity);
  expect(open).toEqual([...open.filter((each) => each === 'BLOCKER'), ...open.filter((each) => each !== 'BLOCKER')]);
});

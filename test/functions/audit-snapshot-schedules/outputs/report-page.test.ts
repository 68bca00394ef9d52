import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Finding, Report } from '../../../../functions/audit-snapshot-schedules/report.ts';
import { anyReport, hostileNames } from '../../../support/any-audit-report.ts';
import { assemble, realisticReport } from '../../../support/audit-report.ts';
import { assertProperty } from '../../../support/properties.ts';
import { renderedAs } from '../../../support/rendered.ts';

const pageOf = (report: Report): Promise<string> => renderedAs('html', report);
/** What stands in the banners, without tags. */
const bannersOf = async (report: Report): Promise<string[]> =>
  [...(await pageOf(report)).matchAll(/class="banner (\w+)"[^>]*><p class="title">(.*?)<\/p>/g)].map(
    ([, tone, title]) => `${tone}: ${title}`,
  );
const passing = (report: Report): Report => ({
  ...assemble(
    report.clusters.map((cluster) => ({ ...cluster, statuses: { 'BK-01': 'PASS' as const } })),
    report.findings.map((one) => ({ ...one, status: 'PASS' as const, change: 'unchanged' as const, exemption: null })),
  ),
});

describe('the verdict of the page', () => {
  const ordinary = realisticReport({ clusters: 20, troubled: 0.5 });

  it('says how many clusters fail', async () => {
    const failing = ordinary.clusters.filter(({ statuses }) => Object.values(statuses).includes('FAIL')).length;
    expect(await bannersOf(ordinary)).toEqual([`fail: ${failing} of 20 clusters fail`]);
  });

  it('is that nothing fails only where everything was read', async () => {
    const clean = passing(ordinary);
    expect(await bannersOf(clean)).toEqual(['pass: Nothing is failing']);
    expect(await bannersOf({ ...clean, exitState: 'partial' })).toEqual([
      'unknown: Nothing fails in what could be read',
    ]);
    expect(await bannersOf({ ...clean, exitState: 'failed' })).toEqual(['fail: Nothing could be judged']);
  });

  it('is loud where a report is partial, whatever else it says', async () => {
    const partial = realisticReport({ clusters: 20, troubled: 0.5, unreadableProjects: 2 });
    expect(await bannersOf(partial)).toContain('unknown: This report is partial');
    const page = await pageOf(partial);
    expect(page).toContain('2 of 4 projects could not be read');
    // A share of the clusters that are known would read as if it were all.
    expect(page).not.toContain('<span class="value unknown">100 %</span>');
  });

  it('tells an empty organization from a good one', async () => {
    expect(await bannersOf(assemble([], []))).toEqual(['none: No clusters in scope']);
  });
});

describe('the page', () => {
  it('shows what earlier runs found on clusters that this one could not read', async () => {
    const [one] = realisticReport({ clusters: 1 }).findings.filter(({ clusterId }) => clusterId !== null);
    const kept: Finding = {
      ...one!,
      status: 'FAIL',
      change: 'unchanged',
      clusterName: 'out-of-sight',
      lastSeen: '2026-03-01T00:00:00Z',
    };
    const page = await pageOf(assemble([], [kept]));
    expect(page).toContain(
      '<bdi>out-of-sight</bdi> <span class="quiet">not read, last seen <time datetime="2026-03-01',
    );
    expect(page).toContain('1 more cluster failed when last seen, and could not be read.');
  });

  it('has every cluster once, the worst first', async () => {
    const report = realisticReport({ clusters: 120, troubled: 0.4 });
    const page = await pageOf(report);
    const ids = [...page.matchAll(/<span class="mono">([0-9a-f]{24})</g)].map(([, id]) => id);
    expect(ids.toSorted()).toEqual(report.clusters.map(({ clusterId }) => clusterId).toSorted());
    const criticals = ids.map((id) => {
      const { statuses } = report.clusters.find(({ clusterId }) => clusterId === id)!;
      return ['BK-01', 'BK-08'].filter((rule) => statuses[rule] === 'FAIL').length;
    });
    expect(criticals).toEqual(criticals.toSorted((a, b) => b - a));
  });

  it('never calls a cluster passing where nothing was judged', async () => {
    const [cluster] = realisticReport({ clusters: 1 }).clusters;
    const page = await pageOf(assemble([{ ...cluster!, statuses: { 'BK-01': 'NOT_APPLICABLE' } }], []));
    expect(page).toContain('nothing applies');
    expect(page).not.toContain('all pass');
  });

  it('holds no element and no attribute but its own, whatever the names are', async () => {
    /** The names of all elements and of all attributes, values left out. */
    const made = (page: string): string[] => {
      const markup = page.replaceAll(/(?<=<(script|style)\b[^>]*>).*?(?=<\/\1>)/gs, '');
      const tags = [...markup.matchAll(/<[^<>]*>/g)].map(([tag]) => tag.replaceAll(/"[^"]*"/g, ''));
      return [...new Set(tags.flatMap((tag) => tag.split(/[\s=]+/)))];
    };
    const ordinary = made(await pageOf(realisticReport({ clusters: 40, troubled: 0.6, unreadableProjects: 1 })));
    const known = new Set(ordinary.concat('<bdi', '<i>', '</i>', '<br>', '<details', '<details>', '</details>'));
    await assertProperty(
      fc.asyncProperty(anyReport, async (report) => {
        const page = await pageOf(report);
        expect(made(page).filter((one) => !known.has(one))).toEqual([]);
        for (const [, to = ''] of page.matchAll(/\shref="([^"]*)"/g)) expect(to).toMatch(/^(#[\w-]+|data:,)$/);
      }),
    );
  });

  it('shows no character that hides or turns others', async () => {
    const page = await pageOf(
      realisticReport({
        clusters: hostileNames.length,
        troubled: 1,
        clusterName: (at) => hostileNames[at]!,
        projectName: (at) => hostileNames[at % hostileNames.length]!,
        reason: () => hostileNames.join(' '),
      }),
    );
    const shown = page.slice(page.indexOf('<main'), page.indexOf('<script type="application/json"'));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(shown).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/u);
  });

  it('allows its one style and its one script by their hashes', async () => {
    const page = await pageOf(realisticReport({ clusters: 2 }));
    const [, policy = ''] = /Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
    for (const [, kind, text = ''] of page.matchAll(/<(style|script)>(.*?)<\/\1>/gs)) {
      expect(policy).toContain(`${kind}-src &#39;sha256-${createHash('sha256').update(text).digest('base64')}&#39;`);
    }
    expect(policy.startsWith('default-src &#39;none&#39;;')).toBe(true);
  });

  it('of 10,000 clusters is under 15 MB', async () => {
    const page = await pageOf(realisticReport({ clusters: 10_000, troubled: 0.3 }));
    expect(Buffer.byteLength(page)).toBeLessThan(15_000_000);
    expect(page.split('<li class="cluster').length - 1).toBe(500);
  }, 60_000);
});

import axe from 'axe-core';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../functions/audit-snapshot-schedules/report.ts';
import { hostileNames } from '../support/any-audit-report.ts';
import { assemble, realisticReport } from '../support/audit-report.ts';
import { renderedAs } from '../support/rendered.ts';
import { type Chromium, startChromium } from './chromium.ts';

const named =
  (names: readonly string[], shift = 0) =>
  (at: number): string =>
    names[(at + shift) % names.length]!;
const ordinary = realisticReport({ clusters: 60, troubled: 0.4, unreadableProjects: 2 });
const hostile = realisticReport({
  clusters: 60,
  troubled: 0.7,
  unreadableProjects: 30,
  clusterName: named(hostileNames),
  projectName: named(hostileNames, 5),
  reason: () => hostileNames.join(' '),
});
const clean = ((): Report => {
  const { clusters, findings } = realisticReport({ clusters: 40, troubled: 0 });
  const fine = clusters.map((cluster) => ({
    ...cluster,
    statuses: Object.fromEntries(Object.keys(cluster.statuses).map((rule) => [rule, 'PASS' as const])),
  }));
  return assemble(
    fine,
    findings.map((finding) => ({ ...finding, status: 'PASS' as const, change: 'unchanged' as const, exemption: null })),
  );
})();
const kinds = { ordinary, hostile, clean, empty: assemble([], []) };

let chromium: Chromium;
beforeAll(async () => {
  chromium = await startChromium();
}, 60_000);
afterAll(() => chromium?.[Symbol.asyncDispose]());

const names = (page: Page): Promise<string[]> =>
  page.$$eval('#list > li .name', (found) => found.map(({ textContent }) => textContent ?? ''));
const textOf = (page: Page, selector: string): Promise<string> =>
  page.$eval(selector, ({ textContent }) => textContent ?? '');
/** What an expression is worth in the page. It is text, because the project's own code knows no browser. */
const worth = (page: Page, expression: string): Promise<unknown> => page.evaluate(expression);
/** Once the page has shown what was asked for, and no earlier. */
const until = (page: Page, text: string): Promise<unknown> =>
  page.waitForFunction(`document.getElementById('count').textContent === ${JSON.stringify(text)}`, { timeout: 5_000 });

const axeProblems = async (page: Page): Promise<string[]> => {
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    const run = Reflect.get(globalThis, 'axe').run as () => Promise<{
      violations: { impact: string; id: string; nodes: { html: string }[] }[];
    }>;
    return (await run()).violations;
  });
  return violations.map(
    ({ impact, id, nodes }) =>
      `${impact} ${id}: ${nodes
        .map((node) => node.html.slice(0, 120))
        .slice(0, 3)
        .join(' | ')}`,
  );
};

const views = [
  { width: 1280, scheme: 'light' },
  { width: 390, scheme: 'dark' },
  { width: 1280, scheme: 'dark' },
  { width: 390, scheme: 'light' },
] as const;

describe.each(Object.entries(kinds))('the report of an audit, %s,', (kind, report) => {
  it.each(views.slice(0, kind === 'ordinary' ? 4 : 2))(
    'opens without a complaint or a request, and is accessible, at $width px in $scheme',
    async (view) => {
      await using opened = await chromium.open(await renderedAs('html', report), view);
      const { page, complaints, requests } = opened;
      await page.$$eval('#list details, details.closed', (rows) => {
        for (const row of rows.slice(0, 3)) row.setAttribute('open', '');
      });
      expect(await axeProblems(page)).toEqual([]);
      expect(complaints).toEqual([]);
      expect(requests.filter((url) => !url.startsWith('data:'))).toEqual([]);
      // Nothing is cut off at the side.
      expect(await page.$eval('html', ({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBeLessThanOrEqual(
        0,
      );
    },
  );

  it('is whole without a script', async () => {
    await using opened = await chromium.open(await renderedAs('html', report), { script: false });
    expect(await names(opened.page)).toHaveLength(report.clusters.length);
    expect(opened.complaints).toEqual([]);
    expect(
      await opened.page.$$eval('#toolbar, #pager', (found) => found.filter((one) => one.checkVisibility()).length),
    ).toBe(0);
  });
});

describe('a hostile name', () => {
  it('is shown inert and within its own cell: nothing ran, nothing became an element', async () => {
    await using opened = await chromium.open(await renderedAs('html', hostile));
    const { page } = opened;
    await page.$$eval('details', (all) => {
      for (const closed of all) closed.open = true;
    });
    expect(await worth(page, "'hacked' in window")).toBe(false);
    expect(
      await page.$$eval(
        'img, iframe, object, embed, svg[onload], [onerror], [onmouseover], a[href^="javascript"]',
        (found) => found.length,
      ),
    ).toBe(0);
    expect(await page.$$eval('script', (found) => found.length)).toBe(2);
    const shown = await names(page);
    expect(shown).toContain('<script>window.hacked = 1</script>');
    expect(shown).toContain('prod[U+202E]gpj.exe');
    expect(shown).toContain('(blank)');
    expect(Math.max(...shown.map(({ length }) => length))).toBeLessThanOrEqual(150);
    // A name that reads from right to left leaves what stands around it where it was.
    const isolated = await page.$$eval('#list .name > bdi', (found) =>
      found.map((one) => one.computedStyleMap().get('unicode-bidi')?.toString()),
    );
    expect(new Set(isolated)).toEqual(new Set(['isolate']));
  });

  it('can be searched for as it is shown or in part, and the search runs nothing', async () => {
    await using opened = await chromium.open(await renderedAs('html', hostile));
    const { page, complaints } = opened;
    await page.type('#search', '<SCRIPT>window');
    await page.waitForFunction("document.getElementById('count').textContent.endsWith(' of 60 clusters')");
    expect(Number.parseInt(await textOf(page, '#count'), 10)).toBeGreaterThan(0);
    expect(await worth(page, "'hacked' in window")).toBe(false);
    expect(complaints).toEqual([]);
  });

  it('of 10,000 characters is there in full for who asks', async () => {
    await using opened = await chromium.open(
      await renderedAs(
        'html',
        realisticReport({ clusters: 1, clusterName: () => 'x'.repeat(10_000), reason: () => 'y'.repeat(10_000) }),
      ),
    );
    expect(await opened.page.$eval('#list .name bdi', (found) => found.getAttribute('title')?.length)).toBe(1_000);
    const page = await opened.page.content();
    expect([page.includes('x'.repeat(10_000)), page.includes('y'.repeat(10_000))]).toEqual([true, true]);
  });

  it('could not run a script if it did become one: the policy of the page forbids it', async () => {
    await using opened = await chromium.open(await renderedAs('html', ordinary));
    const { page, complaints } = opened;
    await page.$eval('body', (body) => {
      body.insertAdjacentHTML('beforeend', '<img src="x" onerror="window.hacked = 8">');
      const script = body.ownerDocument.createElement('script');
      script.textContent = 'window.hacked = 9';
      body.append(script);
    });
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 100)));
    expect(await worth(page, "'hacked' in window")).toBe(false);
    expect(complaints.join()).toContain('Content Security Policy');
  });
});

describe('the list of clusters', () => {
  const many = realisticReport({ clusters: 700, troubled: 0.3 });

  it('is filtered, searched, ordered and turned by keyboard alone', async () => {
    await using opened = await chromium.open(await renderedAs('html', many));
    const { page, complaints } = opened;
    const focused = (): Promise<unknown> => worth(page, 'document.activeElement.id || document.activeElement.tagName');
    await page.keyboard.press('Tab');
    expect(await worth(page, 'document.activeElement.textContent')).toBe('Skip to the clusters');
    await page.keyboard.press('Enter');
    const seen: unknown[] = [];
    for (let press = 0; press < 7; press++) {
      await page.keyboard.press('Tab');
      seen.push(await focused());
    }
    expect(seen).toEqual(['search', 'status', 'severity', 'rule', 'tier', 'sort', 'SUMMARY']);
    // What has the focus shows it.
    expect(await worth(page, 'getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
    await page.keyboard.press('Enter');
    expect(await page.$eval('#list > li details', (found) => found.open)).toBe(true);

    const failing = many.clusters.filter(({ statuses }) => Object.values(statuses).includes('FAIL')).length;
    await page.focus('#status');
    await page.keyboard.type('Fails');
    await until(page, `${failing} of 700 clusters`);
    await page.focus('#next');
    await page.keyboard.press('Enter');
    expect(await textOf(page, '#where')).toBe(`51–100 of ${failing}`);
    expect(await focused()).toBe('clusters');
    expect(complaints).toEqual([]);
  });

  it('has those beyond the five hundredth too, each once', async () => {
    await using opened = await chromium.open(await renderedAs('html', many));
    const { page } = opened;
    const ids = new Set<string>();
    for (let turn = 0; turn < 14; turn++) {
      await page.waitForSelector(`#list[start="${turn * 50 + 1}"]`);
      for (const id of await page.$$eval('#list .facts .mono', (found) =>
        found.map(({ textContent }) => textContent ?? ''),
      ))
        ids.add(id);
      await page.click('#next').catch(() => {});
    }
    expect(ids).toEqual(new Set(many.clusters.map(({ clusterId }) => clusterId)));
  });

  it('is ordered by what one asks for', async () => {
    await using opened = await chromium.open(await renderedAs('html', many));
    const { page } = opened;
    await page.select('#sort', 'age');
    const oldest = many.clusters.toSorted(
      (a, b) => (b.newestSnapshotAgeSeconds ?? 1e12) - (a.newestSnapshotAgeSeconds ?? 1e12),
    )[0]!;
    await page.waitForFunction(`document.querySelector('#list .name').textContent === '${oldest.clusterName}'`, {
      timeout: 5_000,
    });
    await page.select('#severity', '0');
    const critical = many.clusters.filter(
      ({ statuses }) => statuses['BK-08'] === 'FAIL' || statuses['BK-01'] === 'FAIL',
    ).length;
    await until(page, `${critical} of 700 clusters`);
    await page.type('#search', 'no such cluster');
    await until(page, '0 of 700 clusters');
    await page.click('#clear');
    await until(page, '700 clusters');
  });

  it('names the worst 500 to readers without a script', async () => {
    await using opened = await chromium.open(await renderedAs('html', many), { script: false });
    expect(await names(opened.page)).toHaveLength(500);
    expect(await textOf(opened.page, 'noscript .aside')).toContain('The worst 500 of 700 clusters');
  });

  it('prints the worst 500, and no tools', async () => {
    await using opened = await chromium.open(await renderedAs('html', many));
    const { page } = opened;
    await page.emulateMediaType('print');
    await worth(page, "dispatchEvent(new Event('beforeprint'))");
    expect(await names(page)).toHaveLength(500);
    expect(await page.$$eval('.no-print', (found) => found.filter((one) => one.checkVisibility()).length)).toBe(0);
    await worth(page, "dispatchEvent(new Event('afterprint'))");
    await page.waitForFunction("document.querySelectorAll('#list > li').length === 50");
  });
});

describe('the report of 10,000 clusters', () => {
  const text = renderedAs('html', realisticReport({ clusters: 10_000, troubled: 0.3 }));

  async function opening(): Promise<{ tookMs: number; searchMs: number; complaints: readonly string[] }> {
    await using opened = await chromium.open(await text);
    const { page, tookMs, complaints } = opened;
    const ready = Number(await page.$eval('html', (found) => found.dataset['ready']));
    const start = performance.now();
    await page.type('#search', 'core-99');
    await page.waitForFunction("document.getElementById('count').textContent.endsWith(' of 10,000 clusters')");
    const searchMs = performance.now() - start;
    process.stdout.write(
      `report of 10,000 clusters: interactive after ${ready} ms, opened in ${Math.round(tookMs)} ms, first search ${Math.round(searchMs)} ms (${chromium.version})\n`,
    );
    return { tookMs, searchMs, complaints };
  }

  // What it takes is the page's own only while nothing else wants the machine, and other suites run beside this one: the
  // fastest of some openings is the one that says most about the page.
  it('is under 15 MB and opens within 3 s', async () => {
    expect(Buffer.byteLength(await text)).toBeLessThan(15_000_000);
    const openings = [await opening()];
    const fastest = (of: 'tookMs' | 'searchMs'): number => Math.min(...openings.map((one) => one[of]));
    while (openings.length < 5 && Math.max(fastest('tookMs'), fastest('searchMs')) >= 3_000)
      openings.push(await opening());
    expect(fastest('tookMs')).toBeLessThan(3_000);
    expect(fastest('searchMs')).toBeLessThan(3_000);
    expect(openings.flatMap(({ complaints }) => complaints)).toEqual([]);
  }, 120_000);
});

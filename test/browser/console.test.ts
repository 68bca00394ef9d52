import { mkdir } from 'node:fs/promises';
import axe from 'axe-core';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { LocalHost } from '../../infra/local/serve/local-host.ts';
import { eventsOf, startProbeHost, TOKEN } from '../infra/local/serve/probe-host.ts';
import { hostileNames } from '../support/any-audit-report.ts';
import { type Chromium, startChromium } from './chromium.ts';
import { type Scene, startScene } from './console-scene.ts';

const PAGES = [
  '/',
  '/functions',
  '/functions/deliver-tickets',
  '/functions/command-live-migration',
  '/secrets',
  '/backups',
  '/migrations',
  '/tickets',
  '/queue',
  '/events',
];

/** Where the pictures go: git leaves it out, people look at it. */
const PICTURES = 'reports/console';

let chromium: Chromium;
/** Functions that only tell what they were given, and nothing but words of others. */
let local: LocalHost;
/** The real ones, with something on every page. */
let scene: Scene;
beforeAll(async () => {
  chromium = await startChromium();
  scene = await startScene(inject('bundles'));
  local = await startProbeHost();
  // What words could do, they could do on each of these pages.
  for (const [nth, name] of hostileNames.entries()) {
    local.machine.aws.events.putServiceEvent('aws.secretsmanager', name, { name });
    local.machine.alertDeadLetters.send({ body: name, group: name, deduplicationId: String(nth) });
    local.host.events.keep('deliver-tickets', { name }, name);
    await local.machine.invoke('deliver-tickets', { fail: true, why: name }).catch(() => {});
  }
  await mkdir(PICTURES, { recursive: true });
}, 240_000);
afterAll(async () => {
  // The pages go first: they hold connections to the hosts.
  await chromium?.[Symbol.asyncDispose]();
  await scene?.[Symbol.asyncDispose]();
  await local?.[Symbol.asyncDispose]();
  // What runs is waited for.
}, 60_000);

const at = (path: string, on = local): string =>
  `${on.consoleOrigin}${path}${path.includes('?') ? '&' : '?'}token=${TOKEN}`;

const picture = async (page: Page, name: string): Promise<void> => {
  await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
};

/** From now on nothing is taken in by itself: what a test has found on the page stays while it fills in a form. */
async function keepStill(page: Page): Promise<void> {
  await page.evaluate('source.close()');
  await vi.waitFor(async () => expect(await page.evaluate('waiting')).toBe(false), { timeout: 10_000 });
}

/** Presses a button that leads to a page, and keeps that one still. */
async function press(page: Page, button: string): Promise<void> {
  await Promise.all([page.waitForNavigation(), page.locator(button).click()]);
  await keepStill(page);
}

async function seriousProblems(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    const run = Reflect.get(globalThis, 'axe').run as () => Promise<{
      violations: { impact: string; id: string; nodes: { html: string }[] }[];
    }>;
    return (await run()).violations;
  });
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .map(({ html }) => html.slice(0, 120))
          .slice(0, 3)
          .join(' | ')}`,
    );
}

/** Each width and each scheme is judged once; pictures are taken of every pair. */
const views = [
  { width: 1280, scheme: 'light', judged: true },
  { width: 1280, scheme: 'dark', judged: false },
  { width: 390, scheme: 'light', judged: false },
  { width: 390, scheme: 'dark', judged: true },
] as const;
type View = (typeof views)[number];

async function expectWell(address: string, view: View, name: string, also?: (page: Page) => Promise<void>) {
  await using opened = await chromium.visit(address, view);
  const { page, complaints, requests } = opened;
  const { origin, searchParams } = new URL(page.url());
  expect(searchParams.has('token')).toBe(false);
  expect(requests.filter((to) => !to.startsWith(`${origin}/`) && !to.startsWith('data:'))).toEqual([]);
  expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  expect(await page.evaluate('window.hacked')).toBeUndefined();
  expect(complaints).toEqual([]);
  await also?.(page);
  await picture(page, `${name}-${view.width}-${view.scheme}`);
  // Asked last: its script comes through the debugger, and not by the page's own policy.
  if (view.judged) expect(await seriousProblems(page)).toEqual([]);
}

const nameOf = (path: string): string => (path === '/' ? 'overview' : path.slice(1).replaceAll('/', '-'));

describe.each(views)('the console at $width px in $scheme', (view) => {
  it.each(PAGES)(
    '%s opens without a complaint, asks nobody else, fits, and is accessible',
    { timeout: 60_000 },
    (path) => expectWell(at(path, scene.local), view, nameOf(path)),
  );

  it('shows a migration with its decision, and an incident with its trail', { timeout: 60_000 }, async () => {
    await expectWell(at(`/migrations/${scene.runId}`, scene.local), view, 'migration', async (page) => {
      const text = await page.evaluate('document.body.innerText');
      for (const part of ['Approve the cutover', 'Lag', 'Checks of the plan']) expect(text).toContain(part);
      expect(await page.$('svg.curve')).not.toBeNull();
    });
    await using list = await chromium.visit(at('/tickets', scene.local));
    const to = await list.page.$$eval('main td a', (links) =>
      links.find((link) => link.textContent === 'catalogue')?.getAttribute('href'),
    );
    await expectWell(at(to ?? '', scene.local), view, 'incident', async (page) => {
      expect(await page.evaluate('document.body.innerText')).toMatch(/open: done/);
    });
  });
});

describe.each([views[3]])('with nothing but words of others, at $width px in $scheme', (view) => {
  it.each(PAGES)('%s is inert, and fits', { timeout: 60_000 }, (path) =>
    expectWell(at(path), view, `hostile-${nameOf(path)}`),
  );
});

describe('the console', () => {
  it('takes in by itself what happens while it is open', { timeout: 60_000 }, async () => {
    await using opened = await chromium.visit(at('/functions/sweep-service-account-secrets'));
    await opened.page.waitForFunction("document.getElementById('live').textContent === 'live'");
    await local.machine.invoke('sweep-service-account-secrets', { why: 'seen while it was open' });
    await opened.page.waitForFunction("document.querySelector('main').textContent.includes('seen while it was open')", {
      timeout: 15_000,
    });
    expect(opened.complaints).toEqual([]);
  });

  it.each([true, false])(
    'runs a function by keyboard alone, with a script or without: %s',
    { timeout: 60_000 },
    async (script) => {
      await using opened = await chromium.visit(at('/functions/reconcile-alerts?kind=json'), { script });
      const { page } = opened;
      await page.focus('#event');
      await page.keyboard.down('Control');
      await page.keyboard.press('KeyA');
      await page.keyboard.up('Control');
      await page.keyboard.type(`{"projects": ["typed, ${script}"]}`);
      await page.keyboard.press('Tab');
      await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
      await vi.waitFor(
        () =>
          expect(eventsOf(local, 'reconcile-alerts').map(({ event }) => event)).toContainEqual({
            projects: [`typed, ${script}`],
            dryRun: true,
          }),
        { timeout: 15_000 },
      );
      expect(opened.complaints).toEqual([]);
    },
  );

  it('shows the report of the audit cut off from itself, and what changed', { timeout: 60_000 }, async () => {
    await using opened = await chromium.visit(at('/backups', scene.local));
    const { page } = opened;
    await page.$eval('iframe', (frame) => frame.scrollIntoView());
    const frame = await page.waitForFrame((each) => each.url().includes('/backups/report'));
    await frame.waitForSelector('h1', { timeout: 10_000 });
    expect(await frame.evaluate('self.origin')).toBe('null');
    expect(await page.evaluate('document.querySelector("main").innerText')).toMatch(/drafts/);
    expect(opened.complaints.filter((text) => !text.includes('sandbox'))).toEqual([]);
  });

  it('runs a function for real, and as a dry run, by a form of fields', { timeout: 60_000 }, async () => {
    await using opened = await chromium.visit(at('/functions/audit-snapshot-schedules?kind=audit', scene.local));
    const { page } = opened;
    await keepStill(page);
    await page.select('select[name="f.mode"]', 'full');
    await press(page, 'button[value="dry"]');
    const dryRuns = () =>
      scene.local.host.ledger
        .runs('audit-snapshot-schedules')
        .filter(({ result = '' }) => result.includes('"dryRun":true'));
    await vi.waitFor(() => expect(dryRuns()).toHaveLength(1), { timeout: 30_000 });
    await page.type('input[name="f.organization"]', 'not an id');
    await press(page, 'button[value="run"]');
    expect(await page.$eval('.wrong', (told) => told.textContent)).toContain('must be 24 hexadecimal digits');
    expect(await page.$eval('input[name="f.organization"]', (field) => field.value)).toBe('not an id');
    await picture(page, 'form-refused');
    expect(dryRuns()).toHaveLength(1);
    await page.$eval('input[name="f.organization"]', (field) => (field.value = ''));
    const before = scene.local.host.ledger.runs('audit-snapshot-schedules').length;
    await press(page, 'button[value="run"]');
    await vi.waitFor(
      () => {
        const [last] = scene.local.host.ledger.runs('audit-snapshot-schedules');
        expect(scene.local.host.ledger.runs('audit-snapshot-schedules')).toHaveLength(before + 1);
        expect(last?.result).toContain('"dryRun":false');
      },
      { timeout: 30_000 },
    );
  });

  it('approves a cutover as a named person, and not as the one who planned it', { timeout: 60_000 }, async () => {
    const { machine } = scene.local;
    const sent = () =>
      machine.faults.journal.filter(({ operation }) => operation === 'cutoverGroupLiveMigration').length;
    await using opened = await chromium.visit(at(`/migrations/${scene.runId}`, scene.local));
    const { page } = opened;
    const decide = async (name: string, button: string): Promise<string> => {
      await keepStill(page);
      await page.$eval('#by', (field) => (field.value = ''));
      await page.type('#by', name);
      for (const box of ['#stopped', '#inventory'])
        if (!(await page.$eval(box, (field) => field.checked))) await page.click(box);
      await press(page, button);
      return await page.$eval('main', (main) => main.innerText);
    };
    expect(await decide('ada', '.decide button[value="run"]')).toMatch(/Not taken/);
    await picture(page, 'cutover-refused');
    expect(sent()).toBe(0);
    expect(await decide('grace', '.decide button[value="dry"]')).toMatch(/nothing was sent/);
    expect(sent()).toBe(0);
    await page.goto(`${scene.local.consoleOrigin}/migrations/${scene.runId}`);
    expect(await decide('grace', '.decide button[value="run"]')).not.toMatch(/Not taken/);
    expect(sent()).toBe(1);
    // The page that was answered may be older than the news of it.
    await expect
      .poll(async () => {
        await page.reload();
        return page.$('.decide');
      })
      .toBeNull();
  });

  it('puts a message back that was given up', { timeout: 60_000 }, async () => {
    const { host, machine } = scene.local;
    const body = machine.alertQueue.messages[0]?.body ?? '{}';
    machine.alertDeadLetters.send({ body, group: 'g', deduplicationId: 'one' });
    const before = host.ledger.runs('deliver-tickets').length;
    await using opened = await chromium.visit(at('/queue', scene.local));
    const { page } = opened;
    await press(page, 'form[action="/queue/redrive"] button');
    await vi.waitFor(() => expect(host.ledger.runs('deliver-tickets').length).toBeGreaterThan(before), {
      timeout: 15_000,
    });
    expect(opened.complaints).toEqual([]);
  });

  it('shows nothing to a browser without the token', { timeout: 60_000 }, async () => {
    const stranger = await startChromium();
    try {
      await using opened = await stranger.visit(`${local.consoleOrigin}/`);
      expect(await opened.page.evaluate('document.body.textContent')).toContain('Open the address with the token');
    } finally {
      await stranger[Symbol.asyncDispose]();
    }
  });
});

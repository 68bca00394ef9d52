import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import axe from 'axe-core';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { LocalHost } from '../../infra/local/serve/local-host.ts';
import { eventsOf, startProbeHost, TOKEN } from '../infra/local/serve/probe-host.ts';
import { hostileNames } from '../support/any-audit-report.ts';
import { type Chromium, startChromium } from './chromium.ts';

const PAGES = [
  '/',
  '/functions',
  '/functions/deliver-tickets',
  '/secrets',
  '/backups',
  '/migrations',
  '/tickets',
  '/queue',
  '/events',
];

let chromium: Chromium;
let local: LocalHost;
beforeAll(async () => {
  [chromium, local] = await Promise.all([startChromium(), startProbeHost()]);
  // Nothing but words of others: what they could do, they could do on each of these pages.
  for (const [nth, name] of hostileNames.entries()) {
    local.machine.aws.events.putServiceEvent('aws.secretsmanager', name, { name });
    local.machine.alertDeadLetters.send({ body: name, group: name, deduplicationId: String(nth) });
    local.host.events.keep('deliver-tickets', { name }, name);
    await local.machine.invoke('deliver-tickets', { fail: true, why: name }).catch(() => {});
  }
}, 180_000);
afterAll(async () => {
  await local?.[Symbol.asyncDispose]();
  await chromium?.[Symbol.asyncDispose]();
});

const at = (path: string): string => `${local.consoleOrigin}${path}?token=${TOKEN}`;

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

const views = [
  { width: 1280, scheme: 'light' },
  { width: 390, scheme: 'dark' },
] as const;

describe.each(views)('the console at $width px in $scheme', (view) => {
  it.each(PAGES)(
    '%s opens without a complaint, asks nobody else, fits, and is accessible',
    { timeout: 60_000 },
    async (path) => {
      await using opened = await chromium.visit(at(path), view);
      const { page, complaints, requests } = opened;
      expect(new URL(page.url()).search).toBe('');
      expect(
        requests.filter((address) => !address.startsWith(`${local.consoleOrigin}/`) && !address.startsWith('data:')),
      ).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
      expect(await page.evaluate('window.hacked')).toBeUndefined();
      expect(complaints).toEqual([]);
      // Asked last: its script comes through the debugger, and not by the page's own policy.
      expect(await seriousProblems(page)).toEqual([]);
    },
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
      await using opened = await chromium.visit(at('/functions/reconcile-alerts'), { script });
      const { page } = opened;
      await page.focus('#event');
      await page.keyboard.down('Control');
      await page.keyboard.press('KeyA');
      await page.keyboard.up('Control');
      await page.keyboard.type(`{"why": "typed, ${script}"}`);
      await page.keyboard.press('Tab');
      await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
      await vi.waitFor(
        () =>
          expect(eventsOf(local, 'reconcile-alerts').map(({ event }) => event)).toContainEqual({
            why: `typed, ${script}`,
            dryRun: true,
          }),
        { timeout: 15_000 },
      );
      expect(opened.complaints).toEqual([]);
    },
  );

  it('shows the report of the audit cut off from itself', { timeout: 60_000 }, async () => {
    const client = new S3Client({ ...local.machine.sdk, forcePathStyle: true });
    const Body = `<!doctype html><title>report</title><p>the report</p><script>document.body.append(' of origin ' + self.origin)</script>`;
    const Key = 'audits/one/runs/two/report.html';
    await client.send(new PutObjectCommand({ Bucket: local.machine.reportBucket, Key, Body }));
    client.destroy();
    await using opened = await chromium.visit(at('/backups'));
    const frame = await opened.page.waitForFrame((each) => each.url().endsWith('/backups/report'));
    await frame.waitForFunction("document.body.textContent.includes('of origin null')", { timeout: 10_000 });
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

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columns, reach, shares, timeline } from '../../../lib/html/charts.ts';
import { html } from '../../../lib/html/markup.ts';
import { dataBlock, page } from '../../../lib/html/page.ts';
import { counted, duration, grouped, moment } from '../../../lib/html/time.ts';
import { allWords, shortened, spelledOut, words } from '../../../lib/html/untrusted.ts';
import { assertProperty } from '../../support/properties.ts';

describe('markup', () => {
  it('escapes every value and keeps other markup as it is', () => {
    expect(String(html`<b title="${`"'><`}">${html`<i>${'&'}</i>`}${['<', 1, undefined, false]}</b>`)).toBe(
      '<b title="&quot;&#39;&gt;&lt;"><i>&amp;</i>&lt;1</b>',
    );
  });

  it('is not made by something that only looks like it', () => {
    const forged = JSON.parse('{"toString":"<script>","text":"<script>"}') as string;
    expect(() => String(html`${forged}`)).toThrow();
  });

  it('holds no character from outside that could open a tag or end a quote', () => {
    assertProperty(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(String(html`${text}`)).not.toMatch(/[<>"']/);
      }),
    );
  });
});

describe('words from outside', () => {
  it('show what cannot be seen', () => {
    expect(spelledOut('prod\u202Egpj.exe\u0000\u2066\u{E0041}\uD800')).toBe(
      'prod[U+202E]gpj.exe[U+0000][U+2066][U+E0041][U+D800]',
    );
    expect(spelledOut('הפקה 👩‍👩‍👧 पारियोजना')).toBe('הפקה 👩‍👩‍👧 पारियोजना');
  });

  it('stand in their own direction, and are cut with all of them within reach', () => {
    expect(String(words('short'))).toBe('<bdi>short</bdi>');
    expect(String(words('x'.repeat(100), 10))).toBe(`<bdi title="${'x'.repeat(100)}">xxxxxxxxx…</bdi>`);
    expect(String(allWords('x'.repeat(10_000)))).toContain(`<bdi>${'x'.repeat(10_000)}</bdi></details>`);
    expect(String(words(' \t'))).toContain('blank');
  });

  it('are never cut within a character', () => {
    assertProperty(
      fc.property(
        fc.string({ unit: 'grapheme-composite', maxLength: 60 }),
        fc.integer({ min: 2, max: 30 }),
        (text, most) => {
          const short = shortened(text, most);
          expect(short.isWellFormed()).toBe(text.isWellFormed());
          expect([...short].length).toBeLessThanOrEqual(Math.max(most, [...text].length));
          if ([...text].length <= most) expect(short).toBe(text);
          else expect([...short]).toHaveLength(most);
        },
      ),
    );
  });
});

describe('a page', () => {
  const made = page({ title: '<t>', styles: ['a{}', 'b{}'], script: 'run()', body: html`<p>${'<'}</p>` });
  const hash = (text: string): string => createHash('sha256').update(text).digest('base64');

  it('allows its own style and script, and nothing else', () => {
    const [, policy = ''] = /Content-Security-Policy" content="([^"]+)"/.exec(made) ?? [];
    expect(policy.replaceAll('&#39;', "'").split('; ')).toEqual([
      "default-src 'none'",
      `style-src 'sha256-${hash('a{}\nb{}')}'`,
      `script-src 'sha256-${hash('run()')}'`,
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
    ]);
    expect(made).toContain('<title>&lt;t&gt;</title>');
  });

  it('refuses a style or script that would end its own element', () => {
    expect(() => page({ title: '', styles: ['</style>'], body: html`` })).toThrow('close its own element');
  });

  it('carries data that no parser takes for anything else', () => {
    assertProperty(
      fc.property(fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constant('</script><!--\u2028'))), (value) => {
        const block = String(dataBlock('d', value));
        const [, text = ''] = /^<script type="application\/json" id="d">(.*)<\/script>$/s.exec(block) ?? [];
        expect(text).not.toMatch(/[<>&]/);
        expect(JSON.parse(text)).toEqual(value);
      }),
    );
  });
});

describe('charts', () => {
  it('draw shares that add up to the whole, and nothing for nothing', () => {
    const drawn = String(
      shares([
        { tone: 'pass', value: 3, name: '' },
        { tone: 'warn', value: 0, name: '' },
        { tone: 'fail', value: 1, name: '' },
      ]),
    );
    expect([...drawn.matchAll(/fill-(\w+)" x="([\d.]+)%" width="([\d.]+)%/g)].map((found) => found.slice(1))).toEqual([
      ['pass', '0', '75'],
      ['fail', '75', '25'],
    ]);
    expect(String(shares([]))).not.toContain('NaN');
  });

  it('keep within their frame whatever they are given', () => {
    const instants = fc.integer({ min: -1_000, max: 2_000 });
    assertProperty(
      fc.property(fc.array(instants), fc.array(fc.record({ from: instants, to: instants })), (at, spans) => {
        const drawn = String(
          timeline({ from: 0, to: 1_000, marks: at.map((one) => ({ at: one, kind: 'completed' })), spans }),
        );
        for (const [, x = ''] of drawn.matchAll(/M(-?[\w.]+) /g)) expect(Number(x) >= 0 && Number(x) <= 500).toBe(true);
        for (const [, width = ''] of drawn.matchAll(/ width="([^"]+)"/g)) expect(Number(width)).toBeGreaterThan(0);
      }),
    );
    expect(String(reach(1e9, 336, 'fail', 1e9))).not.toMatch(/"1\d\d\.\d%/);
    expect(String(columns([], 'none'))).not.toContain('NaN');
  });
});

describe('times', () => {
  it.each([
    [-5, 'under 1 min'],
    [59, 'under 1 min'],
    [61, '1 min'],
    [3_600, '1 h'],
    [3 * 3_600 + 13 * 60, '3 h 13 min'],
    [47 * 3_600, '47 h'],
    [48 * 3_600, '2 d'],
    [75 * 3_600, '3 d 3 h'],
    [40 * 86_400, '40 d'],
  ])('%i s are %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  it('are told in UTC, counts with thousands', () => {
    expect(String(moment('2026-03-14T23:30:00-05:00'))).toBe(
      '<time datetime="2026-03-15T04:30:00.000Z">15 Mar 2026, 04:30 UTC</time>',
    );
    expect([grouped(999), grouped(1_000), counted(1, 'cluster'), counted(1_234_567, 'cluster')]).toEqual([
      '999',
      '1,000',
      '1 cluster',
      '1,234,567 clusters',
    ]);
  });
});

import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RotationProof } from '../../../infra/local/rotate-and-prove.ts';
import { createProgress } from '../../../infra/local/terminal/progress.ts';
import { summaryScreen } from '../../../infra/local/terminal/summary.ts';
import { safe, widthOf, wrapped } from '../../../infra/local/terminal/text.ts';
import { hostileNames } from '../../support/any-audit-report.ts';
import { assertProperty } from '../../support/properties.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

const proof: RotationProof = {
  secret: 'atlas/payments',
  account: 'mdb_sa_id_1',
  mode: 'self',
  scope: 'org',
  oldSecretId: 'a'.repeat(24),
  newSecretId: 'b'.repeat(24),
  overlapUntil: '2026-11-30T00:00:00Z',
  moved: true,
  newWorks: 'yes',
  oldWorks: 'yes',
  calls: { atlas: 9, aws: 19 },
  seconds: 0.4,
  problem: null,
};
const stop = { capability: 'live migration', did: ['one thing happened'], pages: [], problem: null, seconds: 1 };

const output = (isTTY: boolean) => {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 80 });
  let written = '';
  stream.on('data', (data: Buffer) => (written += data.toString()));
  return { stream: stream as unknown as WriteStream, written: () => written };
};

describe('words of others on a terminal', () => {
  it('move nothing, colour nothing and end no line', () => {
    assertProperty(
      fc.property(fc.oneof(fc.constantFrom(...hostileNames), fc.string({ unit: 'binary', maxLength: 300 })), (text) => {
        const shown = safe(text, 100);
        expect(shown).not.toMatch(CONTROL);
        expect(shown).not.toContain('\n');
        expect([...shown].length).toBeLessThanOrEqual(100);
      }),
    );
    expect(safe('\u001b[2J\u001b]0;owned\u0007name')).toBe('[U+001B][2J[U+001B]]0;owned[U+0007]name');
  });

  it('are broken into lines that fit', () => {
    assertProperty(
      fc.property(fc.string({ maxLength: 400 }), fc.integer({ min: 10, max: 90 }), (text, width) => {
        for (const line of wrapped(safe(text), width)) expect(widthOf(line)).toBeLessThanOrEqual(width);
      }),
    );
  });
});

describe('the last screen', () => {
  it.each([60, 80, 90, 100, 200])('fits %i columns whatever it has to say, and 100 at the most', (columns) => {
    for (const name of hostileNames) {
      const screen = summaryScreen({
        proofs: [proof, { ...proof, secret: name, problem: name, newWorks: 'no' }],
        stops: [stop, { ...stop, problem: name.repeat(3), did: [name] }],
        seconds: 12.34,
        columns,
        colours: true,
      });
      const plain = stripVTControlCharacters(screen);
      expect(plain).not.toMatch(CONTROL);
      const widest = Math.max(...plain.split('\n').map((line) => widthOf(line)));
      expect(widest, plain).toBeLessThanOrEqual(Math.min(100, columns));
    }
  });

  it('says the worst first, in plain words', () => {
    const screen = summaryScreen({
      proofs: [proof],
      stops: [stop, { ...stop, capability: 'snapshot-schedule audit', problem: 'there is no report' }],
      seconds: 1,
      colours: false,
    });
    const lines = screen.trim().split('\n');
    expect(lines[0]).toMatch(/^1 of 3 did not work +1\.0 s$/);
    expect(lines[2]).toMatch(/^FAILED Backups +there is no report/);
    expect(screen).toContain('npm run serve');
    expect(screen).not.toContain('\u001b');
  });
});

describe('progress', () => {
  const steps = async (stream: WriteStream, env: NodeJS.ProcessEnv): Promise<void> => {
    const { say, step } = await createProgress(stream, env);
    say('begin \u001b[31mred');
    await step(
      'Doing it',
      () => new Promise((resolve) => setTimeout(resolve, 200)),
      () => ({ text: 'done \u0007it', isWell: true }),
    );
    await step('Failing', async () => Promise.reject(new Error('no'))).catch(() => {});
  };

  it('is a line for each step, once it is true, where nobody watches', async () => {
    for (const { isTTY, env } of [
      { isTTY: false, env: {} },
      { isTTY: true, env: { TERM: 'dumb' } },
      { isTTY: true, env: { CI: 'true' } },
    ]) {
      const { stream, written } = output(isTTY);
      await steps(stream, env);
      expect(stripVTControlCharacters(written())).toMatch(
        /^begin \[U\+001B\]\[31mred\nok {5}done \[U\+0007\]it \(0\.\d s\)\nfailed Failing \(\d\.\d s\)\n$/,
      );
    }
  });

  it('moves while somebody watches, and has no colour where none is wanted', async () => {
    const { stream, written } = output(true);
    await steps(stream, { TERM: 'xterm' });
    expect(written()).toContain('Doing it');
    expect(stripVTControlCharacters(written())).toContain('done [U+0007]it');
    expect(written()).not.toContain('\u0007');
  });
});

import { describe, expect, it } from 'vitest';
import type { Reports } from '../../lib/aws/reports.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { deadlineIn } from '../../lib/runtime/deadline.ts';

const soon = () => deadlineIn(10_000, systemClock);

async function all(names: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const name of names) found.push(name);
  return found;
}

/** What Reports do, whatever they stand on: an empty bucket of their own. */
export function reportsContract(reports: () => Reports): void {
  describe('a report', () => {
    it('is read as it was put, as text or as bytes', async () => {
      const bytes = new Uint8Array([0, 255, 13, 10, 128]);
      await reports().put('read/text ü+&.html', '<p>ü\u{1F600}', 'text/html; charset=utf-8', soon());
      await reports().put('read/bytes', bytes, 'application/octet-stream', soon());
      const text = await reports().get('read/text ü+&.html', soon());
      expect(new TextDecoder().decode(text)).toBe('<p>ü\u{1F600}');
      expect(await reports().get('read/bytes', soon())).toEqual(bytes);
    });

    it('is the last one that was put', async () => {
      await reports().put('again', 'one', 'text/plain', soon());
      await reports().put('again', 'two', 'text/plain', soon());
      expect(new TextDecoder().decode(await reports().get('again', soon()))).toBe('two');
    });

    it('that is not there is undefined', async () => {
      expect(await reports().get('none', soon())).toBeUndefined();
    });
  });

  describe('a list', () => {
    it('has the names that begin so, in order, and no others', async () => {
      for (const name of ['list/b', 'list/a/2', 'list/a/1', 'lists', 'list']) {
        await reports().put(name, 'x', 'text/plain', soon());
      }
      expect(await all(reports().list('list/', soon()))).toEqual(['list/a/1', 'list/a/2', 'list/b']);
      expect(await all(reports().list('nothing/', soon()))).toEqual([]);
    });

    it('longer than a page is whole', async () => {
      const names = Array.from({ length: 1_005 }, (_, n) => `many/${String(n).padStart(4, '0')}`);
      for (let at = 0; at < names.length; at += 50) {
        await Promise.all(names.slice(at, at + 50).map((name) => reports().put(name, 'x', 'text/plain', soon())));
      }
      expect(await all(reports().list('many/', soon()))).toEqual(names);
    });
  });
}

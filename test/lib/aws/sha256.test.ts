import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Sha256 } from '../../../lib/aws/sha256.ts';
import { assertProperty } from '../../support/properties.ts';

const hex = async (made: Sha256, chunks: readonly Uint8Array[]): Promise<string> => {
  for (const chunk of chunks) made.update(chunk);
  return Buffer.from(await made.digest()).toString('hex');
};
const chunks = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 4 });

it('reckons as Node does, without a key', async () => {
  await assertProperty(
    fc.asyncProperty(chunks, async (data) => {
      expect(await hex(new Sha256(), data)).toBe(createHash('sha256').update(Buffer.concat(data)).digest('hex'));
    }),
  );
});

it('reckons as Node does, with a key of any shape, again and again', async () => {
  const secret = fc.oneof(
    fc.string({ unit: 'grapheme' }).map((text) => [text, Buffer.from(text)] as const),
    fc.uint8Array({ maxLength: 100 }).map((bytes) => [bytes, bytes] as const),
    fc.uint8Array({ maxLength: 100 }).map((bytes) => [Uint8Array.from(bytes).buffer, bytes] as const),
    // A part of something longer.
    fc.uint8Array({ minLength: 4, maxLength: 100 }).map((bytes) => [bytes.subarray(2), bytes.slice(2)] as const),
  );
  await assertProperty(
    fc.asyncProperty(secret, chunks, chunks, async ([given, bytes], one, other) => {
      for (const data of [one, other])
        expect(await hex(new Sha256(given), data)).toBe(
          createHmac('sha256', bytes).update(Buffer.concat(data)).digest('hex'),
        );
    }),
  );
});

it('begins anew after a reset', async () => {
  const made = new Sha256();
  made.update(Buffer.from('before'));
  made.reset();
  expect(await hex(made, [Buffer.from('a')])).toBe(createHash('sha256').update('a').digest('hex'));
});

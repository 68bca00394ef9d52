import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf, takeIn } from '../../../functions/bridge-alerts-to-tickets/intake.ts';
import { normalise } from '../../../functions/bridge-alerts-to-tickets/normalise.ts';
import { Observation } from '../../../functions/bridge-alerts-to-tickets/observation.ts';
import { parseUntrusted } from '../../../functions/bridge-alerts-to-tickets/safe-json.ts';
import { isSigned, keyringOf } from '../../../functions/bridge-alerts-to-tickets/signature.ts';
import { HttpEvent } from '../../../functions/bridge-alerts-to-tickets/webhook/contract.ts';
import { assertProperty } from '../../support/properties.ts';

const NOW = Date.parse('2030-01-01T12:00:00Z');
const DAY = 86_400_000;
const sign = (body: string | Uint8Array, key = 'k'): string => createHmac('sha1', key).update(body).digest('base64');
const read = (body: object, announced?: string) =>
  normalise(body, { announced, now: NOW, digest: 'd', via: 'webhook', staleMs: DAY });

describe('a signature', () => {
  it('is taken for its own bytes and key alone', () => {
    assertProperty(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), fc.string({ minLength: 1 }), (body, at, key) => {
        const signature = sign(body, key);
        expect(isSigned(body, signature, [key])).toBe(true);
        expect(isSigned(body, signature, ['other', key])).toBe(true);
        expect(isSigned(body, signature, [`${key}x`])).toBe(false);
        expect(isSigned(body, signature, [])).toBe(false);
        if (body.length === 0) return;
        const changed = Uint8Array.from(body);
        changed[at % body.length] = (changed[at % body.length] ?? 0) ^ 1;
        expect(isSigned(changed, signature, [key])).toBe(false);
      }),
    );
  });

  it('that is any other text is refused, and never thrown over', () => {
    assertProperty(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        expect(isSigned(Buffer.from('body'), text, ['k'])).toBe(text === sign('body'));
      }),
    );
  });

  it('has no key in a value that is none', () => {
    for (const value of [undefined, '', 'plain', '{}', '{"current":""}', '{"current":7}', '[]'])
      expect(keyringOf(value)).toEqual([]);
    expect(keyringOf('{"current":"a","previous":null}')).toEqual(['a']);
    expect(keyringOf('{"current":"a","previous":"b"}')).toEqual(['a', 'b']);
  });
});

describe('JSON from outside', () => {
  it('is read as JSON.parse reads it, where nothing is wrong with it', () => {
    assertProperty(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.boolean(), (value, spaced) => {
        const text = JSON.stringify(value, undefined, spaced ? 2 : 0);
        const result = parseUntrusted(text, 32);
        if ('unsafe' in result) expect(text).toMatch(/__proto__|constructor|prototype/);
        else expect(result.value).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ['{"a":1,"a":2}', 'key twice'],
    ['{"a":1,"\\u0061":2}', 'key twice'],
    ['{"b":[{"__proto__":1}]}', 'forbidden key'],
    ['[[[[1]]]]', 'too deep'],
    ['{"a":"', 'not json'],
    ['{a:1}', 'not json'],
    ['', 'not json'],
  ])('%s is refused: %s', (text, unsafe) => {
    expect(parseUntrusted(text, 3)).toEqual({ unsafe });
  });

  it('may have the same key in two objects, and braces in its texts', () => {
    expect(parseUntrusted('{"a":{"b":"}{\\"b\\":"},"c":{"b":1}}', 3)).toHaveProperty('value');
  });
});

describe('a request', () => {
  it('is measured before it is read', () => {
    const event = HttpEvent.parse({ body: 'x'.repeat(10) });
    expect(bytesOf(event, 9)).toBeUndefined();
    expect(bytesOf(event, 10)?.byteLength).toBe(10);
    expect(bytesOf(HttpEvent.parse({ body: 'ä'.repeat(6) }), 10)).toBeUndefined();
    expect(
      bytesOf(HttpEvent.parse({ body: Buffer.alloc(11).toString('base64'), isBase64Encoded: true }), 10),
    ).toBeUndefined();
  });

  it('finds its headers whatever their case', () => {
    const body = JSON.stringify({ id: 'a', status: 'OPEN' });
    const event = HttpEvent.parse({ body, headers: { 'X-MMS-Signature': sign(body) } });
    expect(takeIn(event, ['k'], NOW, DAY)).toMatchObject({ kind: 'taken', observation: { id: 'a', state: 'open' } });
  });
});

describe('a body', () => {
  const base = {
    id: 'a',
    groupId: 'g',
    eventTypeName: 'HOST_DOWN',
    status: 'OPEN',
    created: '2030-01-01T11:00:00Z',
    updated: '2030-01-01T11:30:00Z',
  };

  it.each([
    [{ ...base }, undefined, { state: 'open', version: { rank: 1 } }],
    [{ ...base, updated: base.created }, undefined, { state: 'open', version: { rank: 0 } }],
    [{ ...base, acknowledgedUntil: '2030-01-02T00:00:00Z' }, undefined, { state: 'open', version: { rank: 2 } }],
    [{ ...base, acknowledgedUntil: '2029-01-02T00:00:00Z' }, undefined, { state: 'open', version: { rank: 1 } }],
    [{ ...base, status: 'CLOSED' }, undefined, { state: 'closed', version: { rank: 3 } }],
    [
      { ...base, status: 'CLOSED', acknowledgedUntil: '2030-01-02T00:00:00Z' },
      'alert.acknowledge',
      { state: 'closed' },
    ],
    [{ ...base, status: 'CANCELLED' }, undefined, { state: 'cancelled' }],
    [{ ...base, status: undefined, resolved: '2030-01-01T11:40:00Z' }, undefined, { state: 'closed' }],
    [{ ...base, status: undefined }, 'alert.open', { state: 'unclear', doubt: 'unclear' }],
    [{ ...base, status: undefined }, 'alert.close', { state: 'unclear', doubt: 'contradicted' }],
    [base, 'alert.close', { state: 'open', doubt: 'contradicted' }],
    [{ ...base, status: 'CLOSED' }, 'alert.open', { state: 'closed', doubt: 'contradicted' }],
    [base, 'alert.inform', { state: 'open', doubt: 'inform' }],
    [{ ...base, eventTypeName: 'PRIMARY_ELECTED' }, undefined, { state: 'inform' }],
    [{ ...base, updated: '2029-12-01T00:00:00Z' }, undefined, { doubt: 'stale' }],
    [{ ...base, created: '2029-12-01T00:00:00Z' }, undefined, { state: 'open' }],
  ])('%o with the header %s is %o', (body, announced, expected) => {
    expect(read(body, announced)).toMatchObject(expected);
  });

  it('that only names an alert still counts, and never as old news', () => {
    expect(read({ id: 'a', status: 'OPEN' })).toMatchObject({
      state: 'open',
      version: { at: NOW },
      subject: { type: 'UNKNOWN' },
    });
    expect(read({ status: 'OPEN' })).toBeUndefined();
  });

  it('loses no alert over fields of the wrong kind', () => {
    assertProperty(
      fc.property(
        fc.dictionary(
          fc.constantFrom(...Object.keys(base), 'currentValue', 'clusterName', 'metricName'),
          // JSON.parse makes an infinity of 1e999, and a thousand times the largest number is one.
          fc.oneof(fc.jsonValue(), fc.double(), fc.constantFrom(-Number.MAX_VALUE, Number.POSITIVE_INFINITY)),
        ),
        (fields) => {
          const observation = read({ ...fields, id: 'a' });
          expect(observation).toMatchObject({ id: 'a' });
          // The way through the queue.
          expect(Observation.safeParse(JSON.parse(JSON.stringify(observation)))).toMatchObject({ success: true });
        },
      ),
      { numRuns: 500 },
    );
  });
});

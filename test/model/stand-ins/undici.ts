/** In the place of undici: one request over the wire, to the Atlas of the schedule that is being played. */
import { theWire } from '../wire.ts';
import type { ModelSignal } from './time.ts';

export class Agent {}

/** A handful of addresses are asked for all the time, and to take one apart is slow. */
const addresses = new Map<string, URL>();

function addressOf(href: string): URL {
  const url = addresses.get(href) ?? new URL(href);
  if (addresses.size > 5_000) addresses.clear();
  addresses.set(href, url);
  return url;
}

interface Options {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: ModelSignal;
}

export async function request(href: string, { method, headers, body, signal }: Options) {
  signal?.throwIfAborted();
  const wire = theWire();
  const outcome = await wire.meet(wire.atlas(method, addressOf(href), headers, body ?? ''));
  if (outcome.kind === 'silence') throw Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' });
  const { status, headers: answered, text } = outcome.value;
  return { statusCode: status, headers: answered, body: { text: async () => text } };
}

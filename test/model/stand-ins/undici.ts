/** In the place of undici: one request over the wire, to the Atlas of the schedule that is being played. */
import { theWire } from '../wire.ts';
import type { ModelSignal } from './time.ts';

export class Agent {}

interface Options {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: ModelSignal;
}

export async function request(href: string, { method, headers, body, signal }: Options) {
  signal?.throwIfAborted();
  const wire = theWire();
  const outcome = await wire.meet(wire.atlas(method, new URL(href), headers, body ?? ''));
  if (outcome.kind === 'silence') throw Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' });
  const { status, headers: answered, text } = outcome.value;
  return { statusCode: status, headers: answered, body: { text: async () => text } };
}

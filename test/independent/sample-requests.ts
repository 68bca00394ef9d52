import type { Operation } from '../../lib/atlas/operations/define.ts';
import { byHand } from '../lib/atlas/operations/every-operation.ts';
import { inputSchemaOf, samplesOf } from '../lib/atlas/operations/schema-samples.ts';

export interface SampleRequest {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/** Requests that an operation takes: those said by hand, and those made from its schemas. */
export function sampleRequests(op: Operation): SampleRequest[] {
  const [params] = samplesOf(inputSchemaOf(op.params)).filter((one) => op.params.safeParse(one).success);
  const [queries, bodies] = (['query', 'body'] as const).map((part) => {
    const schema = op[part];
    if (!schema) return [undefined];
    const said = (byHand.samples[op.id] ?? []).flatMap((sample) => sample[part] ?? []);
    return [...said, ...samplesOf(inputSchemaOf(schema))].filter((one) => schema.safeParse(one).success);
  }) as [unknown[], unknown[]];
  return Array.from({ length: Math.max(queries.length, bodies.length) }, (_, at) => ({
    params,
    query: queries[at % queries.length],
    body: bodies[at % bodies.length],
  }));
}

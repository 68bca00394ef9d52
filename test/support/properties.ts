import fc from 'fast-check';

const times = Number(process.env['PROPERTY_TIMES'] ?? 1);
const seed = process.env['PROPERTY_SEED'] ?? (times > 1 ? undefined : 1);

/**
 * `fc.assert` with the same examples in every run, so that a failure is about what was changed. With `PROPERTY_TIMES=50` it
 * takes fifty times as many, and others each time; a failure prints its seed, to be had again as `PROPERTY_SEED`.
 */
export function assertProperty<Values>(
  property: fc.IAsyncProperty<Values>,
  parameters?: fc.Parameters<Values>,
): Promise<void>;
export function assertProperty<Values>(property: fc.IProperty<Values>, parameters?: fc.Parameters<Values>): void;
export function assertProperty<Values>(
  property: fc.IRawProperty<Values>,
  parameters: fc.Parameters<Values> = {},
): void | Promise<void> {
  return fc.assert(property, {
    ...(seed !== undefined && { seed: Number(seed) }),
    ...parameters,
    numRuns: (parameters.numRuns ?? 100) * times,
  });
}

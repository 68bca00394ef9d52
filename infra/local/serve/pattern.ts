import * as z from 'zod';

const Plain = z.union([z.string(), z.number(), z.boolean(), z.null()]);
/** The content filters that are understood here. One more in the stack fails the start, rather than match nothing. */
const Filter = z.union([
  z.strictObject({ prefix: z.string() }).transform(
    ({ prefix }) =>
      (value: unknown) =>
        typeof value === 'string' && value.startsWith(prefix),
  ),
  z.strictObject({ suffix: z.string() }).transform(
    ({ suffix }) =>
      (value: unknown) =>
        typeof value === 'string' && value.endsWith(suffix),
  ),
  z.strictObject({ exists: z.boolean() }).transform(
    ({ exists }) =>
      (value: unknown) =>
        (value !== undefined) === exists,
  ),
  z.strictObject({ 'anything-but': z.union([Plain, z.array(Plain)]) }).transform(
    ({ 'anything-but': but }) =>
      (value: unknown) =>
        value !== undefined && ![but].flat().some((one) => one === value),
  ),
  Plain.transform((plain) => (value: unknown) => value === plain),
]);

type Test = (value: unknown) => boolean;

interface Node {
  readonly [key: string]: Node | readonly Test[];
}

const NodeOf: z.ZodType<Node> = z.record(z.string(), z.union([z.array(Filter).min(1), z.lazy(() => NodeOf)]));

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const isTests = (node: Node | readonly Test[]): node is readonly Test[] => Array.isArray(node);

function holds(node: Node, value: unknown): boolean {
  return Object.entries(node).every(([key, below]) => {
    const found = isObject(value) ? value[key] : undefined;
    if (!isTests(below)) return holds(below, found);
    // A list in an event matches where one of its members does.
    const candidates: readonly unknown[] = Array.isArray(found) ? found : [found];
    return candidates.some((candidate) => below.some((test) => test(candidate)));
  });
}

/**
 * An EventBridge event pattern. Throws where it holds a filter that is not understood here.
 * Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
 */
export function matcherOf(pattern: unknown): (event: object) => boolean {
  const node = NodeOf.parse(pattern);
  return (event) => holds(node, event);
}

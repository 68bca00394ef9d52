import * as z from 'zod';
import type { Operation } from '../../../lib/atlas/operations/define.ts';

/** One option of the command line, made from a field of an operation's path or query. */
export interface CommandOption {
  /** As it is typed: `--group-id`. */
  readonly flag: string;
  /** As Atlas calls it: `groupId`. */
  readonly field: string;
  readonly part: 'params' | 'query';
  readonly type: 'string' | 'number' | 'boolean' | 'array';
  readonly required: boolean;
  readonly description: string;
  readonly choices: readonly string[] | undefined;
}

const FieldSchema = z.looseObject({
  type: z.string().optional(),
  description: z.string().optional(),
  enum: z.array(z.string()).optional(),
  examples: z.array(z.string()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  pattern: z.string().optional(),
});
const PartSchema = z.looseObject({
  properties: z.record(z.string(), z.unknown()).default({}),
  required: z.array(z.string()).default([]),
});

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The options of one operation, from the very schemas that check them. */
export function optionsOf(op: Operation): CommandOption[] {
  return [...optionsIn('params', op.params), ...(op.query ? optionsIn('query', op.query) : [])];
}

function optionsIn(part: 'params' | 'query', schema: z.ZodType): CommandOption[] {
  const { properties, required } = PartSchema.parse(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  return Object.entries(properties).map(([field, raw]) => {
    const { type, description, enum: choices, examples, minimum, maximum } = FieldSchema.parse(raw);
    const range =
      maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : `${minimum ?? 0} to ${maximum}`;
    const words = [description ?? sentenceFor(field), range, examples && `for example ${examples.join(', ')}`];
    return {
      flag: kebab(field),
      field,
      part,
      type:
        type === 'integer' || type === 'number' ? 'number' : type === 'boolean' || type === 'array' ? type : 'string',
      required: required.includes(field),
      description: words.filter((word) => word !== undefined).join('; '),
      choices,
    };
  });
}

/** What a field is, where its schema has no words for it: `clusterName` is a cluster name. */
const sentenceFor = (field: string): string => kebab(field).replaceAll('-', ' ');

/** Whether an operation answers page by page. */
export const isList = (op: Operation): boolean => op.response instanceof z.ZodObject && 'results' in op.response.shape;

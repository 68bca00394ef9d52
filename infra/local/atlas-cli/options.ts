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
  const fields = fieldsOf(schema);
  return Object.entries(properties).map(([field, raw]) => {
    const { type, description, enum: choices, examples, minimum, maximum } = FieldSchema.parse(raw);
    const range =
      maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : `${minimum ?? 0} to ${maximum}`;
    const told = described(fields[field]) ?? description ?? sentenceFor(field);
    const words = [told, range, examples && `for example ${examples.join(', ')}`];
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

/** What a schema stands around: an optional, a default or a pipe around what it takes in. */
function inside(schema: unknown): readonly unknown[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return [schema.def.innerType];
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return [schema.def.innerType];
  if (schema instanceof z.ZodCatch || schema instanceof z.ZodReadonly) return [schema.def.innerType];
  if (schema instanceof z.ZodPipe) return [schema.def.in, schema.def.out];
  if (schema instanceof z.ZodUnion) return schema.def.options;
  return [];
}

const fieldsOf = (schema: unknown): Readonly<Record<string, unknown>> =>
  schema instanceof z.ZodObject
    ? schema.shape
    : Object.fromEntries(inside(schema).flatMap((part) => Object.entries(fieldsOf(part))));

/** The words a schema was given, wherever they stand: JSON Schema leaves out those of a transform or a union. */
function described(schema: unknown): string | undefined {
  if (!(schema instanceof z.ZodType)) return undefined;
  return (
    schema.description ??
    inside(schema)
      .map(described)
      .find((words) => words !== undefined)
  );
}

/** What a field is, where its schema has no words for it: `clusterName` is a cluster name. */
const sentenceFor = (field: string): string => kebab(field).replaceAll('-', ' ');

/** Whether an operation answers page by page. */
export const isList = (op: Operation): boolean => op.response instanceof z.ZodObject && 'results' in op.response.shape;

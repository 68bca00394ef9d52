import * as z from 'zod';

/** A JSON Schema, as far as samples are made from it. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly allOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly discriminator?: { readonly mapping?: Readonly<Record<string, string>> };
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly minItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

export type Resolve = (ref: string) => JsonSchema;
type JsonObject = Record<string, unknown>;

/** What a caller gives, as JSON Schema; a Date is a string of the format `Date`. */
export const inputSchemaOf = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema._zod.def.type === 'date') Object.assign(jsonSchema, { type: 'string', format: 'Date' });
    },
  }) as JsonSchema;

const nowhere: Resolve = (ref) => {
  throw new Error(`nothing to resolve ${ref} with`);
};

const isNull = (schema: JsonSchema): boolean => schema.type === 'null';

/**
 * The plain alternatives of a schema: references followed, parts merged, choices told apart, by a discriminator too.
 * Null is no alternative, and a parent met again through its child has nothing to add.
 */
export function alternatives(
  schema: JsonSchema,
  resolve: Resolve = nowhere,
  seen: readonly string[] = [],
): JsonSchema[] {
  if (schema.$ref !== undefined) {
    return seen.includes(schema.$ref) ? [{}] : alternatives(resolve(schema.$ref), resolve, [...seen, schema.$ref]);
  }
  const { allOf = [], anyOf, oneOf, discriminator, ...own } = schema;
  const mapped = [...new Set(Object.values(discriminator?.mapping ?? {}))].map(($ref) => ({ $ref }));
  const parts: JsonSchema[][] = [[own], ...allOf.map((part) => alternatives(part, resolve, seen))];
  for (const choice of [anyOf, oneOf, anyOf || oneOf || mapped.length === 0 ? undefined : mapped]) {
    if (choice) parts.push(choice.filter((one) => !isNull(one)).flatMap((one) => alternatives(one, resolve, seen)));
  }
  return parts.reduce((merged, part) => merged.flatMap((left) => part.map((right) => merge(left, right))));
}

function merge(left: JsonSchema, right: JsonSchema): JsonSchema {
  return {
    ...left,
    ...right,
    ...((left.properties || right.properties) && { properties: { ...left.properties, ...right.properties } }),
    ...((left.required || right.required) && { required: [...(left.required ?? []), ...(right.required ?? [])] }),
  };
}

const id = '0123456789abcdef01234567';
const texts = [
  'name',
  id,
  `mdb_sa_id_${id}`,
  '203.0.113.7',
  '10.0.0.0/21',
  '8.0.29',
  'database.collection',
  'someone@example.com',
  'https://example.com/hook',
  '2026-01-02T03:04:05Z',
  '01234567-89ab-cdef-0123-456789abcdef',
  'vpc-0123456789abcdef0',
  'vpce-0123456789abcdef0',
  '123456789012',
  'arn:aws:iam::123456789012:role/name',
  'US_EAST_1',
  'us-east-1',
];
const formats: Readonly<Record<string, unknown>> = {
  Date: new Date('2026-01-02T03:04:05Z'),
  'date-time': '2026-01-02T03:04:05Z',
  date: '2026-01-02',
  email: 'someone@example.com',
  ipv4: '203.0.113.7',
  ipv6: '2001:db8::1',
  cidrv4: '10.0.0.0/21',
  cidrv6: '2001:db8::/32',
  uuid: '01234567-89ab-cdef-0123-456789abcdef',
  uri: 'https://example.com/hook',
};

/** Text that only fits under its name: every provider has regions of its own. */
const named: Readonly<Record<string, string>> = { region: 'EUROPE_NORTH', regions: 'CENTRAL_US' };

function textOf({ format = '', pattern, minLength = 0 }: JsonSchema, name: string): unknown {
  if (format in formats) return formats[format];
  if (pattern !== undefined && named[name] !== undefined) return named[name];
  const fits = (text: string): boolean =>
    text.length >= minLength && (pattern === undefined || new RegExp(pattern, 'u').test(text));
  return texts.find(fits) ?? 'name'.padEnd(minLength, 'x');
}

/**
 * Values a schema takes: everything it offers, then only what it requires, then everything again with each other
 * choice of each part. Always the same ones. What a schema can't say in JSON Schema, its caller has to filter out.
 */
export function samplesOf(schema: JsonSchema, resolve: Resolve = nowhere, depth = 0, name = ''): unknown[] {
  if (depth > 8) return [];
  return alternatives(schema, resolve).flatMap((one): unknown[] => {
    if ('const' in one) return [one.const];
    if (one.enum) return one.enum.length > 40 ? [...one.enum.slice(0, 3), ...one.enum.slice(-2)] : [...one.enum];
    if (one.type === 'string') return [textOf(one, name)];
    if (one.type === 'integer' || one.type === 'number') {
      const { minimum = 1, maximum = minimum } = one;
      const safe = (value: number): number => (Math.abs(value) >= Number.MAX_SAFE_INTEGER ? 1 : value);
      return [...new Set([safe(minimum), safe(maximum)])];
    }
    if (one.type === 'boolean') return [true, false];
    if (one.type === 'array') {
      const items = one.items ? samplesOf(one.items, resolve, depth + 1, name) : ['name'];
      const least = Array.from({ length: one.minItems ?? 0 }, () => items[0]);
      return [...items.slice(0, 12).map((item) => [item]), ...(least.length === 1 ? [] : [least])];
    }
    if (one.type === 'object' || one.properties) return objectsOf(one, resolve, depth);
    return ['name'];
  });
}

function objectsOf(schema: JsonSchema, resolve: Resolve, depth: number): JsonObject[] {
  const { properties = {}, required = [], additionalProperties } = schema;
  const values = Object.entries(properties).flatMap(([name, property]) => {
    const samples = samplesOf(property, resolve, depth + 1, name);
    return samples.length > 0 ? [{ name, samples }] : [];
  });
  const full: JsonObject = Object.fromEntries(values.map(({ name, samples }) => [name, samples[0]]));
  if (values.length === 0 && typeof additionalProperties === 'object') {
    const [value] = samplesOf(additionalProperties, resolve, depth + 1);
    return [{ key: value ?? 'name' }];
  }
  const least: JsonObject = Object.fromEntries(Object.entries(full).filter(([name]) => required.includes(name)));
  const others = values.flatMap(({ name, samples }) => samples.slice(1).map((sample) => ({ ...full, [name]: sample })));
  const alone = values
    .filter(({ name }) => !required.includes(name))
    .map(({ name, samples }) => ({ ...least, [name]: samples[0] }));
  return [full, least, ...alone, ...others];
}

/** Where things are in what a schema takes, as `results[].id`; what is required there, apart. */
export function pathsOf(schema: JsonSchema, resolve: Resolve = nowhere): { all: Set<string>; required: Set<string> } {
  const all = new Set<string>();
  const required = new Set<string>();
  const walk = (part: JsonSchema, at: string, depth: number): void => {
    if (depth > 8) return;
    for (const one of alternatives(part, resolve)) {
      if (one.items) walk(one.items, `${at}[]`, depth + 1);
      for (const [name, property] of Object.entries(one.properties ?? {})) {
        const below = at === '' ? name : `${at}.${name}`;
        all.add(below);
        if (one.required?.includes(name)) required.add(below);
        walk(property, below, depth + 1);
      }
    }
  };
  walk(schema, '', 0);
  return { all, required };
}

/** The same for a value. */
export function pathsIn(value: unknown, at = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => pathsIn(item, `${at}[]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, part]) => {
    const below = at === '' ? name : `${at}.${name}`;
    return [below, ...pathsIn(part, below)];
  });
}

/** Copies of a value, each with one of its attributes null; and where that is. */
export function* withNulls(value: unknown, at = ''): Generator<{ at: string; value: unknown }> {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      for (const part of withNulls(item, `${at}[]`)) yield { at: part.at, value: value.with(index, part.value) };
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value)) {
      const below = at === '' ? name : `${at}.${name}`;
      yield { at: below, value: { ...value, [name]: null } };
      for (const part of withNulls(item, below)) yield { at: part.at, value: { ...value, [name]: part.value } };
    }
  }
}

/** Whether a value has the place for something, and not the thing. */
export function lacks(value: unknown, at: string): boolean {
  const [first = '', ...rest] = at.split(/\.|(?=\[\])/).filter((part) => part !== '');
  const below = rest.join('.').replaceAll('.[]', '[]');
  if (first === '[]') return Array.isArray(value) && value.some((item) => lacks(item, below));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const part: unknown = Reflect.get(value, first);
  return rest.length === 0 ? part === undefined || part === null : lacks(part, below);
}

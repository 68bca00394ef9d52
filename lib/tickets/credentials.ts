import type * as z from 'zod';
import { ConfigError } from '../errors.ts';
import type { Deadline } from '../runtime/deadline.ts';
import { parseJson } from '../runtime/json.ts';
import { once } from '../runtime/once.ts';

type Read = (secret: string, deadline: Deadline) => Promise<string>;

/**
 * Headers made of a secret, kept until they are refused. `text`: the secret is the value itself. Throws ConfigError for
 * a secret of another shape, without its value.
 */
export const authorization = (
  read: Read,
  secret: string,
  toHeaders: (value: string) => Record<string, string>,
): ((deadline: Deadline, again: boolean) => Promise<Record<string, string>>) => {
  let holder: Deadline | undefined;
  let get = reading();
  function reading() {
    return once(async () => {
      if (!holder) throw new TypeError('a secret is read within a deadline');
      return toHeaders(await read(secret, holder));
    });
  }
  return (deadline, again) => {
    holder = deadline;
    if (again) get = reading();
    return get();
  };
};

/** A secret that is JSON of one of a few shapes. */
export function secretJson<Schema extends z.ZodType>(schema: Schema, secret: string, value: string): z.output<Schema> {
  const parsed = schema.safeParse(parseJson(value));
  if (parsed.success) return parsed.data;
  throw new ConfigError(`The secret ${secret} does not hold what its ticket system needs`, [
    { path: secret, problem: 'does not hold the fields that the settings describe' },
  ]);
}

/** A secret that is the value itself; white space around it is a slip of whoever stored it. */
export function secretText(secret: string, value: string): string {
  const text = value.trim();
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new ConfigError(`The secret ${secret} does not hold a token`, [{ path: secret, problem: 'is not one word' }]);
}

export const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

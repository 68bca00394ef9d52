import { ArnFormat, type Stack } from 'aws-cdk-lib';
import * as z from 'zod';

const NAME = /^[\w/+=.@-]{1,512}$/;
/** Secrets Manager ends the name in every ARN with a hyphen and six characters of its own choice. */
const COMPLETE_ARN = /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:([\w/+=.@-]{1,512})-[A-Za-z0-9]{6}$/;

/**
 * A secret as the settings name it: by its name or by its complete ARN. Wildcards are refused, because what stands
 * here becomes a resource in a policy.
 */
export const SecretReference = z.string().transform((text, context) => {
  const name = COMPLETE_ARN.exec(text)?.[1];
  if (name !== undefined) return { id: text, name, arn: text };
  if (NAME.test(text)) return { id: text, name: text };
  context.addIssue({ code: 'custom', message: 'must be the name or the complete ARN of a Secrets Manager secret' });
  return z.NEVER;
});
export interface SecretReference {
  /** What Secrets Manager's own API takes. */
  readonly id: string;
  readonly name: string;
  readonly arn?: string;
}

/**
 * The ARN for policies. A name alone leaves the last six characters open; they are the only ones, so the pattern fits
 * this secret, and a later one of the same name, and no other.
 */
export const arnOf = (stack: Stack, { name, arn }: SecretReference): string =>
  arn ??
  stack.formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: `${name}-??????`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });

/** What the ARN starts with, for event patterns, which know prefixes but not single characters. */
export const arnPrefixOf = (stack: Stack, reference: SecretReference): string =>
  reference.arn ?? arnOf(stack, reference).replace(/\?{6}$/, '');

/**
 * One pattern for the ARNs of many secrets: what their names have in common at the beginning. It may fit other secrets,
 * too: what a permission with it lets in, the function's own role still has to be allowed to touch.
 */
export function commonArn(stack: Stack, secrets: readonly SecretReference[]): string {
  const [first = '', ...others] = secrets.map(({ name }) => name);
  let length = first.length;
  for (const name of others) while (!name.startsWith(first.slice(0, length))) length--;
  return stack.formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: `${first.slice(0, length)}*`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

/** Characters an event pattern may have, less what is around the list of secrets. */
const PATTERN_CHARACTERS = 2_048 - 300;
/** An ARN up to the name, in the longest of partitions and regions, and what one entry adds around it. */
const AROUND_NAME =
  'arn:aws-us-gov:secretsmanager:ap-southeast-99:111122223333:secret:'.length + '{"prefix":"-"},'.length;

/** The secrets in lots whose names fit into one event pattern, in an order that does not depend on the settings'. */
export function inPatterns(secrets: readonly SecretReference[]): SecretReference[][] {
  const lots: SecretReference[][] = [];
  let left = 0;
  for (const secret of secrets.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const size = AROUND_NAME + secret.name.length;
    const lot = lots.at(-1);
    if (lot && size <= left) lot.push(secret);
    else {
      lots.push([secret]);
      left = PATTERN_CHARACTERS;
    }
    left -= size;
  }
  return lots;
}

import * as z from 'zod';
import { parseJson } from '../../../../lib/runtime/json.ts';
import type { Secret } from '../../aws/secrets-manager/secret.ts';

const Value = z.object({
  clientId: z.string().optional(),
  createdAt: z.iso.datetime({ offset: true }).optional(),
  expiresAt: z.iso.datetime({ offset: true }).optional(),
});

export interface SecretView {
  readonly name: string;
  readonly isManaged: boolean;
  readonly clientId: string | undefined;
  readonly createdAt: Date | undefined;
  readonly expiresAt: Date | undefined;
  /** When the value before this one ended, or ends, by itself; it is retired earlier. */
  readonly previousExpiresAt: Date | undefined;
  /** A new value waits to become the current one. */
  readonly pending: boolean;
  readonly changedAt: Date;
  readonly nextRotation: Date | undefined;
}

/** What the pages show of an account: what is public of it, and never the value itself. */
export function secretView({ name, labels, versions, changedAt, rotation }: Secret, isManaged: boolean): SecretView {
  const labelled = (label: string) =>
    Value.safeParse(parseJson(versions.find(({ id }) => id === labels[label])?.text ?? '')).data;
  const dateOf = (text: string | undefined): Date | undefined => (text === undefined ? undefined : new Date(text));
  const current = labelled('AWSCURRENT');
  const previous = labelled('AWSPREVIOUS');
  const pending = labels['AWSPENDING'];
  return {
    name,
    isManaged,
    clientId: current?.clientId,
    createdAt: dateOf(current?.createdAt),
    expiresAt: dateOf(current?.expiresAt),
    previousExpiresAt: dateOf(previous?.expiresAt),
    pending: pending !== undefined && pending !== labels['AWSCURRENT'],
    changedAt: new Date(changedAt),
    nextRotation: dateOf(rotation?.nextAt === undefined ? undefined : new Date(rotation.nextAt).toISOString()),
  };
}

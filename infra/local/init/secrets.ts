import { randomBytes } from 'node:crypto';
import { accountsOf } from './accounts.ts';
import { type Answers, TICKET_SECRET, WEBHOOK_SECRET } from './answers.ts';
import { awsStore, folderStore, type SecretStore } from './secret-stores.ts';

/** The values that stand in the environment, by the names of their secrets. */
export function secretsFrom(
  answers: Answers,
  variables: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  const { MONGODB_ATLAS_CLIENT_ID: clientId, MONGODB_ATLAS_CLIENT_SECRET: clientSecret } = variables;
  if (clientId && clientSecret)
    for (const { secret } of accountsOf(answers)) values.set(secret, JSON.stringify({ clientId, clientSecret }));
  if (answers.ticketSystem !== undefined && variables['TICKETS_SECRET'])
    values.set(TICKET_SECRET, variables['TICKETS_SECRET']);
  return values;
}

/** The names of every secret these settings speak of, and what each has to hold. */
function needed(answers: Answers): readonly (readonly [name: string, holds: string])[] {
  return [
    ...accountsOf(answers).map(({ secret, role }) => [secret, `{"clientId", "clientSecret"}, ${role}`] as const),
    ...answers.rotate.map(
      (name) => [name, '{"clientId", "clientSecret", "orgId" or "groupId"} of the account to rotate'] as const,
    ),
    ...(answers.ticketSystem === undefined
      ? []
      : ([[TICKET_SECRET, `what ${answers.ticketSystem} takes for a token`]] as const)),
    ...(answers.capabilities.includes('tickets')
      ? ([[WEBHOOK_SECRET, '{"current": "…"}, what Atlas signs its webhooks with']] as const)
      : []),
  ];
}

/**
 * Creates the secrets there is a value for, in the store the answers name, and says in a line each what was done and what
 * is left to do; never a value. A secret that is there already stays as it is.
 */
export async function storeSecrets(
  answers: Answers,
  values: ReadonlyMap<string, string>,
  folder: string,
  open: (where: 'aws' | 'folder') => Promise<SecretStore> = async (where) =>
    where === 'aws' ? awsStore(answers.region) : folderStore(folder),
): Promise<string[]> {
  const all = needed(answers);
  if (answers.secretsIn === 'later') return all.map(([name, holds]) => `To make: ${name}: ${holds}`);
  await using store = await open(answers.secretsIn);
  const lines: string[] = [];
  for (const [name, holds] of all) {
    // Nobody has to think of this one: it is read from the store when it is put into Atlas.
    const value =
      values.get(name) ??
      (name === WEBHOOK_SECRET ? JSON.stringify({ current: randomBytes(24).toString('base64url') }) : undefined);
    if (value === undefined) lines.push(`To make: ${name}: ${holds}`);
    else if ((await store.create(name, value)) === 'there') lines.push(`Left as it is: ${name}, in ${store.where}`);
    else lines.push(`Stored: ${name}, in ${store.where}`);
  }
  return lines;
}

import * as z from 'zod';
import { AwsCallFailed } from '../../../lib/aws/errors.ts';
import type { SecretDescription, SecretsManager } from '../../../lib/aws/secrets-manager.ts';
import { AutomationError } from '../../../lib/errors.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';
import { parseJson } from '../../../lib/runtime/json.ts';
import { secretsOf } from '../../../lib/tickets/destination.ts';
import type { Settings } from '../../settings.ts';
import { safe } from '../terminal/text.ts';
import type { Finding } from './finding.ts';

/** What of Secrets Manager is used: nothing that writes. */
export type SecretReader = Pick<SecretsManager, 'describe' | 'read'>;

const PATIENCE_MS = 15_000;
const AT_A_TIME = 4;

/** What a secret of these settings is for. */
export type Purpose = 'account' | 'rotated' | 'administrator' | 'tracker' | 'webhook' | 'source';

/** Every secret the settings name, once, with what it is for. */
export function secretsIn({ atlas, rotation, tickets, webhooks, migration }: Settings): ReadonlyMap<string, Purpose> {
  const found = new Map<string, Purpose>();
  const add = (name: string | undefined, purpose: Purpose): void => {
    if (name !== undefined && !found.has(name)) found.set(name, purpose);
  };
  for (const each of Object.values(atlas.credentials)) add(each?.secret, 'account');
  for (const { secret, adminSecret } of rotation.secrets) {
    add(secret, 'rotated');
    add(adminSecret, 'administrator');
  }
  for (const destination of tickets.destinations) for (const name of secretsOf(destination)) add(name, 'tracker');
  add(webhooks.atlas?.secret, 'webhook');
  for (const { secret } of migration.sourceSecrets) add(secret, 'source');
  return found;
}

const Account = z.union([
  z.object({ clientId: z.string(), clientSecret: z.string() }),
  z.object({ publicKey: z.string(), privateKey: z.string() }),
]);
const Rotated = z
  .object({
    clientId: z.string(),
    clientSecret: z.string(),
    orgId: z.string().optional(),
    groupId: z.string().optional(),
  })
  .refine(({ orgId, groupId }) => orgId !== undefined || groupId !== undefined);

/** What its value has to be; undefined where that is judged elsewhere, or is no JSON. */
const SHAPES: Readonly<Partial<Record<Purpose, { readonly schema: z.ZodType; readonly words: string }>>> = {
  account: { schema: Account, words: '{"clientId", "clientSecret"} or {"publicKey", "privateKey"}' },
  administrator: { schema: Account, words: '{"clientId", "clientSecret"}' },
  rotated: { schema: Rotated, words: '{"clientId", "clientSecret", "orgId" or "groupId"}' },
  webhook: { schema: z.object({ current: z.string().min(1) }), words: '{"current": "…"}' },
};

/** There is no way into AWS from here at all. */
const isWithoutAws = (error: unknown): boolean =>
  error instanceof AwsCallFailed && ['CredentialsProviderError', 'TokenProviderError'].includes(error.error);

/**
 * Whether every secret the settings name is there, can be read from here, and holds what it has to. Values are judged and
 * shown to nobody.
 */
export async function checkSecrets(settings: Settings, manager: SecretReader): Promise<Finding[]> {
  const names = [...secretsIn(settings)];
  const findings: Finding[] = [];
  const [first, ...rest] = names;
  if (!first) return [];
  // One first: without a way into AWS, one sentence is enough.
  const begin = await checkOne(manager, ...first);
  if (begin === 'no AWS') {
    const text = `there are no AWS credentials here: ${names.length} secrets the settings name were not looked at`;
    const fix = 'sign in to AWS (aws sso login), and ask again; or name a folder of npm run serve with --data';
    return [{ area: 'aws', verdict: 'note', text, fix }];
  }
  findings.push(begin);
  for (let at = 0; at < rest.length; at += AT_A_TIME) {
    const some = await Promise.all(rest.slice(at, at + AT_A_TIME).map((each) => checkOne(manager, ...each)));
    findings.push(...some.filter((finding) => finding !== 'no AWS'));
  }
  const well = findings.filter(({ verdict }) => verdict === 'ok').length;
  const bad = findings.filter(({ verdict }) => verdict !== 'ok');
  if (well === 0) return bad;
  const text = `${well} of ${findings.length} secrets are there, and hold what they have to`;
  return [{ area: 'aws', verdict: 'ok', text }, ...bad];
}

async function checkOne(manager: SecretReader, name: string, purpose: Purpose): Promise<Finding | 'no AWS'> {
  const deadline = deadlineIn(PATIENCE_MS, systemClock);
  const shown = safe(name, 120);
  const fix = (text: string, what: string): Finding => ({ area: 'aws', verdict: 'fix', text, fix: what });
  try {
    const described: SecretDescription = await manager.describe(name, deadline);
    if (described.deletedAt)
      return fix(`${shown} waits for its deletion`, 'restore it: aws secretsmanager restore-secret');
    const value = await manager.read(name, { stage: 'AWSCURRENT' }, deadline);
    if (value === undefined) return fix(`${shown} has no value`, 'put one');
    const shape = SHAPES[purpose];
    if (shape && !shape.schema.safeParse(parseJson(value)).success)
      return fix(`${shown} does not hold what it has to`, `it has to be ${shape.words}`);
    return { area: 'aws', verdict: 'ok', text: `${shown} is there` };
  } catch (error) {
    if (isWithoutAws(error)) return 'no AWS';
    if (!(error instanceof AutomationError)) throw error;
    if (error instanceof AwsCallFailed && error.error === 'ResourceNotFoundException')
      return fix(
        `${shown} is not there`,
        'make it: aws secretsmanager create-secret, or npm run init -- --secrets aws',
      );
    if (error instanceof AwsCallFailed && error.refused && error.disposition === 'give-up')
      return {
        area: 'aws',
        verdict: 'unknown',
        text: `${shown} could not be looked at: ${error.error}`,
        fix: 'allow secretsmanager:DescribeSecret and GetSecretValue here, and kms:Decrypt where it has a key of its own',
      };
    return { area: 'aws', verdict: 'unknown', text: `${shown}: ${safe(error.message)}`, fix: 'is AWS_REGION set?' };
  }
}

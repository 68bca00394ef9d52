import type { Readable, Writable } from 'node:stream';
import * as clack from '@clack/prompts';
import * as z from 'zod';
import { accountsOf } from './accounts.ts';
import {
  type Answers,
  AwsAccountId,
  CAPABILITIES,
  CAPABILITY_WORDS,
  OrganizationId,
  SecretName,
  TICKET_SECRET,
  TICKET_SYSTEMS,
  TicketSystem,
  TimeZone,
} from './answers.ts';

/** Where the questions are asked. */
export interface Terminal {
  readonly input?: Readable;
  readonly output?: Writable;
}

/** Somebody pressed Ctrl-C or Escape: nothing was written. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

function answered<Value>(value: Value | typeof clack.CANCEL_SYMBOL): Value {
  if (clack.isCancel(value)) throw new Cancelled('Nothing was written.');
  return value;
}

const listed = (text: string): string[] => text.split(/[\s,]+/).filter((each) => each !== '');

const problemIn = (schema: z.ZodType, value: unknown): string | undefined =>
  schema.safeParse(value).error?.issues[0]?.message;

/** What is known already, from flags: it is where each question begins. */
export type Begun = Readonly<Record<string, unknown>>;

/** Asks what the settings are to be. Throws Cancelled. */
export async function askAnswers(begun: Begun, terminal: Terminal): Promise<Begun> {
  const text = async (message: string, options: { initial?: string; hint?: string; check?: z.ZodType } = {}) => {
    const { initial, hint, check } = options;
    return answered(
      await clack.text({
        ...terminal,
        message,
        ...(initial !== undefined && { initialValue: initial }),
        ...(hint !== undefined && { placeholder: hint }),
        validate: (value) => (check && value ? problemIn(check, value) : undefined),
      }),
    ).trim();
  };
  const known = (key: string): string => {
    const value = begun[key];
    return Array.isArray(value) ? value.join(', ') : value === undefined ? '' : String(value);
  };

  const capabilities = answered(
    await clack.multiselect({
      ...terminal,
      message: 'What is it to do? (space chooses, enter goes on)',
      options: CAPABILITIES.map((value) => ({ value, label: CAPABILITY_WORDS[value] })),
      initialValues: CAPABILITIES.filter((each) => known('capabilities').includes(each)),
      required: true,
    }),
  );
  const does = (capability: Answers['capabilities'][number]): boolean => capabilities.includes(capability);
  const organizations = listed(
    await text('The ids of the Atlas organizations it looks after', {
      initial: known('organizations'),
      hint: '24 hexadecimal digits; several with a comma; empty: all its accounts reach',
      check: z.string().transform(listed).pipe(z.array(OrganizationId)),
    }),
  );
  const rotation = does('rotation')
    ? {
        rotate: listed(
          await text('The Secrets Manager names of the secrets to rotate', {
            initial: known('rotate'),
            hint: 'atlas/billing/service-account, …',
            check: z.string().transform(listed).pipe(z.array(SecretName)),
          }),
        ),
        everyDays: Number((await text('Rotate every … days', { initial: known('everyDays') || '30' })) || 30),
      }
    : {};
  const audit = does('audit')
    ? {
        auditEveryHours: Number(
          (await text('Audit the backups every … hours', { initial: known('auditEveryHours') || '24' })) || 24,
        ),
      }
    : {};
  const tickets = does('tickets') ? await askTickets(begun, terminal, text) : {};
  const timeZone = await text('The time zone people read times in', {
    initial: known('timeZone') || Intl.DateTimeFormat().resolvedOptions().timeZone,
    check: TimeZone,
  });
  const account = await text('The AWS account it is deployed to', {
    initial: known('account'),
    hint: '12 digits; empty: whatever the credentials at hand are for, or none',
    check: AwsAccountId,
  });
  const region = account === '' ? '' : await text('The region', { initial: known('region') || 'eu-central-1' });
  const alarmEmail = account === '' ? '' : await text('Who hears of alarms? An e-mail address, or empty');
  const secretsIn = answered(
    await clack.select({
      ...terminal,
      message: 'Where do the secrets go? They are never in the settings file.',
      options: [
        { value: 'aws', label: 'AWS Secrets Manager, with the AWS credentials at hand' },
        { value: 'folder', label: 'the data folder of npm run serve, on this machine' },
        { value: 'later', label: 'nowhere yet: I make them myself' },
      ],
      initialValue: known('secretsIn') || 'later',
    }),
  );
  return {
    capabilities,
    organizations,
    ...rotation,
    ...audit,
    ...tickets,
    timeZone,
    ...(account !== '' && { account, region }),
    ...(alarmEmail !== '' && { alarmEmail }),
    secretsIn,
  };
}

async function askTickets(
  begun: Begun,
  terminal: Terminal,
  text: (message: string, options?: { initial?: string }) => Promise<string>,
): Promise<Begun> {
  const ticketSystem = answered(
    await clack.select({
      ...terminal,
      message: 'Where do tickets go?',
      options: TicketSystem.options.map((value) => ({ value, label: TICKET_SYSTEMS[value].name })),
      initialValue: TicketSystem.safeParse(begun['ticketSystem']).data ?? 'github',
    }),
  );
  const ticketFields: Record<string, string> = {};
  for (const field of TICKET_SYSTEMS[ticketSystem].fields)
    ticketFields[field] = await text(`${TICKET_SYSTEMS[ticketSystem].name}: ${FIELD_WORDS[field]}`);
  return { ticketSystem, ticketFields };
}

const FIELD_WORDS = {
  repository: 'repository (owner/name)',
  baseUrl: 'address (https://…)',
  project: 'project key',
  teamId: 'id of the team',
  channel: 'id of the channel',
} as const;

/** Asks for the values of the secrets, without showing them. One that is left empty is left for later. */
export async function askSecrets(answers: Answers, terminal: Terminal): Promise<ReadonlyMap<string, string>> {
  const values = new Map<string, string>();
  const plain = async (message: string): Promise<string> =>
    answered(await clack.text({ ...terminal, message, placeholder: 'empty: later' })).trim();
  const unseen = async (message: string): Promise<string> =>
    answered(await clack.password({ ...terminal, message })).trim();
  for (const { secret, role } of accountsOf(answers)) {
    const clientId = await plain(`${secret} (${role}): the client id of its service account`);
    if (clientId === '') continue;
    values.set(secret, JSON.stringify({ clientId, clientSecret: await unseen('Its client secret') }));
  }
  if (answers.ticketSystem === undefined) return values;
  const { name, secret: parts } = TICKET_SYSTEMS[answers.ticketSystem];
  if (parts.length === 0) {
    const token = await unseen(`${name}: the token (empty: later)`);
    if (token !== '') values.set(TICKET_SECRET, token);
    return values;
  }
  const [who, what] = parts;
  const user = await plain(`${name}: ${who}`);
  if (user !== '') values.set(TICKET_SECRET, JSON.stringify({ [who]: user, [what]: await unseen(`${name}: ${what}`) }));
  return values;
}

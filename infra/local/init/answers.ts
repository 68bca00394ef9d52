import * as z from 'zod';
import { ConfigError } from '../../../lib/errors.ts';
import { problemsOf } from '../../../lib/runtime/problems.ts';
import { Destination, type DestinationType } from '../../../lib/tickets/destination.ts';

export const CAPABILITIES = ['rotation', 'audit', 'remediation', 'migration', 'tickets'] as const;
export type Capability = (typeof CAPABILITIES)[number];

/** What people call each, and what it does. */
export const CAPABILITY_WORDS: Readonly<Record<Capability, string>> = {
  rotation: 'rotate the secrets of service accounts',
  audit: 'audit every cluster’s backups',
  remediation: 'mend snapshot schedules, once a person approves',
  migration: 'plan and watch live migrations',
  tickets: 'turn alerts into tickets',
};

/** What each ticket system is asked for beside its secret, and what that secret holds: a text, or these fields. */
export const TICKET_SYSTEMS = {
  github: { name: 'GitHub issues', fields: ['repository'], secret: [] },
  jira: { name: 'Jira', fields: ['baseUrl', 'project'], secret: ['email', 'apiToken'] },
  servicenow: { name: 'ServiceNow', fields: ['baseUrl'], secret: ['username', 'password'] },
  pagerduty: { name: 'PagerDuty', fields: [], secret: [] },
  'jsm-operations': { name: 'Jira Service Management alerts', fields: [], secret: [] },
  linear: { name: 'Linear', fields: ['teamId'], secret: [] },
  zendesk: { name: 'Zendesk', fields: ['baseUrl'], secret: ['email', 'apiToken'] },
  slack: { name: 'Slack', fields: ['channel'], secret: [] },
  webhook: { name: 'a webhook of your own', fields: ['baseUrl'], secret: [] },
} as const satisfies Record<DestinationType, { name: string; fields: readonly string[]; secret: readonly string[] }>;

export const TicketSystem = z.enum([
  'github',
  'jira',
  'servicenow',
  'pagerduty',
  'jsm-operations',
  'linear',
  'zendesk',
  'slack',
  'webhook',
]);

const isTimeZone = (zone: string): boolean => {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }));
  } catch {
    return false;
  }
};

export const OrganizationId = z.string().regex(/^[0-9a-f]{24}$/, 'must be 24 hexadecimal digits, in lower case');
export const AwsAccountId = z.string().regex(/^\d{12}$/, 'must be the 12 digits of an AWS account');
export const TimeZone = z.string().refine(isTimeZone, 'must be an IANA time zone, such as Europe/Berlin');
export const SecretName = z.string().regex(/^[\w/+=.@-]{1,512}$/, 'must be the name of a Secrets Manager secret');

/** What somebody wants, whoever asked for it. Holds no secret. */
export const Answers = z
  .strictObject({
    organizations: z.array(OrganizationId).default([]),
    account: AwsAccountId.optional(),
    region: z
      .string()
      .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be an AWS region')
      .optional(),
    capabilities: z
      .array(z.enum(CAPABILITIES, `must be one of ${CAPABILITIES.join(', ')}`))
      .min(1)
      .default(['audit']),
    /** The names of the secrets to rotate. */
    rotate: z.array(SecretName).default([]),
    everyDays: z.int().min(1).max(362).default(30),
    ticketSystem: TicketSystem.optional(),
    ticketFields: z.record(z.string(), z.string()).default({}),
    auditEveryHours: z.int().min(1).max(165).default(24),
    timeZone: TimeZone.default('UTC'),
    alarmEmail: z.email('must be an e-mail address').optional(),
    /** Where the secrets go: AWS, the folder `npm run serve` keeps its state in, or nowhere yet. */
    secretsIn: z.enum(['aws', 'folder', 'later']).default('later'),
  })
  .superRefine((answers, context) => {
    const problem = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if ((answers.account === undefined) !== (answers.region === undefined))
      problem('region', 'account and region go together');
    if (answers.capabilities.includes('tickets') && answers.ticketSystem === undefined)
      problem('ticketSystem', `is needed for tickets: one of ${TicketSystem.options.join(', ')}`);
    if (answers.ticketSystem === undefined) return;
    const { fields } = TICKET_SYSTEMS[answers.ticketSystem];
    const missing = fields.filter((field) => !answers.ticketFields[field]);
    for (const field of missing) problem('ticketFields', `${field} is needed for ${answers.ticketSystem}`);
    if (missing.length > 0) return;
    const judged = Destination.safeParse(destinationOf(answers.ticketSystem, answers.ticketFields));
    for (const { path, problem: what } of problemsOf(judged.error)) problem('ticketFields', `${path} ${what}`);
  });
export type Answers = z.output<typeof Answers>;

export const TICKET_SECRET = 'atlas-automation/tickets-token';
export const WEBHOOK_SECRET = 'atlas-automation/webhook';

export const destinationOf = (type: z.output<typeof TicketSystem>, fields: Readonly<Record<string, string>>) => ({
  id: 'tickets',
  type,
  ...fields,
  secret: TICKET_SECRET,
});

/** Checks what was asked for. Throws ConfigError with every problem, by the name of the flag. */
export function answersFrom(given: Readonly<Record<string, unknown>>): Answers {
  const parsed = Answers.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new ConfigError('These answers make no settings.', problemsOf(parsed.error));
}

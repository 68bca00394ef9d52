import * as z from 'zod';

const isLoopback = (hostname: string): boolean => ['localhost', '127.0.0.1', '[::1]'].includes(hostname);

/** Credentials go there: https, or this machine. A path is kept, so that gateways and sandboxes can stand anywhere. */
const baseUrl = z
  .url({ protocol: /^https?$/ })
  .transform((text) => new URL(text))
  .refine((url) => url.protocol === 'https:' || isLoopback(url.hostname), 'must be an https URL')
  .refine((url) => url.username === '' && url.password === '', 'must hold no credentials')
  .refine((url) => url.search === '' && url.hash === '', 'must end with its path')
  .transform((url) => url.origin + url.pathname.replace(/\/+$/, ''));

/** Name or ARN in Secrets Manager. */
const secret = z.string().min(1).max(2048);

const text = z.string().min(1).max(255);

/** What each severity is called in the tracker. */
const scale = (critical: string, error: string, warning: string, info: string) =>
  z
    .strictObject({
      critical: text.default(critical),
      error: text.default(error),
      warning: text.default(warning),
      info: text.default(info),
    })
    .prefault({});

const common = {
  /** What the rest of the settings, logs and metrics call it. Never rename one that has open tickets. */
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be a-z, 0-9 and -, at most 63'),
  /** Put on every ticket, where the tracker has labels. */
  labels: z.array(text).max(10).default([]),
  /** Secret that signs the tracker's webhooks to us: `{"current": "…", "previous": "…"}`. Without it they are refused. */
  webhookSecret: secret.optional(),
  /** The tracker's id of the account behind `secret`: what it does itself is no news. */
  actor: text.optional(),
};

/** Further fields of a new ticket, as the tracker's API takes them. All of them count as optional. */
const fields = z.record(text, z.json()).default({});

const Jira = z.strictObject({
  ...common,
  type: z.literal('jira'),
  /** `https://SITE.atlassian.net`, or `https://api.atlassian.com/ex/jira/<cloudId>` for scoped tokens. */
  baseUrl,
  /** Where people read, if that is not `baseUrl`. */
  siteUrl: baseUrl.optional(),
  /** `{"email", "apiToken"}`, or `{"accessToken"}`. */
  secret,
  project: z.string().regex(/^[A-Z][A-Z0-9_]+$/, 'must be a project key'),
  issueType: text.default('Bug'),
  priorities: scale('Highest', 'High', 'Medium', 'Low'),
  fields,
  /** Id or English name of the transition that closes; by default the first one into a status of category done. */
  closeTransition: text.optional(),
  reopenTransition: text.optional(),
  resolutions: z
    .strictObject({
      resolved: text.default('Done'),
      cancelled: text.default('Done'),
      duplicate: text.default('Duplicate'),
    })
    .prefault({}),
  wontFixResolutions: z.array(text).default(["Won't Do", "Won't Fix", 'Declined']),
  /** What counts as taken. Leave `assigned` out where the project assigns by default. */
  takenWhen: z.array(z.enum(['assigned', 'in-progress'])).default(['assigned', 'in-progress']),
  /** How far Jira's search may lag, in seconds. */
  indexLagSeconds: z.int().min(0).max(3600).default(180),
});

const GitHub = z.strictObject({
  ...common,
  type: z.literal('github'),
  baseUrl: baseUrl.prefault('https://api.github.com'),
  /** A token that may write issues, as plain text. Labels need push access. */
  secret,
  repository: z.string().regex(/^[\w.-]+\/[\w.-]+$/, 'must be owner/name'),
  assignees: z.array(text).max(10).default([]),
  severityLabels: scale('severity: critical', 'severity: error', 'severity: warning', 'severity: info'),
});

const ServiceNow = z.strictObject({
  ...common,
  type: z.literal('servicenow'),
  /** `https://INSTANCE.service-now.com` */
  baseUrl,
  /** `{"username", "password"}`, `{"accessToken"}` or `{"apiKey"}`. */
  secret,
  table: z
    .string()
    .regex(/^[a-z][a-z0-9_]+$/, 'must be the name of a table')
    .default('incident'),
  /** sys_id of the group that gets the incidents. */
  assignmentGroup: text.optional(),
  /** urgency and impact, `1` high to `3` low; ServiceNow derives the priority. */
  urgencies: scale('1', '1', '2', '3'),
  impacts: scale('1', '2', '2', '3'),
  fields,
  states: z
    .strictObject({
      inProgress: text.default('2'),
      resolved: text.default('6'),
      closed: text.default('7'),
      cancelled: text.default('8'),
    })
    .prefault({}),
  closeCode: text.default('Solution provided'),
  wontFixCloseCodes: z.array(text).default([]),
});

const PagerDuty = z.strictObject({
  ...common,
  type: z.literal('pagerduty'),
  /** Events API v2; `https://events.eu.pagerduty.com` in the EU. */
  baseUrl: baseUrl.prefault('https://events.pagerduty.com'),
  /** An integration's routing key, as plain text. */
  secret,
  /** For reading, notes and titles, which events can't do. */
  rest: z
    .strictObject({
      baseUrl: baseUrl.prefault('https://api.pagerduty.com'),
      /** A REST API token, as plain text. */
      secret,
      /** The user notes are written as. */
      from: z.email(),
    })
    .optional(),
});

const JsmOperations = z.strictObject({
  ...common,
  type: z.literal('jsm-operations'),
  /** Or `https://api.opsgenie.com`, which ends on 2027-04-05. */
  baseUrl: baseUrl.prefault('https://api.atlassian.com/jsm/ops/integration'),
  /** The integration's API key, as plain text. */
  secret,
  priorities: scale('P1', 'P2', 'P3', 'P5'),
  responders: z
    .array(z.strictObject({ type: z.enum(['team', 'user', 'escalation', 'schedule']), name: text }))
    .default([]),
  /** For reading and changing alerts, which the integration key can't do. */
  rest: z
    .strictObject({
      /** `https://api.atlassian.com/jsm/ops/api/<cloudId>` */
      baseUrl,
      /** `{"email", "apiToken"}` */
      secret,
    })
    .optional(),
});

const Linear = z.strictObject({
  ...common,
  type: z.literal('linear'),
  baseUrl: baseUrl.prefault('https://api.linear.app'),
  /** An API key (`lin_api_…`) or an OAuth token, as plain text. */
  secret,
  teamId: text,
  labelIds: z.array(text).default([]),
  /** Linear's: 1 urgent to 4 low. */
  priorities: scale('1', '2', '3', '4'),
});

const Zendesk = z.strictObject({
  ...common,
  type: z.literal('zendesk'),
  /** `https://SUBDOMAIN.zendesk.com` */
  baseUrl,
  /** `{"email", "apiToken"}`, or `{"accessToken"}`. */
  secret,
  priorities: scale('urgent', 'high', 'normal', 'low'),
  fields,
});

const Slack = z.strictObject({
  ...common,
  type: z.literal('slack'),
  baseUrl: baseUrl.prefault('https://slack.com/api'),
  /** `https://WORKSPACE.slack.com`, for links to messages. */
  workspaceUrl: baseUrl.prefault('https://slack.com'),
  /** A bot token (`xoxb-…`), as plain text. */
  secret,
  /** Id, not name. */
  channel: z.string().regex(/^[CG][A-Z0-9]+$/, 'must be the id of a channel'),
  /** Reactions by which people say that they have it, and that it is over. */
  acknowledgeReaction: text.default('eyes'),
  closeReaction: text.default('white_check_mark'),
  wontFixReaction: text.default('no_entry_sign'),
});

const Webhook = z.strictObject({
  ...common,
  type: z.literal('webhook'),
  /** The address itself. */
  baseUrl,
  /** Signs what we send: plain text, or `whsec_` and base64. */
  secret,
});

/** Where tickets go: one entry of the settings' destinations. Secrets only by name. */
export const Destination = z.discriminatedUnion('type', [
  Jira,
  GitHub,
  ServiceNow,
  PagerDuty,
  JsmOperations,
  Linear,
  Zendesk,
  Slack,
  Webhook,
]);
export type Destination = z.output<typeof Destination>;
export type DestinationType = Destination['type'];
export type DestinationOf<Type extends DestinationType> = Extract<Destination, { type: Type }>;

/** Every secret a destination needs: for grants. */
export const secretsOf = (destination: Destination): string[] => [
  destination.secret,
  ...('rest' in destination && destination.rest ? [destination.rest.secret] : []),
  ...(destination.webhookSecret === undefined ? [] : [destination.webhookSecret]),
];

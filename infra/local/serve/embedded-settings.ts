import { Destination } from '../../../lib/tickets/destination.ts';
import { Settings } from '../../settings.ts';
import type { TicketSandbox } from '../ticket-sandbox/sandbox.ts';

export interface Embedded {
  readonly settings: Settings;
  /** What had to be different here, each a sentence. */
  readonly changes: readonly string[];
  /** The tracker of the sandbox that stands for each destination, by the destination's id. */
  readonly trackers: ReadonlyMap<string, string>;
}

/** Fan-out targets that lie in the embedded AWS, and so on this machine. */
const HERE = new Set(['ssm', 'secrets-manager']);

/** Its search finds a ticket after five seconds: what a kill left in doubt need not wait three minutes, as for the real one. */
const JIRA_HERE = { indexLagSeconds: 15 };

/**
 * The settings with everything in them that would leave this machine replaced by what is on it, or left out; each of
 * that is said. With `atlas` real no secret is rotated: its accounts are not on this machine.
 */
export function embeddedSettings(
  asked: Settings,
  tickets: Pick<TicketSandbox, 'trackers'>,
  origin: string,
  atlas: 'embedded' | 'real',
): Embedded {
  const given = bySecretNames(asked);
  const rotates = atlas === 'embedded';
  const changes: string[] = [];
  const trackers = new Map<string, string>();
  const destinations = given.tickets.destinations.flatMap(({ id, type }) => {
    const tracker = tickets.trackers.find((each) => each.destination(origin)['type'] === type);
    if (!tracker) {
      changes.push(`The ticket destination ${id} is left out: the ticket sandbox has no ${type}.`);
      return [];
    }
    trackers.set(id, tracker.name);
    changes.push(`Tickets for ${id} go to the ${tracker.name} of the ticket sandbox.`);
    return [Destination.parse({ ...tracker.destination(origin), id, ...(type === 'jira' && JIRA_HERE) })];
  });
  const kept = new Set(destinations.map(({ id }) => id));
  const routes = given.tickets.routes.map((route) => ({ ...route, to: route.to.filter((id) => kept.has(id)) }));
  const fallback = given.tickets.fallback?.filter((id) => kept.has(id));

  const secrets = (rotates ? given.rotation.secrets : []).map((managed) => {
    const away = managed.fanOut.filter(({ type }) => !HERE.has(type));
    for (const { type } of away)
      changes.push(`${managed.secret} is not brought to ${type}: that is not on this machine.`);
    const { kmsKeyArn: _, ...rest } = managed;
    return { ...rest, fanOut: managed.fanOut.filter(({ type }) => HERE.has(type)) };
  });
  if (!rotates && given.rotation.secrets.length > 0)
    changes.push('No secret is rotated: the values are in your AWS account, and that is not used here.');
  const { securityHub, organization, ...audit } = given.audit;
  if (securityHub) changes.push('Findings are not sent to Security Hub.');
  const { cloudManagerBaseUrl: _, cloudManagerCredentialsSecret, ...migration } = given.migration;
  if (cloudManagerCredentialsSecret !== undefined)
    changes.push('Cloud Manager is not asked about the agents of a source.');
  const { egress, ...others } = given;
  if (egress) changes.push('The functions reach the internet from this machine’s own address.');
  const { allowFrom, ...webhooks } = given.webhooks;
  if (allowFrom) changes.push('Webhooks may come from every address that reaches this machine.');
  // Which code runs is decided by the build here, and the account is the embedded one.
  const { codeSigning: _signing, account: _account, region: _region, ...stack } = given.stack;

  return {
    settings: {
      ...others,
      webhooks,
      stack,
      rotation: { ...given.rotation, secrets },
      audit: { ...audit, ...(organization !== undefined && !rotates && { organization }) },
      migration,
      tickets: { ...given.tickets, destinations, routes, ...(fallback && { fallback }) },
    },
    changes,
    trackers,
  };
}

const SECRET_ARN = /arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:([\w/+=.@-]{1,512})-[A-Za-z0-9]{6}/g;

/** The secrets here have the names of those in the settings, and other ARNs. */
const bySecretNames = (settings: Settings): Settings =>
  Settings.parse(JSON.parse(JSON.stringify(settings).replaceAll(SECRET_ARN, '$1')));

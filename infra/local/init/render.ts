import { parse } from 'yaml';
import { ConfigError } from '../../../lib/errors.ts';
import { problemsOf } from '../../../lib/runtime/problems.ts';
import { Settings } from '../../settings.ts';
import { accountsOf } from './accounts.ts';
import { type Answers, destinationOf, WEBHOOK_SECRET } from './answers.ts';

/** Text as YAML takes it on one line, whatever is in it. */
const quoted = (value: string | number): string => (typeof value === 'number' ? String(value) : JSON.stringify(value));

const section = (comment: string, ...lines: readonly (string | false)[]): string =>
  [...comment.split('\n').map((line) => `# ${line}`), ...lines.filter((line) => line !== false)].join('\n');

/**
 * The settings file these answers make, with what each part is for. `schema` is where editors find what may stand in it.
 * It names secrets and holds none. Throws ConfigError where the settings would not be usable.
 */
export function settingsFile(answers: Answers, schema: string): string {
  const { organizations, capabilities, rotate, ticketSystem } = answers;
  const wants = (capability: Answers['capabilities'][number]): boolean => capabilities.includes(capability);
  const accounts = accountsOf(answers);
  const [organization, ...others] = organizations;
  const parts = [
    `# yaml-language-server: $schema=${schema}\n#\n# What Atlas Automation does, and where. It names secrets and holds none.\n# "npm run doctor -- --settings <this file>" says what is still missing.`,
    accounts.length > 0 &&
      section(
        'The Atlas accounts the functions act as, each in a secret of its own in AWS Secrets Manager:\n{"clientId": "…", "clientSecret": "…"}. A function without one is not deployed.',
        'atlas:',
        '  credentials:',
        ...accounts.flatMap(({ key, secret, role }) => [`    # ${role}`, `    ${key}: { secret: ${quoted(secret)} }`]),
      ),
    wants('rotation') &&
      section(
        'Secrets of Atlas service accounts that are rotated. Each holds {"clientId", "clientSecret", "orgId" or "groupId"}.',
        'rotation:',
        `  everyDays: ${answers.everyDays}`,
        '  # How long the replaced value is left at the least.',
        '  graceHours: 24',
        rotate.length === 0 ? '  secrets: []' : '  secrets:',
        ...rotate.map((name) => `    - secret: ${quoted(name)}`),
      ),
    wants('audit') &&
      section(
        others.length === 0
          ? 'Which backups are looked at, and by which policy.'
          : `All organizations the account of the audit reaches: ${organizations.join(', ')}.\nIt has to be a member of each.`,
        'audit:',
        organization !== undefined && others.length === 0 && `  organization: ${quoted(organization)}`,
        '  # atlas-recommended, or another profile, or rules of your own.',
        '  policy: { profile: atlas-recommended }',
      ),
    wants('migration') &&
      section(
        'Live migrations are asked for one by one; times are also said in this zone.',
        'migration:',
        `  timeZone: ${quoted(answers.timeZone)}`,
      ),
    wants('tickets') &&
      ticketSystem !== undefined &&
      section(
        'Where alerts become tickets. More destinations, routes, silences and windows: see the runbook.',
        'tickets:',
        '  destinations:',
        ...Object.entries(destinationOf(ticketSystem, answers.ticketFields)).map(
          ([key, value], at) => `    ${at === 0 ? '-' : ' '} ${key}: ${quoted(value)}`,
        ),
        '  routes:',
        '    - name: everything',
        '      to: [tickets]',
      ),
    wants('tickets') &&
      section(
        'What Atlas signs its webhooks with: {"current": "…"}. Without it alerts are found up to five minutes late.',
        'webhooks:',
        `  atlas: { secret: ${quoted(WEBHOOK_SECRET)} }`,
      ),
    wants('audit') &&
      section('How often backups are audited.', 'schedules:', `  auditEveryHours: ${answers.auditEveryHours}`),
    answers.alarmEmail !== undefined &&
      section(
        'Who hears of alarms; AWS asks for a confirmation once.',
        'alarms:',
        `  email: ${quoted(answers.alarmEmail)}`,
      ),
    answers.account !== undefined &&
      answers.region !== undefined &&
      section(
        'The only account and region this may be deployed to.',
        'stack:',
        `  account: ${quoted(answers.account)}`,
        `  region: ${quoted(answers.region)}`,
      ),
  ].filter((part) => part !== false);
  const text = `${parts.join('\n\n')}\n`;
  const parsed = Settings.safeParse(parse(text) ?? {});
  if (!parsed.success) throw new ConfigError('These answers make no usable settings.', problemsOf(parsed.error));
  return text;
}

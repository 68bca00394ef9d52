/**
 * `npm run init`: asks what Atlas Automation is to do, writes the settings file, and puts secrets where they belong. With
 * `--yes` it asks nothing and takes the flags. It overwrites nothing without being told to. Exit status: 0 written, 1
 * failed or stopped, 2 wrong arguments or answers.
 */
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigError } from '../../lib/errors.ts';
import { answersFrom, CAPABILITIES, TicketSystem } from './init/answers.ts';
import type { Begun } from './init/ask.ts';
import { settingsFile } from './init/render.ts';
import { secretsFrom, storeSecrets } from './init/secrets.ts';
import { safe } from './terminal/text.ts';

const USAGE = `npm run init                                     asks, and writes settings.yaml
npm run init -- --yes [flags]                    asks nothing
  --file settings.yaml --force                   where, and whether over what is there
  --capability audit                             ${CAPABILITIES.join(', ')}; several times
  --organization <id>                            of Atlas; several times
  --rotate <secret name> --every-days 30         secrets to rotate; several times
  --ticket-system github --ticket-field repository=owner/name
                                                 ${TicketSystem.options.join(', ')}
  --audit-every-hours 24 --time-zone Europe/Berlin
  --account 123456789012 --region eu-central-1 --alarm-email you@example.com
  --secrets aws|folder|later --data <folder>     where secrets go. With --yes their values are read from
                                                 MONGODB_ATLAS_CLIENT_ID and _SECRET, and TICKETS_SECRET`;

const SCHEMA = path.resolve(import.meta.dirname, '../settings.schema.json');

const say = (text: string): void => {
  process.stderr.write(`${safe(text, 1_000)}\n`);
};

function arguments_() {
  const { values } = parseArgs({
    options: {
      yes: { type: 'boolean', default: false },
      force: { type: 'boolean', default: false },
      file: { type: 'string', default: 'settings.yaml' },
      data: { type: 'string', default: '.atlas-automation' },
      capability: { type: 'string', multiple: true },
      organization: { type: 'string', multiple: true },
      rotate: { type: 'string', multiple: true },
      'every-days': { type: 'string' },
      'ticket-system': { type: 'string' },
      'ticket-field': { type: 'string', multiple: true },
      'audit-every-hours': { type: 'string' },
      'time-zone': { type: 'string' },
      account: { type: 'string' },
      region: { type: 'string' },
      'alarm-email': { type: 'string' },
      secrets: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  return values;
}

/** What the flags say, by the names of the answers. */
function begunBy(values: ReturnType<typeof arguments_>): Begun {
  const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
  const fields = values['ticket-field']?.map((pair) => {
    const at = pair.indexOf('=');
    return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
  });
  const given = {
    capabilities: values.capability?.flatMap((each) => each.split(',')),
    organizations: values.organization,
    rotate: values.rotate,
    everyDays: number(values['every-days']),
    ticketSystem: values['ticket-system'],
    ticketFields: fields && Object.fromEntries(fields),
    auditEveryHours: number(values['audit-every-hours']),
    timeZone: values['time-zone'],
    account: values.account,
    region: values.region,
    alarmEmail: values['alarm-email'],
    secretsIn: values.secrets,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** How an editor finds the schema from the folder of the file. */
function schemaFor(file: string): string {
  const way = path
    .relative(path.dirname(path.resolve(file)), SCHEMA)
    .split(path.sep)
    .join('/');
  return way.startsWith('.') ? way : `./${way}`;
}

async function main(): Promise<number> {
  const values = arguments_();
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const { file, yes, data } = values;
  if (!/\.ya?ml$/i.test(file)) throw new ConfigError('--file must end with .yaml');
  if (!yes && !process.stdin.isTTY)
    throw new ConfigError('there is no terminal to ask on: say --yes, and with flags what you want');
  if (yes && existsSync(file) && !values.force)
    throw new ConfigError(`${file} is there already: --force writes over it, --file writes another`);

  const ask = yes ? undefined : await import('./init/ask.ts');
  const clack = yes ? undefined : await import('@clack/prompts');
  try {
    clack?.intro('Atlas Automation');
    if (clack && existsSync(file) && !values.force) {
      const over = await clack.confirm({ message: `${file} is there already. Write over it?`, initialValue: false });
      if (over !== true) throw new ConfigError('Nothing was written: --file writes another');
    }
    const begun = begunBy(values);
    const answers = answersFrom(ask ? await ask.askAnswers(begun, {}) : begun);
    const text = settingsFile(answers, schemaFor(file));
    const secrets =
      answers.secretsIn === 'later'
        ? new Map<string, string>()
        : ask
          ? await ask.askSecrets(answers, {})
          : secretsFrom(answers, process.env);
    // Exclusive unless agreed to: what came there meanwhile is somebody's work.
    writeFileSync(file, text, { flag: yes && !values.force ? 'wx' : 'w' });
    say(`Written: ${file}`);
    for (const line of await storeSecrets(answers, secrets, data)) say(line);
    if (
      yes &&
      answers.secretsIn === 'later' &&
      (process.env['MONGODB_ATLAS_CLIENT_ID'] || process.env['TICKETS_SECRET'])
    )
      say('The values in the environment were stored nowhere: --secrets aws or --secrets folder says where.');
    say(`Next: npm run doctor -- --settings ${file}${answers.secretsIn === 'folder' ? ` --data ${data}` : ''}`);
    const stored =
      answers.secretsIn === 'folder'
        ? `; with what is stored: npm run serve -- --settings ${file} --data ${data} --atlas real --dry-run`
        : '';
    say(`Then: npm run serve -- --settings ${file} (a sandbox)${stored}; or deploy it`);
    return 0;
  } catch (error) {
    if (ask && error instanceof ask.Cancelled) {
      say(error.message);
      return 1;
    }
    throw error;
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  const isUsage =
    error instanceof ConfigError ||
    (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  say(error instanceof Error ? error.message : String(error));
  if (error instanceof ConfigError) for (const { path: at, problem } of error.problems) say(`  ${at}: ${problem}`);
  if (isUsage) process.stderr.write(`${USAGE}\n`);
  process.exitCode = isUsage ? 2 : 1;
}

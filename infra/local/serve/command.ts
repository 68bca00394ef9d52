/**
 * The command `npm run serve`: all functions on this machine, run by the schedules, rules, webhooks and the queue of the stack, and a
 * console to look at them. Everything is embedded unless told otherwise. Ends on SIGINT and SIGTERM, once what runs is
 * done; a second one ends it at once. Exit status: 0 stopped, 1 failed, 2 wrong arguments or settings.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigError } from '../../../lib/errors.ts';
import { buildWhereChanged } from '../../build.ts';
import { loadSettings, type Settings } from '../../settings.ts';
import { accessFrom, hasAccess, originFrom } from '../atlas-cli/credentials.ts';
import { DIST } from '../machine.ts';
import { type LocalHost, type RealAtlas, startLocalHost } from './local-host.ts';
import { agree, agreementFor, isAgreed, partsOf } from './modes.ts';
import { findRealAws } from './real-aws.ts';
import { beThrifty } from './thrift.ts';

const USAGE = `npm run serve                                     everything embedded, by the example settings
npm run serve -- --settings settings.yaml         by your settings
npm run serve -- --atlas real --dry-run           look at the real Atlas, change nothing
npm run serve -- --atlas real --yes               work on the real Atlas; AWS stays embedded
npm run serve -- --atlas real --aws real --yes    work on the real Atlas, and on what is deployed in AWS
  --data .atlas-automation                        the folder its state is kept in
  --port 4700 --hooks-port 4701                   where the console and the webhooks are`;

const EXAMPLE = path.resolve(import.meta.dirname, '../../settings.example.json');
const TEMPLATES = path.join(DIST, '.templates');
const DATA = '.atlas-automation';
const PORTS = { console: 4700, hooks: 4701 };

/** Said without the usage: the arguments are right, a word is missing. */
class NotAgreed extends Error {
  override readonly name = 'NotAgreed';
}

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

const portOf = (text: string | undefined, fallback: number, option: string): number => {
  const port = text === undefined ? fallback : Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new ConfigError(`--${option} must be a port, 0 for any that is free`);
};

/** Where the environment says, or else the settings; credentials of the environment are needed only where none are stored. */
function realAtlas({ atlas: { baseUrl } }: Settings): RealAtlas {
  const variables = { ...process.env, MONGODB_ATLAS_BASE_URL: process.env['MONGODB_ATLAS_BASE_URL'] || baseUrl };
  if (!hasAccess(variables)) return { origin: originFrom(variables), credentials: async () => undefined };
  const { origin, credentials } = accessFrom(variables);
  return { origin, credentials: async () => credentials() };
}

/** Resolves with the first signal that ends it; the next one ends the process as it always does. */
function interrupted(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal));
  });
}

async function stop(running: LocalHost): Promise<void> {
  const { ledger, events } = running.host;
  if (ledger.running > 0) say(`Waiting for ${ledger.running} to finish. Once more to end at once.`);
  await running.stop();
  const left = running.machine.alertQueue.size + running.machine.alertDeadLetters.size;
  const becomes = running.keeps ? 'wait for the next start' : 'are gone with it';
  if (left > 0) say(`${left} alerts in the queue ${becomes}.`);
  if (events.stranded.length > 0) say(`${events.stranded.length} events that were given up ${becomes}.`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      settings: { type: 'string' },
      atlas: { type: 'string', default: 'embedded' },
      'dry-run': { type: 'boolean', default: false },
      aws: { type: 'string', default: 'embedded' },
      yes: { type: 'boolean', default: false },
      data: { type: 'string', default: DATA },
      port: { type: 'string' },
      'hooks-port': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(`${USAGE}\n`);
  if (values.atlas !== 'embedded' && values.atlas !== 'real') throw new ConfigError('--atlas is embedded or real');
  if (values.aws !== 'embedded' && values.aws !== 'real') throw new ConfigError('--aws is embedded or real');
  if (values.aws === 'real' && values.atlas !== 'real')
    throw new ConfigError('--aws real needs --atlas real: the accounts in AWS are not in the sandbox');
  const ports = {
    console: portOf(values.port, PORTS.console, 'port'),
    hooks: portOf(values['hooks-port'], PORTS.hooks, 'hooks-port'),
  };
  const settings = loadSettings(values.settings ?? EXAMPLE);
  const atlas = values.atlas === 'real' ? realAtlas(settings) : undefined;
  const aws = values.aws === 'real' ? await findRealAws(settings, process.env) : undefined;
  const data = path.resolve(values.data);
  const asked = { atlas: atlas?.origin, aws, dryRun: values['dry-run'], data };
  for (const line of partsOf(asked)) say(line);
  const agreement = agreementFor(asked);
  if (agreement !== undefined && !values.yes && !isAgreed(data, agreement)) throw new NotAgreed(agreement);
  if (agreement !== undefined) agree(data, agreement);

  const webhookKey = process.env['ATLAS_WEBHOOK_SECRET'] || undefined;
  const ending = interrupted();
  await buildWhereChanged();
  const start = performance.now();
  await using running = await startLocalHost({
    settings,
    ports,
    dryRun: asked.dryRun,
    firstRuns: true,
    demo: true,
    data,
    templates: TEMPLATES,
    webhookKey,
    ...(atlas && { atlas }),
    ...(aws && { aws }),
  });
  using _ = beThrifty((listener) => running.host.ledger.onChange(listener));
  for (const change of running.changes) say(change);
  const { urls, functions } = running.host.wiring;
  say(`${functions.size} functions, ready in ${((performance.now() - start) / 1_000).toFixed(1)} s.`);
  for (const lambda of urls) say(`Webhook: ${running.hooksOrigin}/hooks/${lambda}/`);
  if (atlas && urls.has('receive-atlas-alert') && !running.takesWebhooks)
    say(
      'Webhooks of Atlas are refused: store the secret webhooks.atlas names (npm run init), or set ATLAS_WEBHOOK_SECRET to what they are signed with. Alerts are found by looking.',
    );
  process.stdout.write(`Console: ${running.consoleOrigin}/?token=${running.token}\n`);
  say(`${await ending}: stopping.`);
  await stop(running);
}

/** Says what went wrong, and sets the exit status. */
export async function serve(): Promise<void> {
  try {
    await main();
  } catch (error) {
    report(error);
  }
}

function report(error: unknown): void {
  const isUsage =
    error instanceof ConfigError ||
    (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
  say(error instanceof Error ? error.message : String(error));
  if (error instanceof ConfigError) for (const { path: at, problem } of error.problems) say(`  ${at}: ${problem}`);
  if (taken) say('Another program has that port: choose with --port and --hooks-port.');
  if (isUsage) say(USAGE);
  process.exitCode = isUsage || error instanceof NotAgreed ? 2 : 1;
}

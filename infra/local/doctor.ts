/**
 * `npm run doctor`: whether this machine, the settings and the account of the environment are ready, and what to do where
 * they are not. Changes nothing anywhere; a token that is minted is given back. Exit status: 0 nothing to do, 1 something
 * to do or not known, 2 wrong arguments.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createSecretsManager } from '../../lib/aws/secrets-manager.ts';
import { ConfigError } from '../../lib/errors.ts';
import type { Settings } from '../settings.ts';
import { checkAccounts, checkAtlas } from './doctor/atlas-checks.ts';
import { checkAws } from './doctor/aws-checks.ts';
import { type Finding, isWell } from './doctor/finding.ts';
import { checkBundles, checkNode, checkSettings, checkTickets } from './doctor/machine-checks.ts';
import { checkSecrets, type SecretReader } from './doctor/secret-checks.ts';
import { checkDestinations } from './doctor/ticket-checks.ts';
import { checkWebhook } from './doctor/webhook-checks.ts';
import { folderStore } from './init/secret-stores.ts';
import { DIST } from './machine.ts';
import { safe } from './terminal/text.ts';

const USAGE = `npm run doctor                                    look at everything
npm run doctor -- --settings settings.yaml        with these settings
npm run doctor -- --data .atlas-automation        secrets from this folder of npm run serve, and not from AWS
npm run doctor -- --webhook https://…             an address of ours that others send to; several times
npm run doctor -- --json                          the findings as JSON on stdout`;

const COLOURS = { ok: 'green', note: 'blue', unknown: 'yellow', fix: 'red' } as const;

const line = ({ area, verdict, text, fix }: Finding): string =>
  [
    `${styleText(COLOURS[verdict], verdict.padEnd(8))}${area.padEnd(12)} ${safe(text, 1_000)}`,
    ...(fix === undefined ? [] : [`${' '.repeat(21)}→ ${safe(fix, 1_000)}`]),
  ].join('\n');

/** Where the secrets are: a folder of this machine, or AWS. */
async function managerFor(
  { stack: { region } }: Settings,
  folder: string | undefined,
  opened: AsyncDisposableStack,
): Promise<SecretReader> {
  if (folder !== undefined && !existsSync(folder)) throw new ConfigError(`there is no folder ${folder}`);
  if (folder !== undefined) return createSecretsManager(opened.use(await folderStore(folder)).client);
  return createSecretsManager(new SecretsManagerClient(region === undefined ? {} : { region }));
}

/** Without one the SDK asks nobody, and its error has no name to tell it by. */
async function hasRegion({ stack: { region } }: Settings): Promise<boolean> {
  const client = new SecretsManagerClient(region === undefined ? {} : { region });
  return client.config.region().then(
    () => true,
    () => false,
  );
}

/** Atlas is where the environment says, or else the settings, as for `npm run serve`. */
function atAtlas(settings: Settings): Settings {
  const baseUrl = process.env['MONGODB_ATLAS_BASE_URL'] || settings.atlas.baseUrl;
  return { ...settings, atlas: { ...settings.atlas, baseUrl } };
}

async function checkWithSecrets(settings: Settings, manager: SecretReader, folder: boolean): Promise<Finding[]> {
  if (!folder && !(await hasRegion(settings))) {
    const text = 'there is no AWS region here: the secrets the settings name were not looked at';
    return [
      { area: 'aws', verdict: 'note', text, fix: 'set AWS_REGION or stack.region; or name a folder with --data' },
    ];
  }
  const secrets = await checkSecrets(settings, manager);
  // Without a way to the secrets, what they are for can't be tried either.
  if (secrets.length === 0 || secrets.every(({ verdict }) => verdict === 'note')) return secrets;
  return [
    ...secrets,
    ...(folder ? [] : await checkAws(settings, process.env)),
    ...(await checkAccounts(atAtlas(settings), manager)),
    ...(await checkDestinations(settings, manager)),
  ];
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      settings: { type: 'string' },
      data: { type: 'string' },
      webhook: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  await using opened = new AsyncDisposableStack();
  const file = path.resolve(values.settings ?? 'settings.yaml');
  const { settings, findings } = checkSettings(file, values.settings !== undefined);
  const all: Finding[] = [
    checkNode(process.version),
    ...findings,
    checkBundles(DIST),
    ...(settings ? checkTickets(settings) : []),
    ...(settings
      ? await checkWithSecrets(settings, await managerFor(settings, values.data, opened), values.data !== undefined)
      : []),
    ...(await checkAtlas(process.env)),
    ...(await Promise.all(values.webhook.map((address) => checkWebhook(address)))),
  ];
  const well = isWell(all);
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ well, findings: all }, null, 2)}\n`
      : `${all.map(line).join('\n')}\n${well ? 'Nothing to fix.' : 'Something is to fix, or not known.'}\n`,
  );
  return well ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${safe(error instanceof Error ? error.message : String(error))}\n${USAGE}\n`);
  const isUsage =
    error instanceof ConfigError ||
    (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  process.exitCode = isUsage ? 2 : 1;
}

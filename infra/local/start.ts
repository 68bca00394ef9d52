/**
 * `npm start`: builds the bundles and runs every capability once through them, on this machine alone, against the Atlas
 * sandbox, the ticket sandbox and the embedded AWS services. With `--settings` it rotates secrets in the AWS account and
 * the Atlas organization the settings speak of. Exit status: 0 everything done and proven, 1 something was not, 2 wrong
 * arguments or settings.
 */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, styleText } from 'node:util';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ConfigError } from '../../lib/errors.ts';
import { buildBundles } from '../build.ts';
import { loadSettings } from '../settings.ts';
import { createMovableClock } from './clock.ts';
import { seedDemoWorld } from './demo-world.ts';
import { type Machine, startMachine } from './machine.ts';
import { type Calls, type RotationProof, rotateAndProve, settledByLabels } from './rotate-and-prove.ts';
import { createProgress, type Progress } from './terminal/progress.ts';
import { summaryScreen } from './terminal/summary.ts';
import { safe, safeLines } from './terminal/text.ts';
import { createTicketSandbox } from './ticket-sandbox/sandbox.ts';
import { auditBackups } from './tour/backups.ts';
import { migrateOne } from './tour/migration.ts';
import type { Stop } from './tour/stop.ts';
import { bridgeAlerts, WEBHOOK_KEY } from './tour/tickets.ts';

const USAGE = `npm start                                        every capability once on this machine, everything embedded
npm start -- --settings settings.yaml --yes      rotate the deployed secrets, in AWS and in Atlas
npm start -- --json                              the outcome as JSON on stdout`;

/** Where the pages go: beside the bundles, in the folder the command was called in. */
const PAGES = path.resolve('reports');

/** How long a rotation elsewhere may take: four steps, and Secrets Manager's own pauses between them. */
const REAL_TIMEOUT_MS = 10 * 60_000;

const say = (text: string): void => {
  process.stderr.write(`${safe(text)}\n`);
};

/** What happened: the rotations one by one, and the other capabilities a stop each. */
interface Outcome {
  readonly proofs: readonly RotationProof[];
  readonly stops: readonly Stop[];
}

const stepped = (stop: Stop) => ({
  isWell: stop.problem === null,
  text: stop.problem ?? stop.did[0] ?? stop.capability,
});

async function runHere({ say, step }: Progress): Promise<Outcome> {
  say('Atlas, AWS and the ticket systems are all embedded: nothing leaves this machine.');
  await step('Building the functions', buildBundles, (built) => ({
    isWell: true,
    text: `${built.length} functions built`,
  }));
  let output = '';
  await using stack = new AsyncDisposableStack();
  const clock = createMovableClock();
  const tickets = createTicketSandbox({ clock });
  const trackers = stack.use(await tickets.listen());
  const github = tickets.destinations(trackers.origin).find(({ type }) => type === 'github');
  const machine = stack.use(
    await startMachine({
      clock,
      settings: {
        tickets: { destinations: [github], policy: { groupWaitSeconds: 0, groupIntervalSeconds: 0 } },
      },
      onOutput: (text) => (output += text),
    }),
  );
  const secretsManager = new SecretsManagerClient(machine.sdk);
  for (const [Name, SecretString] of Object.entries(tickets.secrets))
    await secretsManager.send(new CreateSecretCommand({ Name, SecretString }));
  secretsManager.destroy();
  await machine.seedWebhookSecret({ current: WEBHOOK_KEY });
  const { secrets, org, project } = await seedDemoWorld(machine);
  const proofs = await step(
    'Rotating secrets',
    () => rotateAll(machine, secrets),
    (done) => ({
      isWell: done.every(({ problem }) => problem === null),
      text: `${done.filter(({ problem }) => problem === null).length} of ${done.length} secrets rotated`,
    }),
  );
  const { world } = machine.atlas;
  const automation = world.addOrgAccount(org, { name: 'atlas-automation', roles: ['ORG_OWNER'] });
  await machine.seedAtlasCredentials({
    clientId: automation.clientId,
    clientSecret: world.addSecret(automation).value,
  });
  const stops = [
    await step('Turning alerts into tickets', () => bridgeAlerts(machine, tickets, project), stepped),
    await step('Auditing backups', () => auditBackups(machine, org, project, PAGES), stepped),
    await step('Migrating a cluster', () => migrateOne(machine, org, project, PAGES), stepped),
  ];
  if ([...proofs, ...stops].some(({ problem }) => problem))
    process.stderr.write(`What the functions printed:\n${safeLines(output)}\n`);
  return { proofs, stops };
}

async function rotateAll(machine: Machine, secrets: readonly string[]): Promise<RotationProof[]> {
  const client = new SecretsManagerClient(machine.sdk);
  const { journal } = machine.faults;
  let counted = journal.length;
  const countCalls = (): Calls => {
    const fresh = journal.slice(counted).filter(({ operation }) => operation !== 'RotateSecret');
    counted = journal.length;
    // AWS names its operations with a capital, Atlas without.
    const aws = fresh.filter(({ operation }) => /^[A-Z]/.test(operation)).length;
    return { aws, atlas: fresh.length - aws };
  };
  const place = {
    client,
    atlasOrigin: machine.atlasOrigin,
    rotationLambdaArn: machine.rotate.arn,
    settled: () => machine.aws.secretsManager.rotationsSettled(),
    countCalls,
  };
  const proofs: RotationProof[] = [];
  for (const secret of secrets) proofs.push(await rotateAndProve(place, secret));
  client.destroy();
  return proofs;
}

async function rotateThere(file: string, yes: boolean, { say, step }: Progress): Promise<RotationProof[]> {
  const { atlas, rotation, stack } = loadSettings(file);
  const names = rotation.secrets.map(({ secret }) => secret);
  if (names.length === 0)
    throw new ConfigError(`${file} names no secrets`, [{ path: 'rotation.secrets', problem: 'is empty' }]);
  if (!yes) {
    throw new ConfigError(
      `this would rotate for real, in AWS and at ${atlas.baseUrl}: ${names.join(', ')}. Say --yes to go ahead.`,
    );
  }
  say(`Atlas (${atlas.baseUrl}) and AWS are both real.`);
  const client = new SecretsManagerClient(stack.region === undefined ? {} : { region: stack.region });
  const place = { client, atlasOrigin: atlas.baseUrl, settled: settledByLabels(client, sleep, REAL_TIMEOUT_MS) };
  const proofs: RotationProof[] = [];
  for (const secret of names)
    proofs.push(
      await step(
        `Rotating ${secret}`,
        () => rotateAndProve(place, secret),
        ({ problem }) => ({ isWell: problem === null, text: `${secret}: ${problem ?? 'rotated'}` }),
      ),
    );
  return proofs;
}

/** Whether colours are wanted: a terminal has them unless `NO_COLOR` says no; `FORCE_COLOR` says yes anywhere. */
const hasColours = (output: NodeJS.WriteStream): boolean =>
  styleText('bold', 'x', { stream: output, validateStream: true }) !== 'x';

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      settings: { type: 'string' },
      yes: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const progress = await createProgress(process.stderr);
  progress.say(`Atlas Automation on Node ${process.version}`);
  const start = performance.now();
  const { proofs, stops } =
    values.settings === undefined
      ? await runHere(progress)
      : { proofs: await rotateThere(values.settings, values.yes, progress), stops: [] };
  const proven = [...proofs, ...stops].every(({ problem }) => problem === null);
  const seconds = (performance.now() - start) / 1_000;
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ node: process.version, proven, seconds, rotations: proofs, capabilities: stops }, null, 2)}\n`
      : summaryScreen({ proofs, stops, seconds, columns: process.stdout.columns, colours: hasColours(process.stdout) }),
  );
  return proven ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  const usage =
    error instanceof ConfigError ||
    (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  say(error instanceof Error ? error.message : String(error));
  if (error instanceof ConfigError) for (const { path, problem } of error.problems) say(`  ${path}: ${problem}`);
  if (usage) process.stderr.write(`${USAGE}\n`);
  process.exitCode = usage ? 2 : 1;
}

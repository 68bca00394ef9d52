/**
 * `npm start`: builds the bundles and rotates secrets through them. Without arguments on this machine alone, against
 * the Atlas sandbox and the embedded AWS services; with `--settings` in the AWS account and the Atlas organization the
 * settings speak of. Exit status: 0 everything rotated and proven, 1 something did not, 2 wrong arguments or settings.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ConfigError } from '../../lib/errors.ts';
import { buildBundles } from '../build.ts';
import { loadSettings } from '../settings.ts';
import { seedDemoWorld } from './demo-world.ts';
import { startMachine } from './machine.ts';
import { proofTable } from './proof-table.ts';
import { type Calls, type RotationProof, rotateAndProve, settledByLabels } from './rotate-and-prove.ts';

const USAGE = `npm start                                        rotate on this machine, everything embedded
npm start -- --settings settings.json --yes      rotate the deployed secrets, in AWS and in Atlas
npm start -- --json                              the outcome as JSON on stdout`;

/** How long a rotation elsewhere may take: four steps, and Secrets Manager's own pauses between them. */
const REAL_TIMEOUT_MS = 10 * 60_000;

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

async function rotateHere(): Promise<RotationProof[]> {
  say('Atlas and AWS are both embedded: nothing leaves this machine.');
  await buildBundles();
  let output = '';
  await using machine = await startMachine({ onOutput: (text) => (output += text) });
  const secrets = await seedDemoWorld(machine);
  const client = new SecretsManagerClient(machine.sdk);
  const { journal } = machine.faults;
  let counted = 0;
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
  if (proofs.some(({ problem }) => problem)) say(`What the function printed:\n${output}`);
  return proofs;
}

async function rotateThere(file: string, yes: boolean): Promise<RotationProof[]> {
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
  for (const secret of names) proofs.push(await rotateAndProve(place, secret));
  return proofs;
}

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
  say(`Atlas Automation on Node ${process.version}`);
  const start = performance.now();
  const proofs = values.settings === undefined ? await rotateHere() : await rotateThere(values.settings, values.yes);
  const proven = proofs.every(({ problem }) => problem === null);
  const seconds = (performance.now() - start) / 1_000;
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ node: process.version, proven, seconds, rotations: proofs }, null, 2)}\n`
      : proofTable(proofs, seconds),
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
  if (usage) say(USAGE);
  process.exitCode = usage ? 2 : 1;
}

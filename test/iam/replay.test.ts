/**
 * Every call the functions made of AWS in the integration tests, against the roles the stack gives them: each is allowed
 * by the role of the function that made it, in a deployment by the settings of that test, and nothing is granted that no
 * call needed. `AWS_CALLS` names the record of those tests, which a run of them with `RECORD_AWS_CALLS` leaves.
 */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LAMBDAS } from '../../infra/build.ts';
import { RECORD_FILE } from '../../infra/local/aws/recorder.ts';
import { loadSettings, Settings } from '../../infra/settings.ts';
import { tinyBundles } from '../infra/synth.ts';
import { exceptions } from './exceptions.ts';
import { fits, type Grant, grantsOf, inWords, serves } from './grants.ts';
import { type Judge, startJudge } from './judge.ts';
import { type Policy, policiesOf } from './policies.ts';
import { type Recorded, readRecord } from './record.ts';
import { settingsOf } from './settings-of.ts';

const running = new AsyncDisposableStack();
const bundles = tinyBundles();
running.defer(() => rm(bundles, { recursive: true, force: true }));
afterAll(() => running.disposeAsync());

interface Replayed extends Recorded {
  readonly deployed: Settings;
  readonly policies: ReadonlyMap<string, readonly Policy[]>;
}
let made = 0;
let deployments: Replayed[] = [];
let judge: Judge;

beforeAll(async () => {
  const record = readRecord(recordFile());
  made = record.made;
  deployments = record.deployments.map((each) => {
    const deployed = settingsOf(each);
    return { ...each, deployed, policies: policiesOf(deployed, bundles) };
  });
  judge = running.use(await startJudge());
}, 300_000);

/** Names the record, or says how one is made. */
function recordFile(): string {
  const file = process.env['AWS_CALLS'];
  if (file && existsSync(file)) return file;
  throw new Error(
    `${file ? `there is no file ${file}, which AWS_CALLS names` : 'AWS_CALLS is not set'}: record the calls of the integration tests first, ` +
      `which takes some minutes (${RECORD_FILE}=calls.jsonl npm test integration), then replay them (AWS_CALLS=calls.jsonl SUITE=iam npm test iam/)`,
  );
}

it('has calls of every function to replay', () => {
  const callers = new Set(deployments.flatMap(({ calls }) => calls.map(({ caller }) => caller)));
  expect([...callers].toSorted()).toEqual(Object.values(LAMBDAS).toSorted());
  expect(made).toBeGreaterThan(10_000);
});

it('allows every call by the role of the function that made it', { timeout: 300_000 }, async () => {
  const denied: string[] = [];
  for (const { calls, policies } of deployments)
    for (const call of calls) {
      const verdict = await judge.judge(policies.get(call.caller) ?? [], call);
      if (verdict !== 'Allowed') denied.push(`${verdict}: ${call.caller} ${call.action} ${call.resource}`);
    }
  expect([...new Set(denied)]).toEqual([]);
});

it('would notice any statement that is missing', { timeout: 300_000 }, async () => {
  const kinds = new Set<string>();
  for (const { calls, policies } of deployments)
    for (const call of calls) {
      const kind = `${call.caller} ${call.action}`;
      if (kinds.has(kind)) continue;
      kinds.add(kind);
      const own = policies.get(call.caller) ?? [];
      const without = own.map((policy) => ({
        ...policy,
        Statement: policy.Statement.filter(({ Action }) => ![Action].flat().includes(call.action)),
      }));
      expect([kind, await judge.judge(without, call)]).toEqual([kind, 'ImplicitlyDenied']);
    }
  expect(kinds.size).toBeGreaterThan(40);
});

describe('every grant', () => {
  /** By its words, whether any call needed it. */
  const used = (): Map<string, boolean> => {
    const grants = new Map<string, boolean>();
    for (const { calls, policies, deployed } of deployments)
      for (const [lambda, own] of policies)
        for (const grant of grantsOf(lambda, own)) {
          const words = inWords(grant, deployed);
          grants.set(words, (grants.get(words) ?? false) || calls.some((call) => serves(grant, call)));
        }
    return grants;
  };
  const isExcepted = (words: string): boolean => exceptions.some(({ grant }) => grant.test(words));

  it('was needed by some call, or says why it is there', () => {
    const unused = [...used()].filter(([words, needed]) => !needed && !isExcepted(words)).map(([words]) => words);
    expect(unused.toSorted()).toEqual([]);
  });

  it('of the example’s settings, and of settings with everything, is among them', () => {
    const needed = used();
    const example = loadSettings('infra/settings.example.json');
    const unknown = [example, everything(example)].flatMap((settings) =>
      [...policiesOf(settings, bundles)].flatMap(([lambda, own]) =>
        grantsOf(lambda, own)
          .map((grant: Grant) => inWords(grant, settings))
          .filter((words) => needed.get(words) !== true && !isExcepted(words)),
      ),
    );
    expect([...new Set(unknown)].toSorted()).toEqual([]);
  });

  it('would stand out if it were one too many', () => {
    const settings = loadSettings('infra/settings.example.json');
    const Statement: Policy['Statement'] = [
      {
        Effect: 'Allow',
        Action: 'dynamodb:DeleteItem',
        Resource: 'arn:aws:dynamodb:us-east-1:000000000000:table/state',
      },
      { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: '*' },
    ];
    for (const grant of grantsOf('deliver-tickets', [{ Version: '2012-10-17', Statement }]))
      expect([used().get(inWords(grant, settings)), isExcepted(inWords(grant, settings))]).toEqual([undefined, false]);
  });

  it('has no exception that nothing needs', () => {
    const example = loadSettings('infra/settings.example.json');
    const words = [
      ...[...used()].filter(([, needed]) => !needed).map(([each]) => each),
      ...[...policiesOf(everything(example), bundles)].flatMap(([lambda, own]) =>
        grantsOf(lambda, own).map((grant) => inWords(grant, everything(example))),
      ),
    ];
    expect(exceptions.filter(({ grant }) => !words.some((each) => grant.test(each)))).toEqual([]);
  });
});

describe('the judge', () => {
  const policy = (statement: object): Policy[] => [
    { Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement } as Policy['Statement'][number]] },
  ];
  const table = 'arn:aws:dynamodb:us-east-1:000000000000:table/state';
  const read = (...keys: string[]) => ({
    caller: 'f',
    action: 'dynamodb:GetItem',
    resource: table,
    context: { 'dynamodb:LeadingKeys': keys },
  });
  const own = policy({
    Action: 'dynamodb:GetItem',
    Resource: table,
    Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['audit#*'] } },
  });

  it('keeps a function to its partitions', async () => {
    expect(await judge.judge(own, read('audit#1'))).toBe('Allowed');
    expect(await judge.judge(own, read('other'))).toBe('ImplicitlyDenied');
    expect(await judge.judge(own, read('audit#1', 'other'))).toBe('ImplicitlyDenied');
  });

  it('tells another action, and another resource', async () => {
    expect(await judge.judge(own, { ...read('audit#1'), action: 'dynamodb:PutItem' })).toBe('ImplicitlyDenied');
    expect(await judge.judge(own, { ...read('audit#1'), resource: `${table}2` })).toBe('ImplicitlyDenied');
  });

  it('takes no action AWS does not know', async () => {
    await expect(judge.judge(own, { ...read('audit#1'), action: 'dynamodb:Read' })).rejects.toThrow('cannot be judged');
  });

  it.each([
    ['arn:aws:s3:::b/audits/*', 'arn:aws:s3:::b/audits/a/b', true],
    ['arn:aws:s3:::b/audits/*', 'arn:aws:s3:::b/audit', false],
    ['secret:a-??????', 'secret:a-123456', true],
    ['secret:a-??????', 'secret:a-b-123456', false],
    ['a.c', 'abc', false],
  ])('and the pattern %s beside %s', (pattern, text, expected) => {
    expect(fits(pattern, text)).toBe(expected);
  });
});

/** The example with every option that grants anything. */
function everything(example: Settings): Settings {
  const key = (nth: number): string =>
    `arn:aws:kms:us-east-1:000000000000:key/0000000${nth}-0000-4000-8000-000000000000`;
  const [first, second] = example.rotation.secrets;
  if (!first || !second) throw new TypeError('the example rotates two secrets');
  return Settings.parse({
    ...example,
    rotation: {
      ...example.rotation,
      secrets: [
        {
          ...first,
          kmsKeyArn: key(1),
          fanOut: [
            { type: 'secrets-manager', secret: 'copies/billing', kmsKeyArn: key(2) },
            { type: 'ssm', parameter: '/billing/atlas', kmsKeyArn: key(2) },
          ],
        },
        { ...second, kmsKeyArn: key(1) },
      ],
    },
    migration: { ...example.migration, cloudManagerCredentialsSecret: 'atlas-automation/cloud-manager' },
    audit: { ...example.audit, securityHub: { accountId: '000000000000', region: 'us-east-1', partition: 'aws' } },
    data: { ...example.data, ownKey: true },
    stack: { ...example.stack, account: '000000000000', region: 'us-east-1' },
  });
}

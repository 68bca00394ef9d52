import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { describe, expect, it } from 'vitest';
import { loadSettings, Settings } from '../../infra/settings.ts';
import { ConfigError } from '../../lib/errors.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'settings-'));
const file = (text: string): string => {
  const name = path.join(folder, 'settings.json');
  writeFileSync(name, text);
  return name;
};
const failure = (load: () => unknown): ConfigError => {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('these settings were accepted');
};
const problems = (settings: unknown) => failure(() => loadSettings(file(JSON.stringify(settings)))).problems;
const paths = (settings: unknown) => problems(settings).map((problem) => problem.path);

const ARN = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders/atlas-Ab12Cd';

describe('loadSettings', () => {
  it('takes the example', () => {
    const example = path.join(import.meta.dirname, '../../infra/settings.example.json');
    expect(loadSettings(example).rotation.secrets).toHaveLength(2);
  });

  it('needs nothing: every section has its defaults', () => {
    expect(loadSettings(file('{}'))).toMatchObject({
      atlas: { baseUrl: 'https://cloud.mongodb.com', credentials: {} },
      rotation: { secretExpiresAfterHours: 2160, graceHours: 24, everyDays: 30, secrets: [] },
      audit: { policy: {}, sockets: 100 },
      migration: { planMinutes: 60, lagGateSeconds: 30, sourceSecrets: [] },
      tickets: { destinations: [], routes: [] },
      webhooks: {},
      schedules: { auditEveryHours: 24 },
      data: { reports: { keepDays: 400 } },
      alarms: {},
      stack: { name: 'atlas-automation', logRetentionDays: 90, tags: {} },
    });
  });

  it('takes a file that begins with a byte order mark', () => {
    expect(loadSettings(file('\uFEFF{"stack":{"name":"here"}}')).stack.name).toBe('here');
  });

  const secret = (value: object) => ({ rotation: { secrets: [{ secret: 'a' }, { secret: 'b', ...value }] } });
  it.each([
    ['a section nobody knows', { rotations: {} }, ['rotations']],
    [
      'a key nobody knows, at every depth',
      { atlas: { url: 'x' }, ...secret({ arn: ARN }) },
      ['atlas.url', 'rotation.secrets.1.arn'],
    ],
    ['not an object', [], ['(the whole)']],
    ['an Atlas that is no URL', { atlas: { baseUrl: 'cloud' } }, ['atlas.baseUrl']],
    ['an Atlas without TLS', { atlas: { baseUrl: 'http://cloud.example.com' } }, ['atlas.baseUrl']],
    ['an Atlas on the machine that deploys', { atlas: { baseUrl: 'http://127.0.0.1:9000' } }, ['atlas.baseUrl']],
    ['a secret for everything', secret({ secret: '*' }), ['rotation.secrets.1.secret']],
    ['a pattern in a name', secret({ secret: 'atlas/*' }), ['rotation.secrets.1.secret']],
    ['a pattern in an ARN', secret({ secret: ARN.replace('orders', '*') }), ['rotation.secrets.1.secret']],
    ['an ARN of something else', secret({ secret: 'arn:aws:iam::111122223333:role/x' }), ['rotation.secrets.1.secret']],
    ['an administrator for everything', secret({ adminSecret: '*' }), ['rotation.secrets.1.adminSecret']],
    [
      'a key by its alias',
      secret({ kmsKeyArn: 'arn:aws:kms:eu-central-1:111122223333:alias/x' }),
      ['rotation.secrets.1.kmsKeyArn'],
    ],
    [
      'all keys',
      secret({ kmsKeyArn: 'arn:aws:kms:eu-central-1:111122223333:key/*' }),
      ['rotation.secrets.1.kmsKeyArn'],
    ],
    ['one secret twice', secret({ secret: 'a' }), ['rotation.secrets.1.secret']],
    [
      'one secret by name and by ARN',
      { rotation: { secrets: [{ secret: 'orders/atlas' }, { secret: ARN }] } },
      ['rotation.secrets.1.secret'],
    ],
    [
      'more secrets than a stack takes',
      { rotation: { secrets: Array.from({ length: 301 }, (_, n) => ({ secret: `s${n}` })) } },
      ['rotation.secrets'],
    ],
    ['a topic that is none', { alarms: { topicArn: 'operations' } }, ['alarms.topicArn']],
    [
      'an address for a topic that exists',
      { alarms: { topicArn: 'arn:aws:sns:eu-central-1:111122223333:t', email: 'a@example.com' } },
      ['alarms.email'],
    ],
    ['an address that is none', { alarms: { email: 'nobody' } }, ['alarms.email']],
    ['a retention CloudWatch does not know', { stack: { logRetentionDays: 91 } }, ['stack.logRetentionDays']],
    ['logs without end', { stack: { logRetentionDays: 9999 } }, ['stack.logRetentionDays']],
    ['an account without a region', { stack: { account: '111122223333' } }, ['stack.region']],
    ['a number for an account', { stack: { account: 111122223333, region: 'eu-central-1' } }, ['stack.account']],
    ['a stack name with a space', { stack: { name: 'my stack' } }, ['stack.name']],
    ["AWS's own tags", { stack: { tags: { 'aws:owner': 'x' } } }, ['stack.tags.aws:owner']],
  ])('refuses %s', (_, settings, expected) => {
    expect(paths(settings)).toEqual(expected);
  });

  it('reports everything at once, and no value', () => {
    const error = failure(() =>
      loadSettings(
        file(
          JSON.stringify({
            atlas: { baseUrl: 'hunter2-url' },
            rotation: { secrets: [{ secret: 'hunter2 name', kmsKeyArn: 'arn:hunter2' }], everyDays: 'hunter2' },
            alarms: { email: 'hunter2', topicArn: 'hunter2' },
            stack: { logRetentionDays: 'hunter2', name: 'hunter2 !', tags: { a: 'hunter2\n' } },
          }),
        ),
      ),
    );
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.problems.map(({ path: where }) => where)).toEqual(
      expect.arrayContaining([
        'atlas.baseUrl',
        'rotation.everyDays',
        'alarms.email',
        'alarms.topicArn',
        'stack.logRetentionDays',
        'stack.name',
        'stack.tags.a',
      ]),
    );
    expect(error.facts).toEqual({ problems: error.problems });
    expect(JSON.stringify([error.message, error.facts, error.stack])).not.toContain('hunter2');
    expect(error.cause).toBeUndefined();
  });

  it.each([
    ['{"secret": hunter2}', /is not valid JSON/],
    ['{"secret": "hunter2",\n  "x": }', /is not valid JSON/],
    ['hunter2', /is not valid JSON/],
    ['', /is not valid JSON/],
    ['{"a": "hunter2', /is not valid JSON \(line 1 column 15\)/],
  ])('says of %j that it is not JSON, without quoting it', (content, message) => {
    const error = failure(() => loadSettings(file(content)));
    expect(error.message).toMatch(message);
    expect(JSON.stringify([error.message, error.facts, error.stack, error.cause])).not.toContain('hunter2');
  });

  it('says that a file is missing, or cannot be read', () => {
    expect(failure(() => loadSettings(path.join(folder, 'none.json'))).message).toMatch(/none\.json does not exist\.$/);
    expect(failure(() => loadSettings(folder)).message).toMatch(/cannot be read \(EISDIR\)\.$/);
  });
});

it('knows every retention CDK knows', () => {
  const days = Object.values(RetentionDays).filter(
    (value) => typeof value === 'number' && value !== RetentionDays.INFINITE,
  );
  for (const logRetentionDays of days) expect(Settings.safeParse({ stack: { logRetentionDays } }).success).toBe(true);
});

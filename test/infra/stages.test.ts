import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { refuseElsewhere } from '../../infra/deployment.ts';
import { loadSettings, loadStages, Settings } from '../../infra/settings.ts';
import { ConfigError } from '../../lib/errors.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'stages-'));
const file = (content: unknown, name = 'settings.yaml'): string => {
  const to = path.join(folder, name);
  writeFileSync(
    to,
    typeof content === 'string' ? content : name.endsWith('l') ? stringify(content) : JSON.stringify(content),
  );
  return to;
};
const failure = (run: () => unknown): ConfigError => {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('these settings were accepted');
};

const PLACES = {
  dev: { account: '111122223333', region: 'eu-central-1' },
  prod: { account: '222233334444', region: 'eu-west-1' },
};

describe('a settings file in YAML', () => {
  it.each(['settings.yaml', 'settings.yml', 'settings.YAML'])('is taken by its name: %s', (name) => {
    const text = '# ours\nstack: { name: here } # and there\nrotation:\n  secrets:\n    - secret: a\n';
    expect(loadSettings(file(text, name))).toMatchObject({
      stack: { name: 'here' },
      rotation: { secrets: [{ secret: 'a' }] },
    });
  });

  it('says the same as one in JSON', () => {
    const content = { atlas: { credentials: { audit: { secret: 'a' } } }, data: { reports: { keepDays: 5 } } };
    expect(loadSettings(file(content))).toEqual(loadSettings(file(content, 'settings.json')));
  });

  it.each([
    ['a: [hunter2', /is not valid YAML \(line 1 column 12\)/],
    ['a: 1\na: hunter2', /is not valid YAML \(line 2 column 1\)/],
    ['a: *hunter2', /is not valid YAML/],
    ['a: !hunter2 b', /is not valid YAML/],
  ])('is refused, and not quoted, where it is broken: %j', (text, message) => {
    const error = failure(() => loadSettings(file(text)));
    expect(error.message).toMatch(message);
    expect(JSON.stringify([error.message, error.facts, error.stack, error.cause])).not.toContain('hunter2');
  });

  it('is not read without end', () => {
    const lines = Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} [${Array(9).fill(`*a${n}`).join(', ')}]`);
    expect(failure(() => loadSettings(file(`a0: &a0 [x]\n${lines.join('\n')}`))).message).toMatch('is not valid YAML');
  });
});

describe('a settings file with stages', () => {
  it('gives each stage what all share, its own place, and what it says itself', () => {
    const stages = loadStages(
      file({
        rotation: { everyDays: 20, secrets: [{ secret: 'shared' }] },
        stack: { tags: { owner: 'x' } },
        alarms: { email: 'a@example.com' },
        stages: {
          dev: { ...PLACES.dev, rotation: { everyDays: 10 }, stack: { tags: { stage: 'dev' } } },
          prod: { ...PLACES.prod, rotation: { secrets: [] }, alarms: { email: null }, stack: { name: 'live' } },
        },
      }),
    );
    expect(stages.map(({ stage }) => stage)).toEqual(['dev', 'prod']);
    expect(stages[0]?.settings).toMatchObject({
      rotation: { everyDays: 10, secrets: [{ secret: 'shared' }] },
      stack: { name: 'atlas-automation-dev', ...PLACES.dev, tags: { owner: 'x', stage: 'dev' } },
      alarms: { email: 'a@example.com' },
    });
    expect(stages[1]?.settings).toMatchObject({
      rotation: { everyDays: 20, secrets: [] },
      stack: { name: 'live', ...PLACES.prod, tags: { owner: 'x' } },
    });
    expect(stages[1]?.settings.alarms.email).toBeUndefined();
  });

  it('gives one of them by its name, and all of them', () => {
    const name = file({ stages: PLACES });
    expect(loadSettings(`${name}#prod`).stack).toMatchObject(PLACES.prod);
    expect(loadStages(`${name}#all`)).toHaveLength(2);
    expect(failure(() => loadSettings(name)).message).toMatch('has several stages: name one behind it');
    expect(failure(() => loadSettings(`${name}#test`)).message).toMatch('no such stage; it has: dev, prod');
    expect(failure(() => loadSettings(`${file({})}#dev`)).message).toMatch('no such stage; it has: none');
  });

  it('is still usable without them: the form of one deployment', () => {
    expect(loadStages(file({ stack: { name: 'one' } }))).toMatchObject([{ settings: { stack: { name: 'one' } } }]);
  });

  it('reports every problem of every stage at once, each where it stands in the file, and once', () => {
    const content = {
      schedules: { flexibleMinutes: 99 },
      rotation: { secrets: [{ secret: '*' }] },
      stages: {
        dev: { ...PLACES.dev, alarms: { email: 'nobody' }, schedules: { auditEveryHours: 0 } },
        prod: {
          ...PLACES.prod,
          rotation: { secrets: [{ secret: 'a' }, { secret: 'a' }] },
          unknown: 1,
          stack: { nam: 1 },
        },
      },
    };
    expect(
      failure(() => loadStages(file(content)))
        .problems.map(({ path: at }) => at)
        .toSorted(),
    ).toEqual([
      'rotation.secrets.0.secret',
      'schedules.flexibleMinutes',
      'stages.dev.alarms.email',
      'stages.dev.schedules.auditEveryHours',
      'stages.prod.rotation.secrets.1.secret',
      'stages.prod.stack.nam',
      'stages.prod.unknown',
    ]);
  });

  it.each([
    ['without a place', { stages: { dev: {} } }, ['stages.dev.account', 'stages.dev.region']],
    ['with a number for an account', { stages: { dev: { ...PLACES.dev, account: 1 } } }, ['stages.dev.account']],
    ['with a name nobody can type', { stages: { 'De v': PLACES.dev } }, ['stages.De v']],
    ['called all', { stages: { all: PLACES.dev } }, ['stages.all']],
    ['with none', { stages: {} }, ['stages']],
    ['as a list', { stages: [PLACES.dev] }, ['stages']],
    [
      'that are the same stack',
      { stages: { a: { ...PLACES.dev, stack: { name: 'x' } }, b: { ...PLACES.dev, stack: { name: 'x' } } } },
      ['stages.b.stack.name'],
    ],
  ])('is refused: stages %s', (_, content, paths) => {
    expect(failure(() => loadStages(file(content))).problems.map(({ path: at }) => at)).toEqual(paths);
  });
});

describe('credentials of another place', () => {
  const settings = (stack: object) => Settings.parse({ stack });
  const { account, region } = PLACES.dev;

  it('are refused, each difference by its path', () => {
    const error = failure(() => refuseElsewhere(settings(PLACES.prod), { account, region }));
    expect(error.problems).toEqual([
      { path: 'stack.account', problem: 'is 222233334444, and the credentials at hand are for 111122223333' },
      { path: 'stack.region', problem: 'is eu-west-1, and the credentials at hand are for eu-central-1' },
    ]);
    expect(
      failure(() => refuseElsewhere(settings(PLACES.dev), { account, region: 'us-east-1' })).problems.map(
        ({ path: at }) => at,
      ),
    ).toEqual(['stack.region']);
  });

  it('are taken where they fit, where the settings name no place, and where there are none', () => {
    refuseElsewhere(settings(PLACES.dev), { account, region });
    refuseElsewhere(settings({}), { account, region });
    refuseElsewhere(settings(PLACES.dev), { account: undefined, region: undefined });
  });
});

describe('the settings of the stack', () => {
  const pathsOf = (settings: object) => Settings.safeParse(settings).error?.issues.map(({ path: at }) => at.join('.'));

  it.each([
    [{ schedules: { auditAt: '25:00' } }, ['schedules.auditAt']],
    [{ schedules: { auditAt: '03:00', auditEveryHours: 5 } }, ['schedules.auditEveryHours']],
    [{ schedules: { auditAt: '03:00', timeZone: 'Mars/Olympus' } }, ['schedules.timeZone']],
    [{ schedules: { timeZone: 'Europe/Berlin' } }, ['schedules.timeZone']],
    [{ schedules: { flexibleMinutes: 60 } }, ['schedules.flexibleMinutes']],
    [{ concurrency: { alerts: 0 } }, ['concurrency.alerts']],
    [{ concurrency: { delivery: 1 } }, ['concurrency.delivery']],
    [{ egress: { cidr: '8.8.8.0/24' } }, ['egress.cidr']],
    [{ egress: { zones: 1, natGateways: 2 } }, ['egress.natGateways']],
    [{ egress: { privateLink: ['s4'] } }, ['egress.privateLink.0']],
    [{ webhooks: { allowFrom: { atlas: [] } } }, ['webhooks.allowFrom.atlas']],
    [
      { webhooks: { allowFrom: { trackers: ['10.0.0.0/33', 'x', '1.2.3.4'] } } },
      ['webhooks.allowFrom.trackers.0', 'webhooks.allowFrom.trackers.1'],
    ],
    [{ data: { ownKey: true, kmsKeyArn: 'arn:aws:kms:eu-west-1:111122223333:key/a' } }, ['data.ownKey']],
    [
      { stack: { codeSigning: { configArn: 'x', bucket: 'b!' } } },
      ['stack.codeSigning.configArn', 'stack.codeSigning.bucket'],
    ],
  ])('%j are refused by path', (settings, paths) => {
    expect(pathsOf(settings)).toEqual(paths);
  });
});

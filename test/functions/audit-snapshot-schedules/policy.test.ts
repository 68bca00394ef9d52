import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { explained } from '../../../functions/audit-snapshot-schedules/explain.ts';
import { policySchema } from '../../../functions/audit-snapshot-schedules/policy/document.ts';
import { fits } from '../../../functions/audit-snapshot-schedules/policy/glob.ts';
import { loadPolicy, PolicyInvalid } from '../../../functions/audit-snapshot-schedules/policy/load.ts';
import { ruleIds } from '../../../functions/audit-snapshot-schedules/policy/options.ts';
import { NOW } from './facts-builder.ts';

const problemsOf = (source: unknown, now = NOW) => {
  try {
    loadPolicy(source, now);
  } catch (error) {
    if (error instanceof PolicyInvalid) return error.problems;
    throw error;
  }
  return [];
};
const subject = (change: object = {}) => ({
  projectId: '0'.repeat(24),
  projectName: 'shop',
  clusterId: '1'.repeat(24),
  clusterName: 'prod',
  tags: [],
  ...change,
});
const minDays = (source: unknown, change: object = {}, now = NOW): number =>
  loadPolicy(source, now).resolve(subject(change)).options('BK-05').minDays;

describe('a policy that cannot be used', () => {
  it('has all its problems told at once, by path and line', () => {
    const text = `name: acme
organization:
  rules:
    BK-99: { enabled: true }
    BK-05: { minDays: 3 }
exceptions:
  - name: forever
    owner: me
    reason: because
    expires: 2027-03-01T00:00:00Z
    rules: [BK-08]
  - name: long-gone
    owner: me
    reason: because
    expires: 2025-01-01T00:00:00Z
    rules: [BK-08]
`;
    expect(problemsOf(text)).toEqual([
      { path: 'organization.rules.BK-99', line: 4, problem: 'is not known' },
      { path: 'organization.rules.BK-05.minDays', line: 5, problem: expect.stringContaining('asks for less') },
      { path: 'exceptions.0.expires', line: 10, problem: 'is more than 180 days ahead' },
      { path: 'exceptions.1.expires', line: 15, problem: 'has been over for more than 30 days: remove the exception' },
    ]);
  });

  it('tells where the text is no YAML', () => {
    expect(problemsOf('name: acme\nprojects: [\n  - match: {')).not.toEqual([]);
    expect(problemsOf('name: a\nname: b')).toMatchObject([{ line: 2 }]);
  });

  it.each([
    [
      'an exception without a zone',
      { exceptions: [exception({ expires: '2026-04-01T00:00:00' })] },
      'exceptions.0.expires',
    ],
    ['an exception without an owner', { exceptions: [exception({ owner: undefined })] }, 'exceptions.0.owner'],
    ['two exceptions of one name', { exceptions: [exception(), exception()] }, 'exceptions.1.name'],
    [
      'an exception of a rule that is not there',
      { exceptions: [exception({ rules: ['BK-77'] })] },
      'exceptions.0.rules.0',
    ],
    [
      'an option the rule has not',
      { organization: { rules: { 'BK-05': { minYears: 3 } } } },
      'organization.rules.BK-05.minYears',
    ],
    [
      'a rule switched off',
      { organization: { rules: { 'BK-08': { enabled: false } } } },
      'organization.rules.BK-08.enabled',
    ],
    [
      'a severity lowered',
      { organization: { rules: { 'BK-08': { severity: 'low' } } } },
      'organization.rules.BK-08.severity',
    ],
    ['a list made shorter', { organization: { rules: { 'BK-20': { types: [] } } } }, 'organization.rules.BK-20.types'],
    ['a weaker tier below', { projects: [{ match: { name: 'shop' }, tier: 'dev' }] }, 'projects.0.tier'],
    ['an exception nobody wrote', { organization: { exception: 'none' } }, 'organization.exception'],
    [
      'an exception for another rule',
      { organization: { exception: 'x', rules: { 'BK-05': { minDays: 1 } } }, exceptions: [exception()] },
      'organization.rules.BK-05.minDays',
    ],
    ['two sections that contradict each other', { projects: [layer(30), layer(20)] }, 'projects.1.rules.BK-05.minDays'],
    [
      'a cluster below its project',
      {
        projects: [layer(30)],
        clusters: [{ match: { project: 'shop', name: 'prod' }, rules: { 'BK-05': { minDays: 20 } } }],
      },
      'clusters.0.rules.BK-05.minDays',
    ],
    ['a project without a name', { projects: [{ match: {} }] }, 'projects.0.match'],
    ['a profile nobody ships', { profile: 'lax' }, 'profile'],
  ])('refuses %s', (_, source, where) => {
    expect(problemsOf(source).map((each) => each.path)).toEqual([where]);
  });

  it('says in which tiers a single value asks for less', () => {
    const [problem] = problemsOf({ organization: { rules: { 'BK-02': { minWindowDays: 5 } } } });
    expect(problem?.problem).toContain('7 in tier 1, 7 in tier 2');
    expect(problemsOf({ organization: { rules: { 'BK-02': { minWindowDays: { '3': 5 } } } } })).toEqual([]);
  });

  function exception(change: object = {}) {
    return { name: 'x', owner: 'me', reason: 'because', expires: '2026-04-01T00:00:00Z', rules: ['BK-08'], ...change };
  }
  function layer(days: number) {
    return { match: { name: 'shop' }, rules: { 'BK-05': { minDays: days } } };
  }
});

describe('inheritance', () => {
  const source = `
organization: { rules: { BK-05: { minDays: 10 } } }
projects:
  - { match: { name: 'shop*' }, rules: { BK-05: { minDays: 20 } } }
tags:
  - { match: { key: data, value: pii }, rules: { BK-05: { minDays: 40 } } }
clusters:
  - { match: { name: prod }, rules: { BK-05: { minDays: 30 } } }
`;
  it('merges organization, projects, tags and clusters in this order, and the stricter one counts', () => {
    expect(minDays(source, { projectName: 'lab', clusterName: 'x' })).toBe(10);
    expect(minDays(source, { projectName: 'shop-eu', clusterName: 'x' })).toBe(20);
    expect(minDays(source, { projectName: 'workshop', clusterName: 'x' })).toBe(10);
    expect(minDays(source)).toBe(30);
    expect(minDays(source, { tags: [{ key: 'data', value: 'pii' }] })).toBe(40);
  });

  it('explains where every value comes from', () => {
    const answer = explained(loadPolicy(source, NOW), subject({ tags: [{ key: 'data', value: 'pii' }] }));
    expect(answer.rules['BK-05']?.settings['minDays']).toEqual({ value: 40, from: 'tags.0', kept: ['clusters.0'] });
    expect(answer.rules['BK-08']?.settings['capHours']).toEqual({
      value: 25,
      from: 'profile atlas-recommended',
      kept: [],
    });
    expect(answer.tier).toEqual({ value: '3', from: 'profile' });
    expect(Object.keys(answer.rules)).toEqual(ruleIds);
  });

  it('takes the tier from tags, and from sections that ask for more', () => {
    const tierOf = (policy: object, tags: object[] = []) => loadPolicy(policy, NOW).resolve(subject({ tags })).tier;
    expect(tierOf({}, [{ key: 'Environment', value: 'DEV' }])).toBe('dev');
    expect(
      tierOf({}, [
        { key: 'env', value: 'dev' },
        { key: 'tier', value: '1' },
      ]),
    ).toBe('1');
    expect(tierOf({ projects: [{ match: { name: 'shop' }, tier: '1' }] })).toBe('1');
    expect(
      tierOf({ organization: { tiersByTag: [{ key: 'stage', value: 'lab', tier: 'dev' }] } }, [
        { key: 'stage', value: 'lab' },
      ]),
    ).toBe('dev');
    expect(tierOf({ organization: { tier: '2' } })).toBe('2');
  });

  it('ships two profiles, of which Atlas’s own default schedule meets one', () => {
    expect(minDays({})).toBe(7);
    expect(minDays({ profile: 'aws-backup-audit' })).toBe(35);
  });
});

describe('the digest', () => {
  const digest = (source: unknown, now = NOW) => loadPolicy(source, now).digest;
  it('is of what the policy says, and not of how or when it is written', () => {
    expect(digest('name: a\norganization: { rules: { BK-05: { minDays: 9 } } }')).toBe(
      digest({ organization: { rules: { 'BK-05': { minDays: 9 } } }, name: 'a' }),
    );
    expect(digest({ name: 'a' })).not.toBe(digest({ name: 'a', profile: 'aws-backup-audit' }));
    expect(digest({}, NOW)).toBe(digest({}, NOW + 1e9));
    expect(digest({})).toMatch(/^[0-9a-f]{64}$/);
  });
});

it('fits whole names, and nothing that only contains them', () => {
  expect(fits('test-cluster', 'latest-cluster')).toBe(false);
  expect(fits('test-*', 'test-1')).toBe(true);
  expect(fits('*', '')).toBe(true);
  expect(fits('a?c', 'abc')).toBe(true);
  expect(fits('a.c', 'abc')).toBe(false);
  expect(fits('*a*a*a*a*b', 'a'.repeat(2_000))).toBe(false);
});

describe('the published schema', () => {
  const file = path.resolve('functions/audit-snapshot-schedules/policy.schema.json');
  it('is the one the policy is checked with', () => {
    const published = JSON.parse(JSON.stringify(policySchema()));
    if (process.env['UPDATE']) writeFileSync(file, `${JSON.stringify(published, undefined, 2)}\n`);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(published);
  });

  it('accepts what loads, and refuses what does not', () => {
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    const validate = ajv.compile(policySchema());
    expect(validate({ organization: { rules: { 'BK-02': { minWindowDays: { '1': 9 } } } } })).toBe(true);
    expect(validate({ organization: { rules: { 'BK-02': { minWindowDays: 'nine' } } } })).toBe(false);
    expect(validate({ organization: { rules: { 'BK-99': {} } } })).toBe(false);
  });
});

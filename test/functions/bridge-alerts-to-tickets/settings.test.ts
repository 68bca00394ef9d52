import { describe, expect, it } from 'vitest';
import { coverOf, windowUntil } from '../../../functions/bridge-alerts-to-tickets/cover.ts';
import { clusterNames, incidentKey, stemOf } from '../../../functions/bridge-alerts-to-tickets/grouping.ts';
import { routeOf } from '../../../functions/bridge-alerts-to-tickets/route.ts';
import { TicketSettings } from '../../../functions/bridge-alerts-to-tickets/settings.ts';
import { gradeOf } from '../../../functions/bridge-alerts-to-tickets/severity.ts';
import { fill } from '../../../functions/bridge-alerts-to-tickets/template.ts';
import { problemsOf } from '../../../lib/runtime/problems.ts';

const hook = (id: string) => ({ id, type: 'webhook', baseUrl: 'http://localhost:1', secret: 's' });
const alert = { source: 'atlas', type: 'HOST_DOWN', severity: 'error', projectId: 'p', cluster: 'Prod-1' } as const;

describe('the settings', () => {
  it('tell every mistake at once, by path', () => {
    const { error } = TicketSettings.safeParse({
      destinations: [hook('a'), hook('a')],
      routes: [
        { name: 'r', to: ['nowhere'] },
        { name: 's', to: [], title: '{nobody} on {cluster}' },
      ],
      fallback: ['b'],
      silences: [{ name: 'x', from: '2030-01-02T00:00:00Z', until: '2030-01-01T00:00:00Z' }],
      budgets: { c: { writesPerMinute: 1 } },
      windows: [{ name: 'w', zone: 'Mars/Base', start: '25:00', end: '1:00' }],
      policy: { tombstoneDays: 1, typo: 1 },
    });
    const paths = problemsOf(error).map(({ path }) => path);
    for (const path of [
      'routes.1.title',
      'windows.0.zone',
      'windows.0.start',
      'windows.0.end',
      'policy.tombstoneDays',
      'policy.typo',
    ])
      expect(paths).toContain(path);
    const cross = TicketSettings.safeParse({
      destinations: [hook('a'), hook('a')],
      routes: [{ name: 'r', to: ['nowhere'] }],
      fallback: ['b'],
      budgets: { c: { writesPerMinute: 1 } },
    });
    expect(problemsOf(cross.error).map(({ path }) => path)).toEqual([
      'destinations.1',
      'routes.0.to.0',
      'fallback.0',
      'budgets.c',
    ]);
  });

  it('need nothing', () => {
    expect(TicketSettings.parse({}).policy.groupWaitSeconds).toBe(2);
  });
});

describe('a maintenance window', () => {
  const at = (iso: string): number => Date.parse(iso);
  const night = { name: 'n', when: {}, zone: 'Europe/Berlin', days: ['sat' as const], start: '22:00', end: '04:00' };
  const nightly = {
    ...night,
    days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as ('mon' | 'sun')[],
    start: '01:30',
    end: '03:30',
  };

  it.each([
    // 1 June 2030 is a Saturday; Berlin is two hours ahead.
    ['2030-06-01T19:59:59Z', undefined],
    ['2030-06-01T20:00:00Z', '2030-06-02T02:00:00Z'],
    ['2030-06-02T01:59:59Z', '2030-06-02T02:00:00Z'],
    ['2030-06-02T02:00:00Z', undefined],
    ['2030-06-02T20:30:00Z', undefined],
  ])('over midnight, at %s, lasts until %s', (now, until) => {
    expect(windowUntil(night, at(now))).toBe(until && at(until));
  });

  it.each([
    // 31 March 2030: 02:00 to 03:00 is left out; the window is an hour long.
    ['2030-03-31T00:29:00Z', undefined],
    ['2030-03-31T00:30:00Z', '2030-03-31T01:30:00Z'],
    ['2030-03-31T01:30:00Z', undefined],
    // 27 October 2030: 02:00 to 03:00 comes twice; the window is three hours long.
    ['2030-10-26T23:30:00Z', '2030-10-27T02:30:00Z'],
    ['2030-10-27T01:15:00Z', '2030-10-27T02:30:00Z'],
    ['2030-10-27T02:30:00Z', undefined],
  ])('on a day whose clock is moved, at %s, lasts until %s', (now, until) => {
    expect(windowUntil(nightly, at(now))).toBe(until && at(until));
  });

  it('covers by project, cluster and tag, and the longest counts', () => {
    const settings = {
      silences: [
        { name: 'short', when: {}, from: '2030-01-01T00:00:00Z', until: '2030-01-01T02:00:00Z' },
        {
          name: 'long',
          when: { tags: { env: 'test' }, clusters: ['prod-*'] },
          from: '2030-01-01T00:00:00Z',
          until: '2030-01-01T09:00:00Z',
        },
      ],
      windows: [],
    };
    const now = at('2030-01-01T01:00:00Z');
    expect(coverOf(settings, alert, now)?.name).toBe('short');
    expect(coverOf(settings, { ...alert, tags: { env: 'test' } }, now)?.name).toBe('long');
    expect(coverOf(settings, alert, at('2030-01-01T02:00:00Z'))).toBeUndefined();
  });
});

describe('an incident', () => {
  it.each([
    ['Cluster0-shard-00-02.ab12c.mongodb.net:27017', 'cluster0'],
    ['atlas-abc123-shard-0', 'atlas-abc123'],
    ['ac-x1-config-00-01.ab12c.mongodb.net:27017', 'ac-x1'],
    ['db.example.com:27017', 'db.example.com'],
    ['', undefined],
  ])('knows the cluster of %s as %s', (name, stem) => {
    expect(stemOf(name)).toBe(stem);
  });

  it('is one for all alerts of a cluster, and one for each type where there is no cluster', () => {
    const by = ['project', 'cluster'] as const;
    const key = (type: string, cluster?: string) => incidentKey('id', { type, projectId: 'p' }, cluster, by);
    expect(key('A', 'c')).toBe(key('B', 'c'));
    expect(key('A', 'c')).not.toBe(key('A', 'd'));
    expect(key('A')).not.toBe(key('B'));
    expect(
      clusterNames({ type: 'A', clusterName: 'C0', host: 'c0-shard-00-00.x:1', replicaSet: 'atlas-1-shard-0' }),
    ).toEqual(['c0', 'atlas-1']);
  });
});

describe('a route', () => {
  it('says why, and drops nothing for want of one', () => {
    const settings = TicketSettings.parse({
      destinations: [hook('a'), hook('b')],
      routes: [{ name: 'billing', when: { types: ['*BILL*'] }, to: ['b'] }],
    });
    expect(routeOf(settings, alert)).toMatchObject({
      targets: [{ destination: 'a' }, { destination: 'b' }],
      path: ['billing: no, type is HOST_DOWN', 'fallback: to a, b'],
    });
  });

  it.each([
    [{ type: 'HOST_DOWN' }, {}, 'critical', 'table'],
    [{ type: 'OUTSIDE_METRIC_THRESHOLD', metric: 'CONNECTIONS_PERCENT' }, {}, 'error', 'table'],
    [{ type: 'NEVER_HEARD_OF' }, {}, 'warning', 'default'],
    [{ type: 'HOST_DOWN' }, { override: 'INFO' }, 'info', 'alert configuration'],
    [{ type: 'HOST_DOWN' }, { override: 'SOMETHING' }, 'critical', 'table'],
    [{ type: 'HOST_DOWN' }, { sender: 'error' as const, override: 'INFO' }, 'error', 'sender'],
  ])('grades %o with %o as %s', (subject, said, severity, from) => {
    expect(gradeOf(subject, said, {})).toEqual({ severity, from });
  });
});

it('a title is filled once, and closes the gaps of what is missing', () => {
  expect(fill('[{severity}] {type} {metric} on {scope}', { severity: 'error', type: '{scope}', scope: 'c' })).toBe(
    '[error] {scope} on c',
  );
});

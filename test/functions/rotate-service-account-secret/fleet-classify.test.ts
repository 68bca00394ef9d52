import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RotationSettings } from '../../../functions/rotate-service-account-secret/contract.ts';
import {
  classify,
  countFleet,
  type Fleet,
  type SeenAccount,
  type SeenManaged,
  type SeenSecret,
} from '../../../functions/rotate-service-account-secret/fleet-classify.ts';
import { assertProperty } from '../../support/properties.ts';

const DAY = 86_400_000;
const NOW = new Date('2026-03-01T00:00:00Z');
const days = (n: number): Date => new Date(NOW.getTime() + n * DAY);
const id = (n: number): string => `mdb_sa_id_${String(n).padStart(24, '0')}`;

const secret = (n: number, over: Partial<SeenSecret> = {}): SeenSecret => ({
  id: String(n).padStart(24, 'a'),
  createdAt: days(-10),
  expiresAt: days(80),
  lastUsedAt: days(-1),
  ...over,
});
const account = (over: Partial<SeenAccount> = {}): SeenAccount => ({
  clientId: id(1),
  name: 'orders',
  orgId: 'o',
  createdAt: days(-400),
  orgRoles: ['ORG_MEMBER'],
  projects: [],
  secrets: [secret(1)],
  ...over,
});
const holds = (over: Partial<SeenManaged> = {}): SeenManaged => ({
  managedSecret: 'orders/atlas',
  holds: { clientId: id(1), secretId: secret(1).id },
  isWithin: true,
  ...over,
});
const policy = (accounts: unknown[] = [], more = {}) => RotationSettings.parse({ fleet: { accounts, ...more } }).fleet;
const judge = (fleet: Partial<Fleet>, rules = policy()) =>
  classify(
    { accounts: [account()], managed: [holds()], complete: true, administrators: new Set(), ...fleet },
    rules,
    NOW,
  );
const first = (fleet: Partial<Fleet>, rules = policy()) => judge(fleet, rules).accounts[0]!;

describe('an account is', () => {
  const noManaged = { managed: [] };
  it.each<[string, Partial<Fleet>, ReturnType<typeof policy>, string, string[], boolean]>([
    ['managed, and in order', {}, policy(), 'managed', [], false],
    ['unmanaged', noManaged, policy(), 'unmanaged', [], true],
    [
      'not known to be unmanaged, while a managed secret could not be read',
      { managed: [holds({ holds: undefined, problem: 'X' })] },
      policy(),
      'unknown',
      [],
      true,
    ],
    [
      'break-glass, and then neither unmanaged nor unused nor too mighty',
      {
        managed: [],
        accounts: [
          account({ orgRoles: ['ORG_OWNER'], secrets: [secret(1, { lastUsedAt: undefined, createdAt: days(-200) })] }),
        ],
      },
      policy([{ clientId: id(1), breakGlass: { owner: 'security', reason: 'for the day it burns' } }]),
      'break-glass',
      [],
      false,
    ],
    [
      'break-glass, and its owner hears of its end',
      { managed: [], accounts: [account({ secrets: [secret(1, { expiresAt: days(13) })] })] },
      policy([{ clientId: id(1), breakGlass: { owner: 'security', reason: 'r' } }]),
      'break-glass',
      ['expiring'],
      true,
    ],
    [
      'expiring by the settings’ days where nobody manages it',
      { ...noManaged, accounts: [account({ secrets: [secret(1, { expiresAt: days(13.9) })] })] },
      policy(),
      'unmanaged',
      ['expiring'],
      true,
    ],
    [
      'not expiring a moment outside of them',
      { ...noManaged, accounts: [account({ secrets: [secret(1, { expiresAt: days(14) })] })] },
      policy(),
      'unmanaged',
      [],
      true,
    ],
    [
      'not expiring while the sweep has time: managed, with four days left',
      { accounts: [account({ secrets: [secret(1, { expiresAt: days(4) })] })] },
      policy(),
      'managed',
      [],
      false,
    ],
    [
      'expiring where the sweep should have acted',
      { accounts: [account({ secrets: [secret(1, { expiresAt: days(2.9) })] })] },
      policy(),
      'managed',
      ['expiring'],
      true,
    ],
    [
      'expired at its very end',
      { ...noManaged, accounts: [account({ secrets: [secret(1, { expiresAt: NOW })] })] },
      policy(),
      'unmanaged',
      ['expired'],
      true,
    ],
    [
      'judged by the secret that works longest, where nobody manages it',
      { ...noManaged, accounts: [account({ secrets: [secret(1, { expiresAt: days(-1) }), secret(2)] })] },
      policy(),
      'unmanaged',
      ['slots-full'],
      true,
    ],
    [
      'judged by the managed one alone, whatever else works',
      { accounts: [account({ secrets: [secret(1, { expiresAt: days(-1) }), secret(2)] })] },
      policy(),
      'managed',
      ['expired', 'slots-full'],
      true,
    ],
    [
      'expired where its managed secret holds one that is gone',
      { accounts: [account({ secrets: [secret(2)] })] },
      policy(),
      'managed',
      ['expired'],
      true,
    ],
    [
      'full during a grace, and nobody has to look at that',
      { accounts: [account({ secrets: [secret(1), secret(2, { expiresAt: days(6) })] })] },
      policy(),
      'managed',
      ['slots-full'],
      false,
    ],
    [
      'without a secret, which harms nobody',
      { ...noManaged, accounts: [account({ secrets: [] })] },
      policy(),
      'unmanaged',
      ['no-secret'],
      false,
    ],
    [
      'never used, however young rotation keeps its secrets',
      { accounts: [account({ secrets: [secret(1, { lastUsedAt: undefined })] })] },
      policy(),
      'managed',
      ['never-used'],
      true,
    ],
    [
      'too young to be called unused',
      { accounts: [account({ createdAt: days(-90), secrets: [secret(1, { lastUsedAt: undefined })] })] },
      policy(),
      'managed',
      [],
      false,
    ],
    [
      'used, where one of its secrets was',
      { accounts: [account({ secrets: [secret(1, { lastUsedAt: undefined }), secret(2)] })] },
      policy(),
      'managed',
      ['slots-full'],
      false,
    ],
    [
      'too mighty as an owner nobody listed',
      { accounts: [account({ orgRoles: ['ORG_OWNER'] })] },
      policy(),
      'managed',
      ['over-privileged'],
      true,
    ],
    [
      'an administrator by its own entry',
      { accounts: [account({ orgRoles: ['ORG_OWNER'] })] },
      policy([{ clientId: id(1), administrator: true }]),
      'managed',
      [],
      false,
    ],
    [
      'an administrator because a managed secret names it so',
      { accounts: [account({ orgRoles: ['ORG_OWNER'] })], administrators: new Set([id(1)]) },
      policy(),
      'managed',
      [],
      false,
    ],
    [
      'not accused while not every administrator is known',
      { accounts: [account({ orgRoles: ['ORG_OWNER'] })], administrators: undefined },
      policy(),
      'managed',
      [],
      false,
    ],
    [
      'too mighty as owner of a project, where it is used to read',
      { accounts: [account({ projects: [{ groupId: 'g', roles: ['GROUP_OWNER'] }] })] },
      policy([{ clientId: id(1), readOnly: true }]),
      'managed',
      ['over-privileged'],
      true,
    ],
    [
      'rightly owner of a project otherwise',
      { accounts: [account({ projects: [{ groupId: 'g', roles: ['GROUP_OWNER'] }] })] },
      policy(),
      'managed',
      [],
      false,
    ],
    [
      'held to the roles of its entry, and to nothing else',
      { accounts: [account({ orgRoles: ['ORG_OWNER'], projects: [{ groupId: 'g', roles: ['GROUP_OWNER'] }] })] },
      policy([{ clientId: id(1), roles: ['ORG_OWNER', 'GROUP_READ_ONLY'] }]),
      'managed',
      ['over-privileged'],
      true,
    ],
    [
      'within the roles of its entry',
      { accounts: [account({ orgRoles: ['ORG_OWNER'] })] },
      policy([{ clientId: id(1), roles: ['ORG_OWNER'] }]),
      'managed',
      [],
      false,
    ],
  ])('%s', (_, fleet, rules, ownership, findings, needsPerson) => {
    expect(first(fleet, rules)).toMatchObject({ ownership, findings, needsPerson });
  });

  it('said to need a person with a sentence for each thing', () => {
    const found = first({
      managed: [],
      accounts: [account({ orgRoles: ['ORG_OWNER'], secrets: [secret(1, { expiresAt: days(-2) })] })],
    });
    expect(found.reasons).toHaveLength(3);
    expect(first({}).reasons).toEqual([]);
  });

  it('shown with its slots, expired ones counted', () => {
    expect(first({ accounts: [account({ secrets: [secret(1), secret(2, { expiresAt: days(-1) })] })] })).toMatchObject({
      slots: { used: 2, expired: 1, free: 0 },
      worksUntil: days(80).toISOString(),
      secrets: [
        { role: 'current', state: 'valid' },
        { role: 'other', state: 'expired' },
      ],
    });
  });
});

describe('a managed secret is', () => {
  const state = (fleet: Partial<Fleet>) => judge(fleet).managedSecrets[0]?.state;
  it.each<[string, Partial<Fleet>]>([
    ['in order', {}],
    ['expiring', { accounts: [account({ secrets: [secret(1, { expiresAt: days(2) })] })] }],
    ['expired', { accounts: [account({ secrets: [secret(1, { expiresAt: days(-2) })] })] }],
    ['secret gone', { accounts: [account({ secrets: [secret(2)] })] }],
    ['account gone', { accounts: [] }],
    ['account not seen', { accounts: [], complete: false }],
    ['account not seen', { accounts: [], managed: [holds({ isWithin: false })] }],
    ['ambiguous', { managed: [holds({ holds: { clientId: id(1), secretId: undefined } })] }],
    ['unreadable', { managed: [holds({ holds: undefined })] }],
  ])('%s', (expected, fleet) => {
    expect(state(fleet)).toBe(expected);
  });

  it('shown with whoever else rotates its account', () => {
    const both = judge({ managed: [holds(), holds({ managedSecret: 'other' })] });
    expect(both.managedSecrets.map(({ sharedWith }) => sharedWith)).toEqual([['other'], ['orders/atlas']]);
    expect(both.accounts[0]?.managedSecrets).toEqual(['orders/atlas', 'other']);
  });
});

describe('any fleet', () => {
  const end = fc.integer({ min: -30, max: 100 }).map(days);
  const anySecret = fc.record({
    id: fc.integer({ min: 1, max: 9 }).map((n) => secret(n).id),
    createdAt: fc.integer({ min: -200, max: 0 }).map(days),
    expiresAt: end,
    lastUsedAt: fc.option(fc.constant(days(-1)), { nil: undefined }),
  });
  const roles = fc.subarray(['ORG_OWNER', 'ORG_MEMBER', 'ORG_READ_ONLY']);
  const anyAccount = fc.record({
    clientId: fc.integer({ min: 1, max: 30 }).map(id),
    name: fc.constant('a'),
    orgId: fc.constant('o'),
    createdAt: fc.option(fc.integer({ min: -400, max: 0 }).map(days), { nil: undefined }),
    orgRoles: fc.option(roles, { nil: undefined }),
    projects: fc.array(
      fc.record({ groupId: fc.constantFrom('g', 'h'), roles: fc.subarray(['GROUP_OWNER', 'GROUP_READ_ONLY']) }),
      { maxLength: 2 },
    ),
    secrets: fc.uniqueArray(anySecret, { maxLength: 2, selector: (one) => one.id }),
  });
  const anyManaged = fc.record({
    managedSecret: fc.integer({ min: 1, max: 40 }).map((n) => `managed-${n}`),
    holds: fc.option(
      fc.record({
        clientId: fc.integer({ min: 1, max: 35 }).map(id),
        secretId: fc.option(
          fc.integer({ min: 1, max: 9 }).map((n) => secret(n).id),
          { nil: undefined },
        ),
      }),
      { nil: undefined, freq: 8 },
    ),
    isWithin: fc.boolean(),
  });
  const anyFleet = fc.record({
    accounts: fc.uniqueArray(anyAccount, { maxLength: 8, selector: (one) => one.clientId }),
    managed: fc.uniqueArray(anyManaged, { maxLength: 8, selector: (one) => one.managedSecret }),
    complete: fc.boolean(),
    administrators: fc.option(
      fc.subarray([id(1), id(2), id(3)]).map((list) => new Set(list)),
      { nil: undefined },
    ),
  });
  const rules = policy([
    { clientId: id(1), administrator: true },
    { clientId: id(2), readOnly: true },
    { clientId: id(3), breakGlass: { owner: 'o', reason: 'r' } },
  ]);

  it('is judged alike in whatever order it comes', () => {
    assertProperty(
      fc.property(anyFleet, fc.integer(), (fleet, seed) => {
        const turned = (list: readonly unknown[]) =>
          list
            .map((item, at) => ({ item, at: (at * 7919 + seed) % 101 }))
            .toSorted((a, b) => a.at - b.at)
            .map(({ item }) => item);
        const shuffled = {
          ...fleet,
          accounts: (turned(fleet.accounts) as SeenAccount[]).map((one) => ({
            ...one,
            secrets: one.secrets.toReversed(),
            projects: one.projects.toReversed(),
          })),
          managed: turned(fleet.managed) as SeenManaged[],
        };
        const judged = classify(fleet, rules, NOW);
        const again = classify(shuffled, rules, NOW);
        const plain = (of: typeof judged) =>
          of.accounts.map((one) => ({ ...one, projects: one.projects.map((p) => JSON.stringify(p)).toSorted() }));
        expect(plain(again)).toEqual(plain(judged));
        expect(again.managedSecrets).toEqual(judged.managedSecrets);
      }),
      { numRuns: 300 },
    );
  });

  it('is counted to the last account, and each has one owner', () => {
    assertProperty(
      fc.property(anyFleet, (fleet) => {
        const { accounts, managedSecrets } = classify(fleet, rules, NOW);
        const counts = countFleet(accounts, managedSecrets);
        expect(accounts).toHaveLength(fleet.accounts.length);
        expect(managedSecrets).toHaveLength(fleet.managed.length);
        expect(Object.values(counts.ownership).reduce((a, b) => a + b, 0)).toBe(counts.accounts);
        expect(managedSecrets.some(({ state }) => state === 'account gone') && !fleet.complete).toBe(false);
      }),
    );
  });
});

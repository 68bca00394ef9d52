import { describe, expect, it } from 'vitest';
import { catalogue } from '../../../../lib/atlas/catalogue.ts';
import { prepare } from '../../../../lib/atlas/client.ts';
import { acknowledgeGroupAlert, getGroupAlert } from '../../../../lib/atlas/operations/alerts.ts';
import type { Operation } from '../../../../lib/atlas/operations/define.ts';
import * as accounts from '../../../../lib/atlas/operations/service-accounts.ts';
import { inputSchemaOf, type JsonSchema, samplesOf } from './schema-samples.ts';

type Field = JsonSchema & { readonly description?: string };
const id = 'b'.repeat(24);
const operations = [...catalogue.values()];
const fieldsOf = (op: Operation, part: 'params' | 'query'): [string, Field][] =>
  op[part] ? Object.entries(inputSchemaOf(op[part]).properties ?? {}) : [];
const fields = operations.flatMap((op) =>
  (['params', 'query'] as const).flatMap((part) =>
    fieldsOf(op, part).map(([name, schema]) => ({ at: `${op.id} ${part}.${name}`, name, part, schema })),
  ),
);
const refusalOf = (op: Operation, input: Parameters<typeof prepare>[1]): string => {
  try {
    prepare(op, input);
  } catch (error) {
    return String(error);
  }
  return expect.fail(`${op.id} takes it`);
};

describe('every parameter and query field', () => {
  const words = (text: string): string =>
    text
      .replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ')
      .replaceAll(/^(a|the) /gi, '')
      .toLowerCase();

  it('says in a few words what it is, and more than its name does', () => {
    const said = fields.map(({ at, name, schema }) => ({ at, name, text: schema.description ?? '' }));
    expect(said.length).toBeGreaterThan(200);
    expect(said.filter(({ name, text }) => text === '' || words(text) === words(name))).toEqual([]);
    expect(said.filter(({ text }) => !/^(?=.{8,80}$)[a-z].*[^.]$/.test(text))).toEqual([]);
  });

  it('is one of those known: another is refused, not dropped', () => {
    const taken = operations.flatMap((op) =>
      (['params', 'query'] as const)
        .filter((part) => {
          const [sample] = op[part] ? samplesOf(inputSchemaOf(op[part])) : [];
          return op[part]?.safeParse({ ...Object(sample), surplus: '1' }).success;
        })
        .map((part) => `${op.id} ${part}`),
    );
    expect(taken).toEqual([]);
    expect(refusalOf(getGroupAlert, { params: { groupId: id, alertId: id, alertID: id } })).toContain(
      'params.alertID is not known',
    );
  });

  it('that is a list has something in it', () => {
    const lists = fields.filter(({ schema }) => schema.type === 'array');
    expect(lists.length).toBeGreaterThan(3);
    expect(lists.filter(({ schema }) => schema.minItems !== 1).map(({ at }) => at)).toEqual([]);
  });

  it('that is an id is in lower case, which an answer’s need not be', () => {
    const ids = fields.filter(
      ({ schema }) => schema.pattern?.includes('{24}') && !schema.pattern.includes('mdb_sa_id'),
    );
    expect(ids.length).toBeGreaterThan(100);
    expect(
      ids.filter(({ schema }) => new RegExp(schema.pattern ?? '').test('B'.repeat(24))).map(({ at }) => at),
    ).toEqual([]);
    expect(refusalOf(getGroupAlert, { params: { groupId: id, alertId: 'B'.repeat(24) } })).toContain(
      'params.alertId must be 24 hexadecimal digits, in lower case',
    );
    expect(getGroupAlert.response.safeParse({ id: 'B'.repeat(24), groupId: 'B'.repeat(24) }).success).toBe(true);
  });
});

describe('what can’t be undone', () => {
  const destructive = operations.filter(({ destructive: flag }) => flag);
  const readable = (op: Operation): boolean =>
    operations.some(({ method, path }) => method === 'GET' && path === op.path);

  it('shows what goes, by a read that takes no other parameters', () => {
    const shown = operations.filter(({ shows }) => shows !== undefined);
    for (const op of shown) {
      const read = catalogue.get(op.shows ?? '');
      expect(op.destructive, op.id).toBe(true);
      expect(read?.method, op.id).toBe('GET');
      const names = fieldsOf(op, 'params').map(([name]) => name);
      expect(read && fieldsOf(read, 'params').filter(([name]) => !names.includes(name)), op.id).toEqual([]);
    }
    expect(shown.filter(readable), 'has a read of its own').toEqual([]);
  });

  it('shows nothing only where nothing fits', () => {
    expect(destructive.filter((op) => !op.shows && !readable(op)).map((op) => op.id)).toEqual([
      'createGroupLiveMigration',
      'deleteFederationSettingConnectedOrgConfigRoleMapping',
      'deleteOrgLiveMigrationLinkTokens',
      'disableGroupPrivateIpModePeering',
      'updateGroupClusterOnlineArchive',
    ]);
  });

  it('is more than deleting: what shortens how long other things are kept or valid, too', () => {
    expect(destructive.filter(({ method }) => method !== 'DELETE').map((op) => op.id)).toEqual([
      'createGroupLiveMigration',
      'createGroupServiceAccountSecret',
      'createOrgServiceAccountSecret',
      'cutoverGroupLiveMigration',
      'disableGroupPrivateIpModePeering',
      'disableGroupPrivateIpModePeeringV1',
      'unpinGroupClusterFeatureCompatibilityVersion',
      'updateGroupClusterBackupSchedule',
      'updateGroupClusterOnlineArchive',
      'updateGroupClusterSnapshotSchedule',
    ]);
  });
});

describe('every answer', () => {
  it('may hold numbers too large, or too fine, for a whole number', () => {
    const wholeIn = (schema: unknown): boolean =>
      typeof schema === 'object' &&
      schema !== null &&
      (Reflect.get(schema, 'type') === 'integer' || Object.values(schema).some(wholeIn));
    expect(operations.filter(({ response }) => wholeIn(inputSchemaOf(response))).map((op) => op.id)).toEqual([]);
  });
});

describe('a service account', () => {
  const updates = [accounts.updateOrgServiceAccount, accounts.updateGroupServiceAccount];
  const mints = [accounts.createOrgServiceAccountSecret, accounts.createGroupServiceAccountSecret];
  const lists = [accounts.listOrgServiceAccounts, accounts.listGroupServiceAccounts];

  it.each(updates)('is changed by $id, in something and in what there is', ({ body }) => {
    expect(body.safeParse({ name: 'x' }).success).toBe(true);
    expect([{}, { rolls: [] }, { name: 'x', rolls: [] }].filter((wrong) => body.safeParse(wrong).success)).toEqual([]);
  });

  it.each(mints)('gets a secret from $id by its lifetime alone', ({ body }) => {
    expect(body.safeParse({ secretExpiresAfterHours: 8 }).success).toBe(true);
    expect(body.safeParse({ secretExpiresAfterHours: 8, name: 'x' }).success).toBe(false);
  });

  it.each(lists)('is listed by $id with those of the system where asked, and never counted', ({ query }) => {
    expect(query.safeParse({ includeSystemManaged: true, pageNum: 1, itemsPerPage: 500 }).success).toBe(true);
    expect(query.safeParse({ includeCount: true }).success).toBe(false);
  });
});

describe('a refusal of a choice', () => {
  const params = { groupId: id, alertId: id };

  it.each([
    [{ acknowledgedUntil: 'tomorrow' }, 'body.acknowledgedUntil must be a Date, or ISO 8601 text with its zone'],
    [{ acknowledgedUntil: 2126 }, 'body.acknowledgedUntil must be a Date, or ISO 8601 text with its zone'],
    [{ unacknowledgeAlert: true, acknowledgedUntil: new Date() }, 'body must have either acknowledgedUntil or'],
    [{}, 'body must have either acknowledgedUntil or unacknowledgeAlert'],
  ])('%j says where', (body, expected) => {
    expect(refusalOf(acknowledgeGroupAlert, { params, body })).toContain(expected);
  });
});

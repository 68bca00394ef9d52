import { expect, it } from 'vitest';
import { paramsFor, readerFor } from '../../../../infra/local/atlas-cli/reader.ts';
import { catalogue } from '../../../../lib/atlas/catalogue.ts';
import type { Operation } from '../../../../lib/atlas/operations/define.ts';

const without = (id: string): Operation => {
  const { shows: _, ...op } = catalogue.get(id)!;
  return op;
};

it('an operation names its own reader before any other', () => {
  const op = { ...without('deleteGroupContainer'), shows: 'listGroupContainers' };
  expect(readerFor(op)).toEqual({ op: catalogue.get('listGroupContainers'), exact: true });
});

it.each([
  ['deleteGroupContainer', 'getGroupContainer', true],
  ['deleteOrgServiceAccountSecret', 'getOrgServiceAccount', false],
  ['unpinGroupClusterFeatureCompatibilityVersion', 'getGroupCluster', false],
])('%s is shown by %s', (id, reader, exact) => {
  expect(readerFor(without(id))).toEqual({ op: catalogue.get(reader), exact });
});

it('what belongs to everything there is has no reader', () => {
  expect(readerFor(without('deleteFederationSettingConnectedOrgConfigRoleMapping'))).toBeUndefined();
  expect(readerFor(without('deleteOrgLiveMigrationLinkTokens'))).toBeUndefined();
});

it('every reader takes parameters that the operation has', () => {
  for (const op of catalogue.values()) {
    const reader = op.destructive && readerFor(op);
    if (!reader) continue;
    const names = [...op.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => [name, 'x']);
    expect(Object.values(paramsFor(reader.op, Object.fromEntries(names))), op.id).not.toContain(undefined);
  }
});

import { clusterRule, fail, pass, unknown, unread } from './rule.ts';
import { isUsable, youngestFirst } from './snapshots.ts';

export const customerKey = clusterRule({
  id: 'BK-15',
  title: 'Snapshots are encrypted with a key of one’s own',
  severity: 'high',
  motive: 'Where it is demanded, whoever holds the key decides who can read a backup.',
  evidence: 'encryptionAtRestProvider of the cluster and masterKeyUUID of its newest snapshot',
  remedy: 'Configure encryption at rest with a customer key in the project, and switch it on for the cluster.',
  kinds: ['dedicated'],
  about: 'backup',
  judge({ encryptionProvider, snapshots }, { options: { customerKey: isAsked }, now }) {
    const evidence = { encryptionAtRestProvider: encryptionProvider };
    if (!isAsked) return pass('the policy asks for no key of one’s own', evidence);
    if (encryptionProvider === null) return unknown('Atlas does not say who holds the key', evidence);
    if (encryptionProvider === 'NONE')
      return fail('the cluster is encrypted with a key of the cloud provider', evidence);
    if (!snapshots.known) return unread(snapshots);
    const newest = youngestFirst(snapshots.value).find((each) => isUsable(each, now) !== 'no');
    const found = { ...evidence, snapshotId: newest?.id ?? null, masterKeyUUID: newest?.customerKey ?? null };
    if (!newest) return pass('the cluster has a key of its own, and no snapshot yet', found);
    if (isUsable(newest, now) === 'perhaps') return unknown('Atlas does not say enough of the newest snapshot', found);
    return newest.customerKey === null
      ? fail('the newest snapshot names no customer key', found)
      : pass('encrypted with a key of one’s own', found);
  },
});

import { clusterRule, pass, unknown, warn } from './rule.ts';
import { isoOrNull } from './time.ts';

export const retainedBackups = clusterRule({
  id: 'BK-24',
  title: 'Backups of deleted clusters have an owner and an end',
  severity: 'info',
  motive: 'They cost money, hold data, and nobody sees them: they are listed so that somebody decides.',
  evidence: 'snapshots of clusters that are gone, their expiry, and the owner tag',
  remedy: 'Delete what is not needed, or write down who needs it and until when.',
  kinds: ['deleted'],
  about: 'cluster',
  judge({ snapshots, tags }, { options: { ownerTag } }) {
    const owner = tags.find(({ key }) => key.toLowerCase() === ownerTag.toLowerCase())?.value ?? null;
    const list = snapshots.known ? snapshots.value : [];
    const ends = list.flatMap(({ expiresAt }) => expiresAt ?? []);
    const evidence = {
      owner,
      ownerTag,
      snapshots: snapshots.known ? list.length : null,
      firstExpiry: isoOrNull(ends.length === 0 ? null : Math.min(...ends)),
      lastExpiry: isoOrNull(ends.length === 0 ? null : Math.max(...ends)),
      withoutExpiry: list.length - ends.length,
    };
    if (owner === null) return warn('backups of a deleted cluster without an owner', evidence);
    if (!snapshots.known) return unknown(`the snapshots could not be read: ${snapshots.reason}`, evidence);
    if (ends.length < list.length) return warn('backups of a deleted cluster without an end', evidence);
    return pass(`kept by ${owner}`, evidence);
  },
});

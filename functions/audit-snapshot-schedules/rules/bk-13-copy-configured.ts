import type { CopyFact, ScheduleFact, ZoneFact } from '../facts.ts';
import { copyIntervalHours, describedCopy, isElsewhere } from './copies.ts';
import { clusterRule, fail, pass, unknown, unread } from './rule.ts';

type Answer = 'yes' | 'no' | 'perhaps';

export const copyConfigured = clusterRule({
  id: 'BK-13',
  title: 'Snapshots are copied to another region',
  severity: 'high',
  motive:
    'A region that is lost takes the snapshots in it along. AWS Backup Audit Manager asks for a cross-Region copy.',
  evidence: 'copySettings of the schedule, zone by zone, in all three forms, against the regions of the nodes',
  remedy:
    'Add a copy setting for every zone, to a region without electable nodes, daily or more often, with oplogs where point-in-time recovery is on.',
  kinds: ['dedicated'],
  about: 'backup',
  judge({ schedule, zones, pitEnabled }, { options: { outsideElectableRegions, maxIntervalHours } }) {
    if (!schedule.known) return unread(schedule);
    if (!zones) return unknown('Atlas does not say what zones the cluster has');
    const copies = schedule.value?.copies;
    if (!schedule.value || !copies) return unknown('the schedule does not say what is copied');
    if (copies.length === 0 && schedule.value.autoCopy === true) {
      return unknown('Atlas copies by itself and does not say where to', { autoCopySettingsEnabled: true });
    }
    const answers = zones.map((zone) => ({
      zone,
      answer: best(
        copies.map((copy) =>
          serves(copy, zone, schedule.value, { outsideElectableRegions, maxIntervalHours, pitEnabled }),
        ),
      ),
    }));
    const without = answers.filter(({ answer }) => answer === 'no').map(({ zone }) => zone.name ?? zone.id);
    const evidence = {
      zones: zones.map(({ id, name, regions }) => ({ zoneId: id, name, regions: regions.map(({ region }) => region) })),
      copySettings: copies.map(describedCopy),
      zonesWithout: without,
      pitEnabled,
    };
    if (without.length > 0) {
      return fail(copies.length === 0 ? 'nothing is copied' : `no fitting copy for ${without.join(', ')}`, evidence);
    }
    if (answers.some(({ answer }) => answer === 'perhaps')) {
      return unknown('Atlas does not say enough of the copy settings', evidence);
    }
    return pass('every zone is copied elsewhere', evidence);
  },
});

interface Asked {
  readonly outsideElectableRegions: boolean;
  readonly maxIntervalHours: number;
  readonly pitEnabled: boolean | null;
}

/** Whether one copy setting does for one zone. */
function serves(copy: CopyFact, zone: ZoneFact, schedule: ScheduleFact | null, asked: Asked): Answer {
  if (!schedule) return 'perhaps';
  const ofZone = isOf(copy, zone);
  const elsewhere = asked.outsideElectableRegions ? isElsewhere(copy, zone) : copy.region === null ? 'perhaps' : 'yes';
  const hours = copyIntervalHours(copy, schedule);
  const often = hours === null ? 'perhaps' : hours <= asked.maxIntervalHours ? 'yes' : 'no';
  const oplogs =
    asked.pitEnabled === false || copy.oplogs === true
      ? 'yes'
      : asked.pitEnabled === null || copy.oplogs === null
        ? 'perhaps'
        : 'no';
  const all = [ofZone, elsewhere, often, oplogs];
  return all.includes('no') ? 'no' : all.includes('perhaps') ? 'perhaps' : 'yes';
}

function isOf({ zoneId }: CopyFact, zone: ZoneFact): Answer {
  if (zoneId === null || zone.id === null) return 'perhaps';
  return zoneId === zone.id ? 'yes' : 'no';
}

const best = (answers: readonly Answer[]): Answer =>
  answers.includes('yes') ? 'yes' : answers.includes('perhaps') ? 'perhaps' : 'no';

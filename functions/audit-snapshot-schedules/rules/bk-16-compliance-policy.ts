import type { ComplianceFact, ProjectFacts } from '../facts.ts';
import type { Resolved } from '../policy/resolve.ts';
import { described, keptFor } from './retention.ts';
import { fail, notApplicable, pass, projectRule, unknown, unread, type Verdict, warn } from './rule.ts';
import { HOUR_MS, hours, isoOrNull, shortestInterval } from './time.ts';

const APPROVED = 'CPS_DATA_PROTECTION_APPROVED_FOR_DISABLEMENT';
const DISABLING = ['CPS_DATA_PROTECTION_DISABLE_REQUESTED', 'CPS_DATA_PROTECTION_DISABLED'];

export const compliancePolicy = projectRule({
  id: 'BK-16',
  title: 'A Backup Compliance Policy guards the project',
  severity: 'high',
  motive:
    'Nobody, not even an owner, can then delete snapshots or lower a schedule below it. AWS calls it a vault lock.',
  evidence: 'state, schedule, copy protection and contact of the project’s Backup Compliance Policy',
  remedy:
    'Set the policy in the Atlas UI, with care: it can be taken back by MongoDB Support only. Nothing here ever sets it.',
  judge(project, { policy, options: { copyProtection, contactDomains, changingHours }, now }) {
    if (!project.hasDedicated) return notApplicable('the project has no cluster it could guard');
    const { compliance } = project;
    if (!compliance.known) return unread(compliance);
    if (compliance.value === null) return fail('the project has no Backup Compliance Policy');
    const { value } = compliance;
    const evidence = {
      state: value.state,
      items: (value.items ?? []).map(described),
      copyProtectionEnabled: value.copyProtection,
      pitEnabled: value.pit,
      restoreWindowDays: value.restoreWindowDays,
      contactDomain: value.email?.split('@').at(-1) ?? null,
      deletable: value.deletable,
      updatedAt: isoOrNull(value.updatedAt),
    };
    const ending = isEnding(value, project);
    if (ending) return fail(ending, evidence, 'critical');
    const { events } = project;
    const isTold = events.known ? events.value.every(({ type }) => type !== null) : events.cause === 'not-asked';
    const short = shortcomings(value, policy, { copyProtection, contactDomains });
    if (short.sure.length > 0) return fail(short.sure.join('; '), { ...evidence, shortcomings: short.sure });
    if (value.state === 'ENABLING' || value.state === 'UPDATING') {
      return changing(value, changingHours, now, evidence);
    }
    if (value.state !== 'ACTIVE') return unknown(`the state is ${value.state ?? 'not told'}`, evidence);
    if (value.deletable === null || !isTold) return unknown('Atlas does not say whether it may be disabled', evidence);
    return short.open.length > 0
      ? unknown(short.open.join('; '), evidence)
      : pass('active, and as strict as asked for', evidence);
  },
});

function isEnding({ state, deletable }: ComplianceFact, { events }: ProjectFacts): string | undefined {
  if (state === 'DISABLING') return 'the policy is being disabled';
  if (deletable === true) return 'support has approved that the policy may be disabled';
  const told = events.known ? events.value.toSorted((a, b) => (b.at ?? 0) - (a.at ?? 0)) : [];
  const last = told.find(({ type }) => type?.startsWith('CPS_DATA_PROTECTION_'))?.type;
  if (last === APPROVED) return 'support has approved that the policy may be disabled';
  return last && DISABLING.includes(last) ? 'somebody asked for the policy to be disabled' : undefined;
}

function changing(
  { state, updatedAt }: ComplianceFact,
  most: number,
  now: number,
  evidence: Verdict['evidence'],
): Verdict {
  if (updatedAt === null) return unknown(`${state}, and Atlas does not say since when`, evidence);
  const age = now - updatedAt;
  return age > most * HOUR_MS
    ? fail(`${state} for ${hours(age)} hours`, evidence)
    : warn(`${state} for ${hours(Math.max(0, age))} hours`, evidence);
}

/** Where the guard asks for less than the policy does, and where Atlas does not say. */
function shortcomings(
  value: ComplianceFact,
  policy: Resolved,
  asked: { copyProtection: boolean; contactDomains: readonly string[] },
): { sure: string[]; open: string[] } {
  const sure: string[] = [];
  const open: string[] = [];
  const schedule = { items: value.items, extraRetention: null };
  const check = (isFine: boolean | null, told: string): void => {
    if (isFine === false) sure.push(told);
    if (isFine === null) open.push(`not told: ${told}`);
  };
  if (policy.rule('BK-05').enabled) {
    const { minDays } = policy.options('BK-05');
    const kept = value.items && keptFor({ ...nothing, ...schedule }, 24);
    check(
      !kept ? null : kept.days >= minDays ? true : kept.open ? null : false,
      `it protects daily snapshots for ${kept?.days ?? 0} days, and ${minDays} are asked for`,
    );
  }
  if (policy.rule('BK-04').enabled) {
    const { maxIntervalHours } = policy.options('BK-04');
    const shortest = value.items && shortestInterval({ ...nothing, ...schedule });
    const isFine = value.items === null ? null : shortest !== null && shortest <= maxIntervalHours;
    check(isFine, `it asks for a snapshot less often than every ${maxIntervalHours} hours`);
  }
  if (policy.rule('BK-02').enabled && policy.options('BK-02').minWindowDays > 0) {
    const { minWindowDays } = policy.options('BK-02');
    check(value.pit, 'it does not demand point-in-time recovery');
    const window = value.restoreWindowDays;
    if (value.pit !== false) {
      check(
        window === null ? null : window >= minWindowDays,
        `its restore window is shorter than ${minWindowDays} days`,
      );
    }
  }
  if (asked.copyProtection) check(value.copyProtection, 'copies are not protected');
  if (!asked.contactDomains.includes('*')) {
    const domain = value.email?.split('@').at(-1)?.toLowerCase();
    check(
      domain === undefined ? null : asked.contactDomains.some((each) => each.toLowerCase() === domain),
      'its contact is of no allowed mail domain',
    );
  }
  return { sure, open };
}

const nothing = {
  legacy: false,
  policyId: null,
  nextSnapshot: null,
  referenceHour: null,
  referenceMinute: null,
  restoreWindowDays: null,
  autoExport: null,
  exportBucketId: null,
  exportFrequency: null,
  autoCopy: null,
  copyItemsEnabled: null,
  copies: null,
};

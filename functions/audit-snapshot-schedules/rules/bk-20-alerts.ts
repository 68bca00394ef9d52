import { fail, notApplicable, pass, projectRule, unknown, unread } from './rule.ts';

export const alerts = projectRule({
  id: 'BK-20',
  title: 'Somebody is told when backups go wrong',
  severity: 'medium',
  motive: 'Atlas notices failed and late snapshots first, and tells only whom it is configured to tell.',
  evidence: 'enabled alert configurations of the project that notify somebody',
  remedy: 'Add alert configurations for the missing event types, with a notification.',
  judge({ alerts: configured, hasDedicated }, { options: { types } }) {
    if (!hasDedicated) return notApplicable('the project has no cluster these alerts are about');
    if (!configured.known) return unread(configured);
    const has = (type: string, isFine: (enabled: boolean | null, told: number | null) => boolean): boolean =>
      configured.value.some((each) => each.type === type && isFine(each.enabled, each.notifications));
    const missing = types.filter((type) => !has(type, (enabled, told) => enabled === true && (told ?? 0) > 0));
    const open = missing.filter(
      (type) =>
        has(type, (enabled, told) => enabled !== false && told !== 0) ||
        configured.value.some((each) => each.type === null),
    );
    const evidence = { asked: [...types], missing };
    if (missing.length === 0) return pass('all are configured', evidence);
    if (missing.length === open.length)
      return unknown('Atlas does not say enough of the alert configurations', evidence);
    return fail(`nobody is told of ${missing.join(', ')}`, evidence);
  },
});

import type { Settings } from '../../settings.ts';

/** What a function asks of the Atlas account it acts as. */
export interface Need {
  /** The key below `atlas.credentials` in the settings. */
  readonly account: keyof Settings['atlas']['credentials'];
  readonly functions: readonly string[];
  /** Roles in the organization, each of which is enough by itself. */
  readonly organization: readonly string[];
  /** A role in each project, which is enough as well. */
  readonly project: string | undefined;
  /** What it is for. */
  readonly purpose: string;
}

const READERS = ['ORG_READ_ONLY', 'ORG_OWNER'];

/** The least that is needed, by account. What rotates secrets acts as the accounts it rotates, or their administrator. */
export const NEEDS: readonly Need[] = [
  {
    account: 'audit',
    functions: ['audit-snapshot-schedules'],
    organization: READERS,
    project: 'Project Read Only',
    purpose: 'read every cluster’s backups',
  },
  {
    account: 'remediation',
    functions: ['remediate-snapshot-schedules'],
    organization: ['ORG_OWNER'],
    project: 'Project Backup Manager',
    purpose: 'change snapshot schedules',
  },
  {
    account: 'migration',
    functions: ['command-live-migration', 'watch-live-migrations'],
    organization: ['ORG_OWNER'],
    project: undefined,
    purpose: 'start migrations and cut them over',
  },
  {
    account: 'tickets',
    functions: ['deliver-tickets', 'reconcile-alerts', 'receive-ticket-update'],
    organization: ['ORG_OWNER'],
    project: 'Project Alerts Manager, or Project Read Only if nothing is to be acknowledged',
    purpose: 'read and acknowledge alerts',
  },
  {
    account: 'fleet',
    functions: ['sweep-service-account-secrets'],
    organization: READERS,
    project: undefined,
    purpose: 'list the service accounts of the organization',
  },
];

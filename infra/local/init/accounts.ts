import type { Settings } from '../../settings.ts';
import type { Answers } from './answers.ts';

/** An Atlas account a function acts as. */
export interface Account {
  readonly key: keyof Settings['atlas']['credentials'];
  readonly secret: string;
  /** The role it needs, for people. */
  readonly role: string;
}

const ALL: readonly (Account & { readonly for: Answers['capabilities'][number] })[] = [
  { for: 'audit', key: 'audit', secret: 'atlas-automation/audit', role: 'Organization Read Only: reads every backup' },
  {
    for: 'remediation',
    key: 'remediation',
    secret: 'atlas-automation/remediation',
    role: 'Project Backup Manager in every project: changes schedules',
  },
  {
    for: 'migration',
    key: 'migration',
    secret: 'atlas-automation/migration',
    role: 'Organization Owner: nothing less may start a migration',
  },
  {
    for: 'tickets',
    key: 'tickets',
    secret: 'atlas-automation/tickets',
    role: 'Project Alerts Manager: reads and acknowledges alerts',
  },
  {
    for: 'rotation',
    key: 'fleet',
    secret: 'atlas-automation/fleet',
    role: 'Organization Read Only: lists all service accounts for the daily report',
  },
];

/** The accounts these capabilities need. What rotates a secret acts as the account of that secret. */
export const accountsOf = ({ capabilities }: Pick<Answers, 'capabilities'>): readonly Account[] =>
  ALL.filter((account) => capabilities.includes(account.for)).map(({ key, secret, role }) => ({ key, secret, role }));

import * as z from 'zod';
import type { State, Stored } from '../../lib/aws/state.ts';
import type { ServiceAccountClassChanged } from '../../lib/events/fleet.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import type { FleetAccount, FleetReport } from './fleet-report.ts';

/** The partition of the state that holds what each account was at the last look. */
const FLEET = 'service-account-fleet';

const Remembered = z.object({
  classes: z.array(z.string()),
  name: z.string().nullable(),
  orgId: z.string().nullable(),
  /** When this was first so. */
  since: z.iso.datetime(),
});
type Remembered = z.output<typeof Remembered>;

/** What is to be told, and then remembered: in this order, so that a look that breaks off in between is told again. */
export interface Change {
  readonly event: ServiceAccountClassChanged;
  /** Absent where there is no memory. */
  readonly remember?: (deadline: Deadline) => Promise<void>;
}

const classesOf = ({ ownership, findings }: FleetAccount): string[] => [ownership, ...findings];

const eventOf = (
  account: FleetAccount,
  previously: readonly string[] | null,
  at: string,
): ServiceAccountClassChanged => ({
  clientId: account.clientId,
  name: account.name,
  orgId: account.orgId,
  classes: classesOf(account),
  previously: previously === null ? null : [...previously],
  reasons: account.reasons,
  needsPerson: account.needsPerson,
  owner: account.breakGlass?.owner ?? null,
  worksUntil: account.worksUntil,
  at,
});

/** Without a memory: everything that needs a person, every time. Pure. */
export const withoutMemory = ({ accounts, at }: FleetReport): Change[] =>
  accounts.filter(({ needsPerson }) => needsPerson).map((account) => ({ event: eventOf(account, null, at) }));

/**
 * What changed since the last look. An account is gone only where everything could be read; one whose ownership is not
 * known this time is left as it was remembered.
 */
export async function changesSince(state: State, report: FleetReport, deadline: Deadline): Promise<Change[]> {
  const remembered = new Map<string, Stored<Remembered>>();
  for await (const stored of state.list(FLEET, Remembered, deadline)) remembered.set(stored.key.sk, stored);
  const changes: Change[] = [];
  for (const account of report.accounts) {
    const before = remembered.get(account.clientId);
    remembered.delete(account.clientId);
    const classes = classesOf(account);
    if (before?.value.classes.join() === classes.join()) continue;
    if (before && account.ownership === 'unknown') continue;
    const value: Remembered = { classes, name: account.name, orgId: account.orgId, since: report.at };
    const key = { pk: FLEET, sk: account.clientId };
    changes.push({
      event: eventOf(account, before?.value.classes ?? null, report.at),
      async remember(within) {
        // Whoever looked at the same time has told the same.
        await (before ? state.replace(before, value, within) : state.create(key, value, within));
      },
    });
  }
  if (!report.complete) return changes;
  for (const [clientId, gone] of remembered) {
    const { name, orgId, classes } = gone.value;
    changes.push({
      event: {
        clientId,
        name,
        orgId,
        classes: ['gone'],
        previously: classes,
        reasons: [],
        needsPerson: false,
        owner: null,
        worksUntil: null,
        at: report.at,
      },
      async remember(within) {
        await state.remove(gone, within);
      },
    });
  }
  return changes;
}

import * as z from 'zod';
import type { State } from '../../lib/aws/state.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { MigrationRequest } from './contract.ts';
import { canonical, keys, sha256 } from './run.ts';

export const Severity = z.enum(['BLOCKER', 'WARNING', 'INFO', 'ATTEST']);
export type Severity = z.output<typeof Severity>;

/** How a check came out. UNKNOWN is what could not be read: it never counts as passed. */
export const Outcome = z.enum(['PASS', 'FAIL', 'WAIVED', 'PENDING', 'UNKNOWN', 'NOT_APPLICABLE']);

/** One of the checks, as a plan shows it. */
export const Checked = z.object({
  id: z.string(),
  number: z.int(),
  title: z.string(),
  severity: Severity,
  outcome: Outcome,
  /** What was seen, for people. Untrusted text: escape it where it is shown. */
  evidence: z.string(),
  remedy: z.string(),
  waiver: z.object({ owner: z.string(), reason: z.string(), expires: z.string() }).optional(),
});
export type Checked = z.output<typeof Checked>;

/** What a start, and later its cutover, are bound to. */
export const Plan = z.object({
  digest: z.string(),
  madeAt: z.iso.datetime(),
  requestedBy: z.string(),
  request: MigrationRequest,
  requestHash: z.string(),
  checks: z.array(Checked),
  validation: z.object({ id: z.string(), startedAt: z.iso.datetime() }).optional(),
  /** What a migration does not bring along, by name. */
  notMigrated: z.array(z.string()),
  /** The destination's newest snapshot. */
  snapshot: z.object({ id: z.string(), createdAt: z.iso.datetime() }).optional(),
  destinationHoldsData: z.boolean().optional(),
  oplogWindowSeconds: z.number().optional(),
});
export type Plan = z.output<typeof Plan>;

/** A plan with the digest of everything else in it. */
export function sealed({ digest: _, ...plan }: Omit<Plan, 'digest'> & { readonly digest?: string }): Plan {
  return { ...plan, digest: sha256(canonical(plan)) };
}

/** What of a plan keeps a migration from being started. */
export const standsAgainst = ({ checks }: Pick<Plan, 'checks'>): readonly Checked[] =>
  checks.filter(
    ({ severity, outcome }) =>
      severity !== 'INFO' && (outcome === 'FAIL' || outcome === 'UNKNOWN' || outcome === 'PENDING'),
  );

const KEPT_MS = 30 * 24 * 3_600_000;

/** Keeps a plan for as long as somebody may ask what it said. Keeping it twice is keeping it once. */
export async function keepPlan(state: State, plan: Plan, deadline: Deadline): Promise<void> {
  const expiresAt = new Date(Date.parse(plan.madeAt) + KEPT_MS);
  await state.create(keys.plan(plan.digest), plan, deadline, { expiresAt });
}

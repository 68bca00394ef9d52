import { destinationChecks } from './checks/destination.ts';
import { peopleChecks } from './checks/people.ts';
import { placeChecks } from './checks/place.ts';
import { sourceChecks } from './checks/source.ts';
import type { Attestation, MigrationRequest, MigrationSettings, Waiver } from './contract.ts';
import type { Checked, Severity } from './plan.ts';
import type { World } from './survey.ts';
import type { Validation } from './validation.ts';

/** What a check judges by. */
export interface Evidence extends World {
  readonly request: MigrationRequest;
  readonly validation: Validation;
  readonly waivers: readonly Waiver[];
  readonly attestations: readonly Attestation[];
  readonly settings: MigrationSettings;
}

/** How a check comes out, and by what. Untrusted names may stand in the evidence. */
export interface Verdict {
  readonly outcome: 'PASS' | 'FAIL' | 'PENDING' | 'UNKNOWN' | 'NOT_APPLICABLE';
  readonly evidence: string;
}

export interface Check {
  /** Stable: waivers and attestations name it. */
  readonly id: string;
  readonly number: number;
  readonly title: string;
  readonly severity: Severity;
  readonly remedy: string;
  /** A statement of a person answers it where nothing else does. */
  readonly attestable?: boolean;
  readonly judge: (evidence: Evidence) => Verdict;
}

export const pass = (evidence: string): Verdict => ({ outcome: 'PASS', evidence });
export const fail = (evidence: string): Verdict => ({ outcome: 'FAIL', evidence });
export const unknown = (evidence: string): Verdict => ({ outcome: 'UNKNOWN', evidence });
export const notApplicable = (evidence: string): Verdict => ({ outcome: 'NOT_APPLICABLE', evidence });

export const CHECKS: readonly Check[] = [
  ...placeChecks,
  ...destinationChecks,
  ...sourceChecks,
  ...peopleChecks,
].toSorted((a, b) => a.number - b.number);

export const isAttestable = ({ severity, attestable = severity === 'ATTEST' }: Check): boolean => attestable;

const LONGEST_EVIDENCE = 500;

/** Every check's verdict on what was read, in their order. Total and pure: what could not be read is UNKNOWN. */
export function judge(evidence: Evidence): Checked[] {
  return CHECKS.map((check) => {
    const { id, number, title, severity, remedy, judge: judgeOne } = check;
    const verdict = judgeOne(evidence);
    const attested =
      isAttestable(check) &&
      verdict.outcome !== 'FAIL' &&
      evidence.attestations.find(({ check: named }) => named === id);
    const judged: Verdict =
      attested && verdict.outcome !== 'PASS' ? pass(`${attested.by} says: ${attested.statement}`) : verdict;
    const waiver = evidence.waivers.find(({ check: named }) => named === id);
    const isWaived =
      waiver !== undefined &&
      severity === 'WARNING' &&
      (judged.outcome === 'FAIL' || judged.outcome === 'UNKNOWN') &&
      Date.parse(waiver.expires) > evidence.now.getTime();
    return {
      id,
      number,
      title,
      severity,
      outcome: isWaived ? 'WAIVED' : judged.outcome,
      evidence: judged.evidence.slice(0, LONGEST_EVIDENCE),
      remedy,
      ...(isWaived && { waiver: { owner: waiver.owner, reason: waiver.reason, expires: waiver.expires } }),
    };
  });
}

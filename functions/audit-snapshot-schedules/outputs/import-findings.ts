import type { ImportOutcome, SecurityHub } from '../../../lib/aws/security-hub.ts';
import type { Deadline } from '../../../lib/runtime/deadline.ts';
import type { ReportSource } from '../report.ts';
import { asffFindings, type SecurityHubTarget } from './asff.ts';

/**
 * Tells Security Hub what it should know of this report. Safe to repeat: a finding has one id there as here. What was
 * refused or not sent for lack of time is in the outcome; a FAIL is told again by the next run, a resolved finding is not.
 */
export const importFindings = (
  source: ReportSource,
  target: SecurityHubTarget,
  { securityHub, deadline }: { readonly securityHub: SecurityHub; readonly deadline: Deadline },
): Promise<ImportOutcome> => securityHub.importFindings(asffFindings(source, target), deadline);

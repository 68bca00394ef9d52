/** What a run adds up to, and what the bus is to be told of it: seen finding by finding, held as sums. */
import { type Aggregate, createAggregate } from './aggregate.ts';
import type { Announcer } from './announce.ts';
import type { AuditedProject } from './audit-project.ts';
import type { Line } from './records.ts';
import type { Finding } from './report.ts';

export interface Tally {
  readonly aggregate: Aggregate;
  readonly announcer: Announcer;
  /** One project as it was audited just now. */
  see(audited: AuditedProject): void;
  /** The lines of a part that was there already. */
  seeLines(lines: readonly Line[]): void;
  /** Findings that belong to no project there is: counted where they are part of the report's own sums. */
  seeOthers(findings: readonly Finding[], counted: boolean): void;
}

export function createTally(announcer: Announcer): Tally {
  const aggregate = createAggregate();
  const look = (record: Line): void => {
    if (record.kind === 'part') return;
    aggregate.add(record);
    record.findings.forEach(announcer.see);
    if (record.kind === 'project') record.gone.forEach(announcer.see);
  };
  return {
    aggregate,
    announcer,
    see({ project, clusters }) {
      look(project);
      clusters.forEach(look);
    },
    seeLines: (lines) => lines.forEach(look),
    seeOthers(findings, counted) {
      if (counted) aggregate.addFindings(findings);
      findings.forEach(announcer.see);
    },
  };
}

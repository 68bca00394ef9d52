/** What was looked at, and what came of it. `note` is nothing to fix; `unknown` could not be looked at. */
export interface Finding {
  readonly area: 'node' | 'settings' | 'bundles' | 'credentials' | 'roles' | 'aws' | 'tickets' | 'webhook';
  readonly verdict: 'ok' | 'note' | 'unknown' | 'fix';
  readonly text: string;
  /** What to do about it. */
  readonly fix?: string;
}

/** Whether a person has something to do. What could not be looked at counts: it is not known to be well. */
export const isWell = (findings: readonly Finding[]): boolean =>
  findings.every(({ verdict }) => verdict === 'ok' || verdict === 'note');

import { createState, type State } from '../../../../lib/aws/state.ts';
import type { Machine } from '../../machine.ts';

/** What a page waits for the table at the most. */
export const PATIENCE_MS = 5_000;

/** The functions' own state, to be read. */
export const tableOf = ({ sdk, stateTable, clock }: Pick<Machine, 'sdk' | 'stateTable' | 'clock'>): State =>
  createState(stateTable, sdk, clock);

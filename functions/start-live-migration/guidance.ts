import type { Run } from './run.ts';

/** The way back, and whether there still is one. Pure. */
export interface Guidance {
  /** Whether applications may have written to the destination already: after that there is no simple way back. */
  readonly pastReturn: boolean;
  readonly title: string;
  readonly options: readonly string[];
}

const BEFORE: Guidance = {
  pastReturn: false,
  title: 'The source is untouched: to go back, leave or point the applications at it.',
  options: ['Keep the applications on the source, or point them back to it.'],
};

/** Said as soon as a cutover may have been carried out: whether somebody has written since, nothing here can see. */
const AFTER: Guidance = {
  pastReturn: true,
  title: 'The first write to the destination is the point of no return: nothing copies it back by itself.',
  options: [
    'As long as nothing was written to the destination: point the applications back to the source. Nothing is lost.',
    'After the first write, mend forward: keep the applications on the destination and repair there. Nothing is lost.',
    'After the first write, copy back yourself, by your own mongosync or a dump and restore from the destination: whatever was written to the destination and is not copied is lost, and so is what was written to the source meanwhile.',
  ],
};

const WITH_A_CUTOVER = new Set(['CUTOVER_INTENT', 'CUTOVER_UNKNOWN', 'CUTTING_OVER', 'CUT_OVER', 'COMPLETE']);

export const guidanceOf = ({ state, cutover }: Pick<Run, 'state' | 'cutover'>): Guidance =>
  WITH_A_CUTOVER.has(state) || cutover !== undefined ? AFTER : BEFORE;

/** What is left for people to do, in the order to do it. Pure. */
export function nextSteps(run: Run): string[] {
  switch (run.state) {
    case 'START_UNKNOWN':
      return ['Wait: the project’s events are asked whether the start was carried out. It is never sent again.'];
    case 'STARTED_UNIDENTIFIED':
      return ['Read the migration’s id off Atlas’s user interface, and give it with the action identify.'];
    case 'READY':
      return [
        'Create what is not migrated at the destination.',
        'Stop the applications’ writes to the source.',
        'Let somebody who neither planned nor started it approve the cutover.',
      ];
    case 'CUTOVER_UNKNOWN':
      return ['Keep the writes stopped, and look in Atlas’s user interface whether it is cutting over.'];
    case 'CUT_OVER':
      return [
        'Point the applications to the destination.',
        'Wait for its first snapshot: until then it is not backed up.',
      ];
    case 'COMPLETE':
      return [
        'When no other migration of the organization runs or is planned, delete its link token (deleteOrgLiveMigrationLinkTokens): whoever has it can link to the organization.',
      ];
    case 'EXPIRED':
      return ['Do not use the destination: its data stands still. Empty it before the next attempt.'];
    default:
      return [];
  }
}

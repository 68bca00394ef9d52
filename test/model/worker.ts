/** One of the threads that explore: takes jobs from its parent, one after the other, and answers what it found. */
import { parentPort, workerData } from 'node:worker_threads';
import fc from 'fast-check';
import type { Model } from './entry.ts';
import type { Explored, Job, PairsJob } from './explore.ts';
import type { Lane } from './together.ts';

/** Runs side by side, interleaved by fast-check. */
export interface TogetherJob {
  readonly seed: number;
  readonly runs: number;
}

export type Task =
  | { readonly kind: 'alone'; readonly job: Job }
  | { readonly kind: 'pairs'; readonly job: PairsJob }
  | { readonly kind: 'together'; readonly job: TogetherJob };

const LANES = ['rs', 'rg', 'rh', 'ss', 'sg', 'sh', 'gg', 'gh', 'hh', 'rd', 'rsg', 'rgh', 'sgh'];
const MOVES = [
  'k',
  'K',
  'l',
  'L',
  'd3',
  'D3',
  'x4',
  'X5',
  '!M',
  '!Q',
  '!C',
  '!P',
  '!X',
  '!V',
  '!E',
  '!R',
  '!B',
  '!T2',
  '!T4',
];

/** Interleaves what fast-check comes up with, and keeps what broke a rule. */
export async function exploreTogether(
  model: Model,
  { seed, runs }: TogetherJob,
  into: Explored,
  isOver: () => boolean = () => false,
): Promise<void> {
  const plans = fc.record({
    scene: fc.constantFrom(...model.SCENES),
    lanes: fc.constantFrom(...LANES),
    moves: fc.array(fc.record({ at: fc.integer({ min: 1, max: 60 }), code: fc.constantFrom(...MOVES) }), {
      maxLength: 2,
    }),
  });
  const property = fc.asyncProperty(fc.scheduler(), plans, async (scheduler, { scene, lanes, moves }) => {
    if (isOver()) return;
    const together = {
      scene,
      lanes: [...lanes] as Lane[],
      moves: moves.toSorted((a, b) => a.at - b.at),
    };
    const played = await model.playTogether(
      together,
      (lane) => scheduler.schedule(Promise.resolve(), lanes.charAt(lane)),
      (all) => scheduler.waitFor(all),
    );
    model.take(into, played, model.textOfTogether(together, played.order));
  });
  await fc.assert(property, { seed, numRuns: runs, endOnFailure: true });
}

if (parentPort) {
  const port = parentPort;
  const { model } = (await import(String(workerData))) as { model: Model };
  port.on('message', async ({ kind, job }: Task) => {
    const into = model.nothingExplored();
    if (kind === 'alone') await model.explore(job, into);
    else if (kind === 'pairs') await model.explorePairs(job, into);
    else await exploreTogether(model, job, into);
    port.postMessage(into);
  });
}

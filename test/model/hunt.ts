/** Looks for a schedule that shows a mutant, the cheapest places first, and makes what it finds as small as it can. */
import type { Model } from './entry.ts';
import type { Explored, Failure, Job } from './explore.ts';
import { exploreTogether } from './worker.ts';

export interface Kill {
  readonly failure: Failure;
  /** Schedules that were played before it was found. */
  readonly schedules: number;
  /** Effects in the trace. */
  readonly length: number;
}

/** Interleavings tried before single faults, and after everything else. */
const FIRST_RUNS = 300;
const LAST_RUNS = 6_000;

/**
 * Looks for a schedule that shows `model` to be wrong. One that the real code fails, too, kills nothing: it is an error of
 * its own, and thrown as one.
 */
export async function hunt(model: Model, real: Model, seed: number): Promise<Kill | undefined> {
  const into = model.nothingExplored();
  const isOver = (): boolean => into.failures.length > 0;
  const alone = async (job: Pick<Job, 'moves' | 'of'>, scenes = model.SCENES): Promise<void> => {
    for (const scene of scenes) {
      if (isOver()) return;
      await model.explore({ scene, part: 0, seconds: 0, seed, ...job }, into, isOver);
    }
  };
  // Every scene by itself, then a little of everything, then all of it.
  await alone({ moves: 'faults', of: Number.MAX_SAFE_INTEGER });
  if (!isOver()) await exploreTogether(model, { seed, runs: FIRST_RUNS }, into, isOver);
  const simple = model.SCENES.filter((scene) => /none|over/.test(scene));
  // One in seven, and not one in five: there are fifteen actions, and each has to have its turn.
  for (const every of [7, 1]) {
    await alone({ moves: 'actions at writes', of: every }, simple);
    await alone({ moves: 'faults of writes', of: every }, simple);
  }
  await alone({ moves: 'all', of: 7 });
  if (!isOver()) await exploreTogether(model, { seed: seed + 1, runs: LAST_RUNS }, into, isOver);
  await alone({ moves: 'all', of: 1 });
  if (!isOver()) await model.explorePairs({ scenes: model.SCENES, from: 0, to: 20, seed }, into, isOver);
  const [found] = into.failures;
  if (!found) return undefined;
  const { violations } = await real.replay(found.schedule);
  if (violations.length > 0) throw new Error(`the real code fails ${found.schedule}, too`);
  return smaller(model, into, found);
}

/** Leaves moves and side by side runs out for as long as the same rule is still broken. */
async function smaller(model: Model, { schedules }: Explored, found: Failure): Promise<Kill> {
  let failure = found;
  let length = failure.trace.split('\n').length;
  for (let again = true; again; ) {
    again = false;
    for (const schedule of simplerThan(failure.schedule)) {
      const played = await model.replay(schedule).catch(() => undefined);
      const broken = played?.violations.find(({ rule }) => rule === failure.rule);
      if (!played || !broken) continue;
      failure = { schedule, ...broken, trace: model.traceOf(played) };
      length = played.entries.length;
      again = true;
      break;
    }
  }
  return { failure, schedules, length };
}

function simplerThan(schedule: string): string[] {
  const words = schedule.split(' ');
  const isMove = (word: string): boolean => /^(\d+|\w+\.\d+:)[a-zA-Z!]\d*/.test(word);
  const without = words.flatMap((word, at) => (isMove(word) ? [words.toSpliced(at, 1).join(' ')] : []));
  const lanes = words.find((word) => word.startsWith('lanes='));
  if (lanes !== undefined) without.unshift(words.filter((word) => !/^(lanes|order)=/.test(word)).join(' '));
  return without;
}

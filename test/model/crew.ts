/** Explores on several threads: gives out tasks, which may depend on what was found so far, and adds up what comes back. */
import { Worker } from 'node:worker_threads';
import type { Explored } from './explore.ts';
import type { Task } from './worker.ts';

export async function exploreOn(
  threads: number,
  model: string,
  tasks: (soFar: Explored) => Iterable<Task>,
): Promise<Explored> {
  const all: Explored = {
    schedules: 0,
    effects: 0,
    failed: 0,
    courses: new Set(),
    states: new Set(),
    failures: [],
  };
  const queue = Iterator.from(tasks(all));
  const work = async (): Promise<void> => {
    // A test runner's own flags are not for this thread.
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: model,
      execArgv: [],
      // Nearly everything that is made dies with its schedule: room enough that it need not be moved first.
      resourceLimits: { maxYoungGenerationSizeMb: 64 },
    });
    try {
      for (const task of queue) add(all, await answerTo(worker, task));
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
  return all;
}

function answerTo(worker: Worker, task: Task): Promise<Explored> {
  const { promise, resolve, reject } = Promise.withResolvers<Explored>();
  worker.once('message', resolve);
  worker.once('error', reject);
  worker.postMessage(task);
  return promise.finally(() => {
    worker.off('message', resolve);
    worker.off('error', reject);
  });
}

export function add(all: Explored, part: Explored): void {
  all.schedules += part.schedules;
  all.effects += part.effects;
  all.failed += part.failed;
  for (const course of part.courses) all.courses.add(course);
  for (const state of part.states) all.states.add(state);
  for (const failure of part.failures)
    if (!all.failures.some(({ rule, what }) => rule === failure.rule && what === failure.what))
      all.failures.push(failure);
}

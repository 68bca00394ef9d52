/**
 * The rotation under every fault this model knows. A few thousand schedules by default; with `SUITE=model` more than a
 * hundred thousand, on two threads. `MODEL_SEED` chooses other pairs and interleavings, `MODEL_PAIRS` how many of a
 * thousand pairs of faults are played.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exploreOn } from './crew.ts';
import type { Explored } from './explore.ts';
import { type Loaded, loadModel } from './load.ts';
import type { Task } from './worker.ts';

const isWhole = process.env['SUITE'] === 'model';
const seed = Number(process.env['MODEL_SEED'] ?? 1);
const writePairs = Number(process.env['MODEL_PAIRS'] ?? 6);
const THREADS = 2;
const AT_LEAST = isWhole ? 100_000 : 1_500;

let loaded: Loaded;
beforeAll(async () => {
  loaded = await loadModel();
});
afterAll(() => loaded[Symbol.asyncDispose]());

/** Jobs small enough that no thread waits long for the other. */
function tasks(scenes: readonly string[]): Task[] {
  const parts = isWhole ? 4 : 1;
  const together = (n: number): Task => ({
    kind: 'together',
    job: { seed: seed * 1_000 + n, runs: isWhole ? 500 : 100 },
  });
  const alone = scenes.flatMap((scene, index) =>
    Array.from({ length: parts }, (_, part): Task => {
      const job = isWhole
        ? { scene, part, of: parts, moves: 'all' as const, writePairs, otherPairs: 100, seed }
        : { scene, part: index % 50, of: 50, moves: 'all' as const, writePairs: 0, otherPairs: 20, seed };
      return { kind: 'alone', job };
    }),
  );
  return [...alone, ...Array.from({ length: isWhole ? 24 : 4 }, (_, n) => together(n))];
}

const sayFailures = ({ failures }: Explored): string =>
  failures.map(({ rule, what, trace }) => `${rule}: ${what}\n${trace}`).join('\n\n');

describe('a rotation', () => {
  it(
    'keeps every promise under every fault',
    async () => {
      const began = performance.now();
      const explored = await exploreOn(THREADS, loaded.file, tasks(loaded.model.SCENES));
      const seconds = Math.round((performance.now() - began) / 1_000);
      process.stdout.write(
        `${explored.schedules} schedules (${explored.courses.size} different courses of events, ${explored.effects} effects), ` +
          `${explored.states.size} states, seed ${seed}, ${seconds} s on ${THREADS} threads, ` +
          `${Math.round(explored.schedules / Math.max(1, seconds))} schedules/s, ${Math.round(explored.effects / Math.max(1, seconds))} effects/s\n`,
      );
      expect(sayFailures(explored)).toBe('');
      expect(explored.failed).toBe(0);
      expect(explored.schedules).toBeGreaterThanOrEqual(AT_LEAST);
      expect(explored.courses.size).toBeGreaterThanOrEqual(AT_LEAST * 0.9);
    },
    isWhole ? 3_600_000 : 300_000,
  );

  it('without faults mints one secret and at most three tokens, with at most nine calls of Atlas', async () => {
    const { model } = loaded;
    for (const scene of model.SCENES.filter((name) =>
      /\/(none|old orphan|previous (over|expired))\/fresh$/.test(name),
    )) {
      const { clean } = await model.play({ scene, moves: [] });
      expect(clean, scene).toMatchObject({ mints: 1 });
      expect(clean.tokens, scene).toBeLessThanOrEqual(3);
      // To make room first takes a deletion and the looks that lead to it.
      expect(clean.atlasCalls, scene).toBeLessThanOrEqual(scene.includes('/none/') ? 9 : 13);
    }
  });
});

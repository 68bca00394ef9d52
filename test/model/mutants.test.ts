/**
 * Wrong protocols, planted in the real code: every one of them must be found. By default a few, with `SUITE=model` all.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hunt } from './hunt.ts';
import { type Loaded, loadModel } from './load.ts';
import { MUTANTS } from './mutants.ts';

const isWhole = process.env['SUITE'] === 'model';
const seed = Number(process.env['MODEL_SEED'] ?? 1);

/** Those that show themselves at once, one of each kind. */
const QUICK = ['no fence', 'counts valid', 'C: deletes whatever'];

/** What is known to be wrong from others' designs, and from taking one rule of this one away: none may get lost. */
const KNOWN_TO_BE_WRONG = [
  'no fence',
  'rolls back by the label',
  'no age guard',
  'an age guard shorter',
  'deletes its own mint when a store fails and nothing is stored',
  'deletes its own mint when a store fails',
  'no reconciler',
  'A: never lists',
  'B: compensates blindly',
  'C: deletes whatever',
];

let real: Loaded;
beforeAll(async () => {
  real = await loadModel();
});
afterAll(() => real[Symbol.asyncDispose]());

it.each(KNOWN_TO_BE_WRONG)('plants "%s"', (known) => {
  expect(MUTANTS.some(({ name }) => name.startsWith(known))).toBe(true);
});

describe('the explorer finds', () => {
  const wanted = MUTANTS.filter(({ name }) => isWhole || QUICK.some((quick) => name.startsWith(quick)));
  it.each(wanted)(
    '$name',
    async ({ name, changes }) => {
      await using loaded = await loadModel(changes);
      const kill = await hunt(loaded.model, real.model, seed);
      expect(kill, `survived: ${name}`).toBeDefined();
      const { failure, schedules, length } = kill!;
      process.stdout.write(
        `killed by ${failure.rule} (${failure.what}) after ${schedules} schedules, ${length} effects: ${failure.schedule} | ${name}\n`,
      );
    },
    900_000,
  );

  it('each of them where it says, once: a change that does not fit any more proves nothing', async () => {
    const built = await Promise.all(MUTANTS.map(({ changes }) => loadModel(changes)));
    await Promise.all(built.map((loaded) => loaded[Symbol.asyncDispose]()));
    const nowhere = { file: 'functions/rotate-service-account-secret/decide.ts', find: 'no such text', replace: '' };
    await expect(loadModel([nowhere])).rejects.toThrow('has 0 times');
  }, 180_000);
});

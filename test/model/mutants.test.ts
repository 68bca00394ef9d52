/**
 * Wrong protocols, planted in the real code: every one of them must be found. By default a few, with `SUITE=model` all.
 */
import { describe, expect, it } from 'vitest';
import { hunt } from './hunt.ts';
import { loadModel } from './load.ts';
import { MUTANTS } from './mutants.ts';

const isWhole = process.env['SUITE'] === 'model';
const seed = Number(process.env['MODEL_SEED'] ?? 1);

/** Those that show themselves at once, one of each kind. */
const QUICK = ['no fence', 'counts valid', 'C: deletes whatever'];

describe('the explorer finds', () => {
  const wanted = MUTANTS.filter(({ name }) => isWhole || QUICK.some((quick) => name.startsWith(quick)));
  it.each(wanted)(
    '$name',
    async ({ name, changes }) => {
      await using loaded = await loadModel(changes);
      const kill = await hunt(loaded.model, seed);
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

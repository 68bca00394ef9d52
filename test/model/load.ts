/** Builds the model, with or without changes of the real code, and brings it into this process. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildModel, type Change } from './build.ts';
import type { Model } from './entry.ts';

export interface Loaded extends AsyncDisposable {
  readonly model: Model;
  /** Where it was built, for threads of its own. */
  readonly file: string;
}

export async function loadModel(changes: readonly Change[] = []): Promise<Loaded> {
  const folder = await mkdtemp(path.join(tmpdir(), 'rotation-model-'));
  const file = path.join(folder, 'model.mjs');
  await buildModel(file, changes);
  // By Node itself: a test runner would take it apart first.
  const { model } = createRequire(import.meta.url)(file) as { model: Model };
  return {
    model,
    file,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

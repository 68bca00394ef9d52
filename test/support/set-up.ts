import '../../infra/require-node.cjs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { buildBundles } from '../../infra/build.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the bundles built for this run: `inject('bundles')`. */
    bundles: string;
  }
}

let folder: string | undefined;

/**
 * Fails the whole run, with a plain message, on a Node that is too old; builds the bundles the tests run, or only those
 * that `LAMBDAS` names, separated by commas. Whatever a test, or a library it uses, puts into the folder for temporary
 * files goes with the run.
 */
export async function setup({ provide }: TestProject): Promise<void> {
  folder = await mkdtemp(path.join(tmpdir(), 'atlas-automation-'));
  process.env['TMPDIR'] = folder;
  const bundles = path.join(folder, 'bundles');
  const only = process.env['LAMBDAS']?.split(',').filter((lambda) => lambda !== '');
  await buildBundles({ outdir: bundles, ...(only && { only }) });
  provide('bundles', bundles);
}

export async function teardown(): Promise<void> {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
}

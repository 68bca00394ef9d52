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

let bundles: string | undefined;

/**
 * Fails the whole run, with a plain message, on a Node that is too old; builds the bundles the tests run, or only those
 * that `LAMBDAS` names, separated by commas.
 */
export async function setup({ provide }: TestProject): Promise<void> {
  bundles = await mkdtemp(path.join(tmpdir(), 'atlas-automation-'));
  const only = process.env['LAMBDAS']?.split(',').filter((lambda) => lambda !== '');
  await buildBundles({ outdir: bundles, ...(only && { only }) });
  provide('bundles', bundles);
}

export async function teardown(): Promise<void> {
  if (bundles !== undefined) await rm(bundles, { recursive: true, force: true });
}

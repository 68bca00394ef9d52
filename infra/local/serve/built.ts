import { existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildBundles, LAMBDAS } from '../../build.ts';
import { DIST } from '../machine.ts';
import { fingerprint, textOf } from './fingerprint.ts';

const SOURCES = ['functions/**/*', 'lib/**/*', 'infra/build.ts', 'package-lock.json'];
const STAMP = path.join(DIST, '.built');

/** Builds the bundles where there is none, or a source has changed since they were built here. */
export async function buildWhereChanged(): Promise<void> {
  const wanted = fingerprint(SOURCES);
  const missing = Object.values(LAMBDAS).some((lambda) => !existsSync(path.join(DIST, lambda, 'index.mjs')));
  if (!missing && textOf(STAMP) === wanted) return;
  rmSync(STAMP, { force: true });
  await buildBundles();
  writeFileSync(STAMP, wanted);
}

import { fork } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { fingerprint, textOf } from '../../fingerprint.ts';
import type { Settings } from '../../settings.ts';

/** One resource of a template. */
const Resource = z.object({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()),
  /** The settings a function is deployed with, as JSON. */
  Settings: z.string().optional(),
});
export type Resource = z.output<typeof Resource>;

/** The resources of all stacks, by their ids in the template. */
const Resources = z.record(z.string(), Resource);
export type Resources = z.output<typeof Resources>;

const PROCESS = fileURLToPath(new URL('template.ts', import.meta.url));
/** What a template follows from, beside the settings. */
const SOURCES = [
  'infra/*.ts',
  'infra/{constructs,functions}/**/*.ts',
  'functions/*/contract.ts',
  'lib/**/*.ts',
  'infra/local/serve/template.ts',
  'cdk.json',
  'package-lock.json',
];
/** Templates that are kept: the oldest goes. */
const KEPT = 20;
/** Stands for the address of the ticket sandbox, which may be another at every start. */
const ELSEWHERE = 'http://127.0.0.1:1';

/**
 * What `cdk synth` would write for these settings. In a process of its own: the CDK takes hundreds of megabytes, which a host
 * that stays has no use for afterwards.
 */
export async function synthesize(settings: Settings): Promise<Resources> {
  const child = fork(PROCESS, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let complaints = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  const { promise, resolve, reject } = Promise.withResolvers<Resources>();
  child.once('message', (message) => resolve(Resources.parse(message)));
  child.once('error', reject);
  child.once('close', () => reject(new Error(`the stack could not be synthesized: ${complaints.slice(-2_000)}`)));
  child.send(settings);
  try {
    return await promise;
  } finally {
    child.kill();
  }
}

/**
 * The same, from `folder` where the same settings were synthesized from the same sources before: the CDK takes seconds.
 * `origin` is where the ticket sandbox is.
 */
export async function synthesizeOnce(
  settings: Settings,
  { folder, origin }: { readonly folder: string; readonly origin: string },
): Promise<Resources> {
  const text = JSON.stringify(settings).replaceAll(origin, ELSEWHERE);
  const file = path.join(folder, `${fingerprint(SOURCES, text)}.json`);
  const kept = textOf(file);
  if (kept !== undefined) return Resources.parse(JSON.parse(kept.replaceAll(ELSEWHERE, origin)));
  const resources = await synthesize(settings);
  mkdirSync(folder, { recursive: true });
  // Whole or not there: another host may look for it.
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, JSON.stringify(resources).replaceAll(origin, ELSEWHERE));
  renameSync(unfinished, file);
  const others = readdirSync(folder)
    .map((name) => path.join(folder, name))
    .filter((each) => each !== file);
  const madeAt = (each: string): number => statSync(each, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const newestFirst = others.toSorted((a, b) => madeAt(b) - madeAt(a));
  for (const each of newestFirst.slice(KEPT - 1)) rmSync(each, { force: true });
  return resources;
}

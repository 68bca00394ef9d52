import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
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

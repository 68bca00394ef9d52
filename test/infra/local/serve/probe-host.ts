import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as z from 'zod';
import { LAMBDAS } from '../../../../infra/build.ts';
import { type LocalHost, type LocalHostOptions, startLocalHost } from '../../../../infra/local/serve/local-host.ts';
import { synthesize } from '../../../../infra/local/serve/synthesis.ts';
import { loadSettings } from '../../../../infra/settings.ts';
import { once } from '../../../../lib/runtime/once.ts';

export const EXAMPLE = loadSettings('infra/settings.example.json');
export const TOKEN = 'the-token-of-this-test';

/** Answers with what it was given, and fails where it is asked to. */
const PROBE = `export const handler = async (event) => {
  if (event.detail?.fail || event.fail) throw Object.assign(new Error('it broke ' + (event.why ?? '')), { name: 'Broken' });
  if (event.action === 'status') return { migrations: [] };
  if (event.print) console.log(event.print);
  if (event.waitMs) await new Promise((resolve) => setTimeout(resolve, event.waitMs));
  if (event.Records) return { batchItemFailures: [] };
  return { event, settings: process.env.AUTOMATION_SETTINGS, credentials: process.env.ATLAS_CREDENTIALS_SECRET };
};\n`;

const resources = once(() => synthesize(EXAMPLE));

/** A local host of the example settings whose functions all are a probe: the wiring alone is looked at. */
export async function startProbeHost(options: Partial<LocalHostOptions> = {}): Promise<LocalHost> {
  const bundles = await mkdtemp(path.join(tmpdir(), 'atlas-automation-probes-'));
  for (const lambda of Object.values(LAMBDAS)) {
    await mkdir(path.join(bundles, lambda));
    await writeFile(path.join(bundles, lambda, 'index.mjs'), PROBE);
  }
  const started = await startLocalHost({
    settings: EXAMPLE,
    // The wiring is the same whatever port the ticket sandbox has, and takes a while to make.
    resources: await resources(),
    bundles,
    token: TOKEN,
    pausesMs: [10, 10],
    ...options,
  });
  return {
    ...started,
    [Symbol.asyncDispose]: async () => {
      await started[Symbol.asyncDispose]();
      await rm(bundles, { recursive: true, force: true });
    },
  };
}

const Answered = z.object({
  event: z.record(z.string(), z.unknown()),
  settings: z.string(),
  credentials: z.string().optional(),
});

/** What the probe was given in its runs that are over, newest first. */
export const eventsOf = ({ host }: LocalHost, lambda: string) =>
  host.ledger
    .runs(lambda)
    .flatMap(({ result = '' }) => (result === '' ? [] : (Answered.safeParse(JSON.parse(result)).data ?? [])));

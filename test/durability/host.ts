/** A local host in a process of its own, to be killed. Its orders are JSON in its first argument; says where it listens. */

import { startLocalHost } from '../../infra/local/serve/local-host.ts';
import type { Resources } from '../../infra/local/serve/synthesis.ts';
import { Settings } from '../../infra/settings.ts';
import { type Pace, paced } from './paced-clock.ts';

export interface Orders {
  readonly settings: object;
  readonly data: string;
  readonly bundles: string;
  readonly templates: string;
  readonly webhookKey: string;
  readonly resources?: Resources;
  readonly pace?: Pace;
}

const { settings, pace, ...orders } = JSON.parse(process.argv[2] ?? '{}') as Orders;
const start = performance.now();
const local = await startLocalHost({
  ...orders,
  settings: Settings.parse(settings),
  ...(pace && { clock: paced(pace) }),
  pausesMs: [200, 200],
});
const waiting = local.machine.alertQueue.size;
process.stdout.write(`${JSON.stringify({ hooks: local.hooksOrigin, waiting, readyMs: performance.now() - start })}\n`);

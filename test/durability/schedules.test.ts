/** Kills the host with `kill -9` while schedules fire: each fires once per due time, and what fired is carried out. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { loadSettings } from '../../infra/settings.ts';
import { live, numbers, pause } from './lives.ts';
import { paced } from './paced-clock.ts';

const SEED = 8;
const LIVES = 20;
/** A minute takes half a second. */
const SPEED = 120;
const MINUTE_MS = 60_000;
const LAMBDAS = ['audit-snapshot-schedules', 'sweep-service-account-secrets'];

const resources = Object.fromEntries(
  LAMBDAS.flatMap((lambda, nth) => [
    [
      `Function${nth}`,
      {
        Type: 'AWS::Lambda::Function',
        Properties: { Timeout: 60, MemorySize: 128, Environment: { Variables: { POWERTOOLS_SERVICE_NAME: lambda } } },
      },
    ],
    [
      `Schedule${nth}`,
      {
        Type: 'AWS::Scheduler::Schedule',
        Properties: {
          Description: `every minute, ${nth}`,
          ScheduleExpression: 'rate(1 minute)',
          Target: { Arn: { 'Fn::GetAtt': [`Function${nth}`, 'Arn'] } },
        },
      },
    ],
  ]),
);

let folder = '';
afterAll(() => rm(folder, { recursive: true, force: true }));

it('fires once per due time, whenever it is killed', { timeout: 600_000 }, async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'atlas-automation-lives-'));
  const log = path.join(folder, 'log');
  // Says that it began and that it is done: a kill in between has it carried out again, as Lambda would.
  const probe = `import { appendFileSync } from 'node:fs';
    const say = (what, { id, time }) => appendFileSync(${JSON.stringify(log)}, [what, process.env.AWS_LAMBDA_FUNCTION_NAME, time, id].join(' ') + '\\n');
    export const handler = async (event) => {
      say('began', event);
      await new Promise((resolve) => setTimeout(resolve, 60));
      say('done', event);
    };`;
  for (const lambda of LAMBDAS) {
    await mkdir(path.join(folder, 'bundles', lambda), { recursive: true });
    await writeFile(path.join(folder, 'bundles', lambda, 'index.mjs'), probe);
  }
  const pace = { from: Math.floor(Date.now() / 1_000) * 1_000, speed: SPEED };
  const { now } = paced(pace);
  const { atlas, tickets } = loadSettings('infra/settings.example.json');
  const orders = {
    settings: { atlas, tickets },
    resources,
    data: path.join(folder, 'data'),
    bundles: path.join(folder, 'bundles'),
    templates: path.join(folder, 'templates'),
    webhookKey: 'none',
    pace,
  };
  const random = numbers(SEED);
  /** When nothing ran, and what was due then may be missing, all but the latest. */
  const down: { from: number; to: number }[] = [];
  let since = now().getTime();
  for (let nth = 0; nth <= LIVES; nth++) {
    const life = live(orders);
    expect(await life.ready, 'it comes up').toBeDefined();
    down.push({ from: since, to: now().getTime() });
    // The last one has time to carry out what is left.
    await pause(nth === LIVES ? 3_000 : 200 + random() * 1_500);
    since = now().getTime();
    await life.kill();
  }
  const lines = (await readFile(log, 'utf8')).trim().split('\n');
  for (const lambda of LAMBDAS) {
    const ids = new Map<number, Set<string>>();
    const done = new Set<string>();
    for (const line of lines) {
      const [what, whose, time = '', id = ''] = line.split(' ');
      if (whose !== lambda) continue;
      const at = Date.parse(time);
      ids.set(at, (ids.get(at) ?? new Set()).add(id));
      if (what === 'done') done.add(id);
    }
    const times = [...ids.keys()].toSorted((a, b) => a - b);
    expect(times.length, 'there was something to fire').toBeGreaterThan(LIVES);
    for (const [at, those] of ids) {
      expect(those.size, `${lambda} at ${new Date(at).toISOString()}`).toBe(1);
      // The last ones may be under way when the last life ends.
      if (at < since - 4 * MINUTE_MS) for (const id of those) expect(done).toContain(id);
    }
    const [first = 0] = times;
    for (let due = first; due < since - 4 * MINUTE_MS; due += MINUTE_MS) {
      if (times.includes(due)) continue;
      // It counts as down until the first look at the time, half a second after the start.
      const missed = down.some(({ from, to }) => due >= from - SPEED * 500 && due <= to + SPEED * 1_000);
      expect(missed, `${lambda} was due at ${new Date(due).toISOString()}`).toBe(true);
    }
    // Of what was due while it was down, the latest fired.
    expect(times.filter((at) => down.slice(1).some(({ from, to }) => at > from && at <= to)).length).toBeGreaterThan(0);
  }
});

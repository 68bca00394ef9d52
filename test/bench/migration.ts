import Table from 'cli-table3';
import type { Run } from '../../functions/start-live-migration/run.ts';
import { answersUntil } from '../support/migration-answers.ts';
import { createProcessWorld } from '../support/migration-process.ts';

const MIGRATIONS = 30;
const MINUTE_MS = 60_000;
/** Ticks come up to this many seconds late, less one, in turn. */
const LATENESSES = 5;
const MOST_MINUTES = 3 * 24 * 60;
const MOST_ROUND_TRIPS = 14;
/** Reading the automation's own credentials and minting a token, in a process that has none yet. */
const COLD_ROUND_TRIPS = 2;
const ORG_BUCKET = { capacity: 500, perMinute: 250 };
const START = 'createGroupLiveMigration';
const CUTOVER = 'cutoverGroupLiveMigration';
const ORG_LIST = 'listOrgLiveMigrationAvailableProjects';

const style = { head: [], border: [], compact: true };

/**
 * What thirty migrations side by side cost through their whole life, by the functions' own code over the sandbox, with a
 * tick a minute in virtual time; and how many calls of a plan follow each other. Leaves exit code 1 when a target is missed.
 */
export async function benchMigration(): Promise<string> {
  const [life, rounds] = [await wholeLife(), await roundTrips()];
  const targets = [
    { name: `exactly ${MIGRATIONS} starts sent: ${life.starts}`, met: life.starts === MIGRATIONS },
    { name: `exactly ${MIGRATIONS} cutovers sent: ${life.cutovers}`, met: life.cutovers === MIGRATIONS },
    { name: `all complete: ${life.complete} of ${MIGRATIONS}`, met: life.complete === MIGRATIONS },
    {
      name: `no look later than its due time and a tenth of its interval: ${(life.latest * 100).toFixed(1)} % at the most`,
      met: life.latest <= 0.1,
    },
    {
      name: `calls for the organization within ${ORG_BUCKET.capacity} and ${ORG_BUCKET.perMinute} a minute: ${life.orgCalls}, at most ${life.orgPerMinute} in a minute`,
      met: life.orgCalls <= ORG_BUCKET.capacity || life.orgPerMinute <= ORG_BUCKET.perMinute,
    },
    {
      name: `a plan of ${rounds.checks} checks in at most ${MOST_ROUND_TRIPS} round trips one after another: ${rounds.warm} warm, ${rounds.warm + COLD_ROUND_TRIPS} cold`,
      met: rounds.checks === 34 && rounds.warm + COLD_ROUND_TRIPS <= MOST_ROUND_TRIPS,
    },
  ];
  if (targets.some(({ met }) => !met)) process.exitCode = 1;
  return [
    `${MIGRATIONS} migrations of 1 to 8 hours side by side, ${life.minutes} ticks of a minute, up to ${LATENESSES - 1} s late, ${life.seconds.toFixed(1)} s of real time.`,
    life.table,
    ...targets.map(({ name, met }) => `${met ? 'met   ' : 'MISSED'}  ${name}`),
    '',
  ].join('\n');
}

async function wholeLife() {
  const began = performance.now();
  const due = new Map<string, { readonly at: number; readonly intervalMs: number }>();
  const counts = new Map<string, number>();
  const orgMinutes = new Map<number, number>();
  let latest = 0;
  const world = await createProcessWorld({
    remainingMs: 115_000,
    settings: { lagGatePolls: 5 },
    onRun({ liveMigrationId, nextPollAt, polledAt, startedAt }) {
      const since = Date.parse(polledAt ?? startedAt ?? nextPollAt);
      const at = Date.parse(nextPollAt);
      if (liveMigrationId !== undefined) due.set(liveMigrationId, { at, intervalMs: Math.max(1_000, at - since) });
    },
    onCall(operation, { liveMigrationId = '' }) {
      counts.set(operation, (counts.get(operation) ?? 0) + 1);
      const now = world.clock.now().getTime();
      if (operation === ORG_LIST) {
        const minute = Math.floor(now / MINUTE_MS);
        orgMinutes.set(minute, (orgMinutes.get(minute) ?? 0) + 1);
      }
      const expected = operation === 'getGroupLiveMigration' ? due.get(liveMigrationId) : undefined;
      if (expected) latest = Math.max(latest, (now - expected.at) / expected.intervalMs);
    },
  });
  const requests: object[] = [];
  for (let nth = 0; nth < MIGRATIONS; nth++) {
    const copySeconds = 3_600 + Math.round((nth * 7 * 3_600) / MIGRATIONS);
    const { request } = await world.seed(`orders-${nth}`, { copySeconds, cutoverSeconds: 240, validationSeconds: 30 });
    requests.push(request);
  }
  for (const request of requests) await plan(world, request);
  world.clock.advance(45_000);
  for (const request of requests) {
    const { plan: made } = await plan(world, request);
    await world.command({ action: 'start', planDigest: made.digest, requestedBy: 'ada' });
  }

  let minutes = 0;
  let tickAt = world.clock.now().getTime();
  const isOver = ({ state }: Run): boolean => state === 'COMPLETE';
  while (!world.runs().every(isOver) && minutes < MOST_MINUTES) {
    tickAt += MINUTE_MS;
    minutes++;
    const lateMs = (minutes % LATENESSES) * 1_000;
    world.clock.advance(Math.max(0, tickAt + lateMs - world.clock.now().getTime()));
    await world.tick({ waits: true });
    for (const run of world.runs()) {
      if (run.state === 'READY' && run.asked) await world.command(approvalOf(run));
      if (run.state === 'CUT_OVER') await world.backUp();
    }
  }
  const table = new Table({ head: ['operation', 'calls', 'a migration'], style });
  for (const [operation, count] of [...counts].toSorted(([, a], [, b]) => b - a))
    table.push([operation, count, (count / MIGRATIONS).toFixed(1)]);
  return {
    table: table.toString(),
    minutes,
    latest,
    starts: counts.get(START) ?? 0,
    cutovers: counts.get(CUTOVER) ?? 0,
    complete: world.runs().filter(isOver).length,
    orgCalls: counts.get(ORG_LIST) ?? 0,
    orgPerMinute: Math.max(0, ...orgMinutes.values()),
    seconds: (performance.now() - began) / 1000,
  };
}

type World = Awaited<ReturnType<typeof createProcessWorld>>;

const plan = async (world: World, request: object) =>
  (await world.command({
    action: 'plan',
    request,
    requestedBy: 'ada',
    ...answersUntil(new Date(world.clock.now().getTime() + 86_400_000)),
  })) as { plan: { digest: string; checks: readonly unknown[] } };

const approvalOf = ({ runId, asked, planDigest }: Run) => ({
  action: 'approve-cutover',
  runId,
  approvalId: asked?.approvalId,
  planDigest,
  approvedBy: 'grace',
  confirms: { writesStopped: true, inventoryAccepted: true },
});

/** Calls that wait for each other: all that are under way at once are answered together, and count as one. */
async function roundTrips(): Promise<{ warm: number; checks: number }> {
  let rounds = 0;
  let waiting: (() => Promise<void>)[] = [];
  const drain = async (): Promise<void> => {
    const together = waiting;
    waiting = [];
    rounds++;
    const answers = await Promise.all(together.map((apply) => apply().then(() => undefined)));
    void answers;
  };
  const world = await createProcessWorld({
    around<Result>(apply: () => Promise<Result>): Promise<Result> {
      const { promise, resolve, reject } = Promise.withResolvers<Result>();
      // Answers are given out only once all of the round are there.
      waiting.push(async () => {
        const settled = await apply().then(
          (value) => () => resolve(value),
          (error: unknown) => () => reject(error),
        );
        release.push(settled);
      });
      if (waiting.length === 1)
        setImmediate(() => {
          void drain().then(() => {
            const all = release;
            release = [];
            for (const give of all) give();
          });
        });
      return promise;
    },
  });
  let release: (() => void)[] = [];
  const { request } = await world.seed('orders', { validationSeconds: 30 });
  rounds = 0;
  const { plan: made } = await plan(world, request);
  return { warm: rounds, checks: made.checks.length };
}

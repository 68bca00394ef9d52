/**
 * Runs side by side, one effect at a time: who goes next is somebody else's choice. What was chosen is written down, and
 * can be played again.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { bringToRest, type Played, prepare, report, rotationsSettled, type Scenario, soFar } from './play.ts';
import { type Move, textOf } from './schedule.ts';

const { setImmediate: nextTurn } = process.getBuiltinModule('node:timers');

/** What may run beside something else. */
const LANES = {
  /** Secrets Manager's rotation: a new one, or where one is under way, its next try. */
  r: 'rotation',
  /** The four steps by hand, or by a service that has forgotten that it tries already. */
  s: 'steps',
  /** The sweep on an event. */
  g: 'sweep on failure',
  /** The hourly sweep. */
  h: 'sweep',
  d: 'dry sweep',
} as const;
export type Lane = keyof typeof LANES;

export interface Together {
  readonly scene: string;
  readonly lanes: readonly Lane[];
  readonly moves: readonly Move[];
}

/** Holds whoever comes until its turn; `lane` is its place in `lanes`. */
export type Gate = (lane: number, what: string) => Promise<void>;

export interface PlayedTogether extends Played {
  /** The lanes in the order they went. */
  readonly order: string;
}

export async function playTogether(
  { scene, lanes, moves }: Together,
  gate: Gate,
  drive: (all: Promise<unknown>) => Promise<unknown>,
): Promise<PlayedTogether> {
  const schedule = { scene, moves };
  const scenario = await prepare(schedule);
  const { wire } = scenario;
  const place = new AsyncLocalStorage<number>();
  const order: string[] = [];
  wire.wasConcurrent = true;
  wire.gate = async (_, what) => {
    const lane = place.getStore() ?? 0;
    await gate(lane, what);
    order.push(String.fromCharCode(65 + lane));
  };
  const token = scenario.subject.managed.labels['AWSPENDING'];
  const all = Promise.all(lanes.map((lane, at) => place.run(at, () => start(scenario, lane, token))));
  await drive(all);
  wire.gate = undefined;
  const clean = soFar(scenario);
  await bringToRest(scenario);
  return { ...report(schedule, scenario, clean), order: order.join('') };
}

async function start(scenario: Scenario, lane: Lane, begun: string | undefined): Promise<unknown> {
  const { world, subject, host } = scenario;
  switch (LANES[lane]) {
    case 'rotation':
      if (begun === undefined) {
        await world.aws('RotateSecret', { SecretId: subject.arn, ClientRequestToken: TOKEN }).apply();
        return rotationsSettled(world, 10_000);
      }
      return steps(scenario, begun);
    case 'steps':
      return steps(scenario, begun ?? TOKEN);
    case 'sweep on failure':
      return host.sweep(subject, { givenUp: true });
    case 'sweep':
      return host.sweep(subject);
    case 'dry sweep':
      return host.sweep(subject, { dryRun: true });
  }
}

const TOKEN = '00000100-0000-4000-8000-000000000000';

async function steps({ host, subject }: Scenario, ClientRequestToken: string): Promise<void> {
  for (const Step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const) {
    try {
      await host.rotate({ Step, SecretId: subject.arn, ClientRequestToken, RotationToken: ROTATION_TOKEN });
    } catch {
      return;
    }
  }
}

const ROTATION_TOKEN = '00000200-0000-4000-8000-000000000000';

/** Plays with somebody choosing among those that wait, by their places. */
export async function playInOrder(
  together: Together,
  choose: (waiting: readonly number[]) => number,
): Promise<PlayedTogether> {
  const waiting: { lane: number; go: () => void }[] = [];
  const gate: Gate = (lane) => new Promise((go) => waiting.push({ lane, go }));
  return playTogether(together, gate, async (all) => {
    let isOver = false;
    const over = all.finally(() => {
      isOver = true;
    });
    for (let idle = 0; !isOver && idle < 100; ) {
      // Everybody has come as far as the gate after a turn of the real loop.
      await new Promise((resolve) => nextTurn(resolve));
      if (waiting.length === 0) {
        idle += 1;
        continue;
      }
      idle = 0;
      const wanted = choose(waiting.map(({ lane }) => lane));
      const at = Math.max(
        0,
        waiting.findIndex(({ lane }) => lane === wanted),
      );
      waiting.splice(at, 1)[0]?.go();
    }
    if (!isOver) throw new Error('somebody waits for ever');
    await over;
  });
}

/** The order that was written down; afterwards, whoever comes first. */
export function asWritten(order: string): (waiting: readonly number[]) => number {
  let next = 0;
  return (waiting) => {
    const lane = order.charCodeAt(next++) - 65;
    return waiting.includes(lane) ? lane : (waiting[0] ?? 0);
  };
}

export const textOfTogether = ({ scene, lanes, moves }: Together, order: string): string =>
  [textOf({ scene, moves }), `lanes=${lanes.join('')}`, `order=${order}`].join(' ');

export function parseTogether(text: string): { together: string; lanes: readonly Lane[]; order: string } | undefined {
  const [, together, lanes, order] = /^(.*) lanes=(\w+) order=(\w*)$/.exec(text) ?? [];
  if (together === undefined || lanes === undefined || order === undefined) return undefined;
  const isLane = (letter: string): letter is Lane => Object.hasOwn(LANES, letter);
  return { together, lanes: [...lanes].filter(isLane), order };
}

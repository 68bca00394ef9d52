/**
 * Every schedule in turn: no fault, one move at every effect, and pairs of moves. What comes second is looked for in what
 * really happened after the first, re-drives and sweeps included.
 */
import { type Played, play, traceOf } from './play.ts';
import { ACTIONS, type Move, movesFor, type Schedule, textOf, type Waits } from './schedule.ts';
import type { Entry } from './wire.ts';

export interface Job {
  readonly scene: string;
  /** Takes only single moves whose number leaves `part` when divided by `of`. */
  readonly part: number;
  readonly of: number;
  /** What befalls an effect: faults of writes alone, of reads too, or also what people and the sweep do. */
  readonly moves: 'faults of writes' | 'actions at writes' | 'faults' | 'all';
  /** How many of a thousand single moves are followed by one more of any kind, at any effect. */
  readonly seconds: number;
  /** Chooses which: another seed plays others. */
  readonly seed: number;
}

/** Pairs of faults of writes: of a thousand first faults those from `from` to before `to`, each with every second one. */
export interface PairsJob {
  readonly scenes: readonly string[];
  readonly from: number;
  readonly to: number;
  readonly seed: number;
}

export interface Failure {
  /** The schedule that shows it, ready to be played again. */
  readonly schedule: string;
  readonly rule: string;
  readonly what: string;
  readonly at: number;
  readonly trace: string;
}

export interface Explored {
  schedules: number;
  effects: number;
  /** Different courses of events among them. */
  readonly courses: Set<number>;
  readonly states: Set<string>;
  /** How many schedules broke a rule, and a few of each kind. */
  failed: number;
  readonly failures: Failure[];
}

export const nothingExplored = (): Explored => ({
  schedules: 0,
  effects: 0,
  courses: new Set(),
  states: new Set(),
  failed: 0,
  failures: [],
});

/** FNV-1a, 32 bits: the same on every machine. */
export function hash(text: string, seed = 0x811c9dc5): number {
  let value = seed;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}

/** Different failures after which an exploration stops, and how many of a kind are kept. */
const ENOUGH = 40;
const OF_A_KIND = 2;

export function take(into: Explored, played: Played, text = textOf(played.schedule)): void {
  into.schedules += 1;
  into.effects += played.entries.length;
  let course = hash(played.schedule.scene);
  for (const { who, operation, move, status } of played.entries)
    course = hash(`${who}${operation}${move ?? ''}${status ?? ''}`, course);
  into.courses.add(course);
  for (const state of played.states) into.states.add(state);
  const [first] = played.violations;
  if (!first) return;
  into.failed += 1;
  const ofAKind = into.failures.filter(({ rule, what }) => rule === first.rule && what === first.what);
  if (ofAKind.length < OF_A_KIND) into.failures.push({ schedule: text, ...first, trace: traceOf(played) });
}

/** By itself, what is late comes at every point there is; in a pair, at two. */
const SINGLE_WAITS: Waits = { deciding: Array.from({ length: 40 }, (_, n) => n + 1), other: [1, 4, 12, 40] };
const PAIR_WAITS: Waits = { deciding: [2, 9], other: [4] };

/** The effects something can befall, each once; not those of a dry sweep, which is one of the player's own checks. */
function* effectsOf(entries: readonly Entry[], from: number): Generator<Entry> {
  let last = 0;
  for (const entry of entries) {
    const isOwn = entry.who === 'somebody' || entry.who.endsWith('late') || entry.who.startsWith('dry');
    if (isOwn || entry.at < from || entry.at <= last) continue;
    last = entry.at;
    yield entry;
  }
}

/** Plays a schedule; a mistake of the player's own names the schedule it made it in. */
async function playOrSay(schedule: Schedule): Promise<Played> {
  try {
    return await play(schedule);
  } catch (cause) {
    throw new Error(`${textOf(schedule)} can't be played`, { cause });
  }
}

/** Plays what a job asks for; stops early when there are failures enough, or `isOver` says so. */
export async function explore(
  { scene, part, of, moves, seconds, seed }: Job,
  into: Explored,
  isOver: () => boolean = () => false,
): Promise<void> {
  const base = await playOrSay({ scene, moves: [] });
  if (part === 0) take(into, base);
  let nth = 0;
  for (const { at, operation, isWrite } of effectsOf(base.entries, 1)) {
    for (const code of movesAt(operation, isWrite, moves)) {
      if (nth++ % of !== part) continue;
      if (isOver() || into.failures.length >= ENOUGH) return;
      const first: Move = { at, code };
      const single = await playOrSay({ scene, moves: [first] });
      take(into, single);
      const text = textOf(single.schedule);
      if (hash(`${seed} ${text}`) % 1000 >= seconds) continue;
      const second = anySecond(first, single, hash(`${seed} second ${text}`));
      take(into, await playOrSay({ scene, moves: [first, second] }));
    }
  }
}

/** Plays pairs of faults of writes; what was played before its second fault is known came in the singles' turn. */
export async function explorePairs(
  { scenes, from, to, seed }: PairsJob,
  into: Explored,
  isOver: () => boolean = () => false,
): Promise<void> {
  for (const scene of scenes) {
    const base = await playOrSay({ scene, moves: [] });
    for (const first of faultsOfWrites(base.entries, 1)) {
      const moves = [first];
      const drawn = hash(`${seed} pair ${textOf({ scene, moves })}`) % 1000;
      if (drawn < from || drawn >= to) continue;
      const { entries } = await playOrSay({ scene, moves });
      for (const second of faultsOfWrites(entries, first.at + 1)) {
        if (isOver() || into.failures.length >= ENOUGH) return;
        take(into, await playOrSay({ scene, moves: [first, second] }));
      }
    }
  }
}

function movesAt(operation: string, isWrite: boolean, moves: Job['moves']): readonly string[] {
  if (!isWrite && moves.endsWith('writes')) return [];
  if (moves === 'actions at writes') return ACTIONS;
  const faults = movesFor(operation, isWrite, SINGLE_WAITS);
  return moves === 'all' ? [...faults, ...ACTIONS] : faults;
}

function* faultsOfWrites(entries: readonly Entry[], from: number): Generator<Move> {
  for (const { at, operation, isWrite } of effectsOf(entries, from))
    if (isWrite) for (const code of movesFor(operation, isWrite, PAIR_WAITS)) yield { at, code };
}

function anySecond(first: Move, { entries }: Played, random: number): Move {
  const effects = [...effectsOf(entries, first.at + 1)];
  const { at, operation, isWrite } = effects[random % effects.length] ?? {
    at: first.at + 1,
    operation: 'get',
    isWrite: false,
  };
  const codes = [...movesFor(operation, isWrite, PAIR_WAITS), ...ACTIONS];
  return { at, code: codes[(random >>> 8) % codes.length] ?? 'k' };
}

/** Plays one schedule: the rotation under its faults, then, with the faults stopped, whatever brings it to rest. */
import { ROTATION_TAKEN_BACK, SECRET_ROLLED_BACK, SECRET_ROTATED } from '../../lib/events/rotation.ts';
import { Host } from './host.ts';
import { createModelWorld, type ModelWorld } from './model-world.ts';
import { type Subject, seed } from './scenes.ts';
import { type Schedule, sayMove, textOf } from './schedule.ts';
import { beginWhatWaits, START, time } from './stand-ins/time.ts';
import { isAlive, labelled, pendingVersion, secretOf } from './truth.ts';
import { type Violation, Watch } from './watch.ts';
import { type Entry, useWire, Wire } from './wire.ts';

const { setImmediate: nextTurn } = process.getBuiltinModule('node:timers');

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Secrets Manager's own tries, which it does not publish; few, so that two faults are enough to see it give up. */
const ATTEMPTS = 2;
const RETRY_MS = 90_000;

/**
 * How time goes on once the faults have stopped: hours first, then days, well beyond what Atlas lets an old secret live.
 * The sweep is hourly; it is played every hour only where an hour can matter, and after one that changed nothing the next
 * may come twice as late.
 */
const FIRST_PAUSES = [HOUR, DAY + HOUR / 2];
/** Not a whole day: no sweep falls on the very instant that ends a grace, where one look may see it and the next not. */
const PAUSE_MS = DAY + HOUR;
const LONGEST_PAUSE_MS = 4 * DAY;
const ROUNDS = 120;

/** Whatever has not come to rest by then never will. */
const LONGEST_MS = 26 * DAY;

/** What tells of a version that became current. */
const TELLS: ReadonlySet<string> = new Set([SECRET_ROTATED, ROTATION_TAKEN_BACK, SECRET_ROLLED_BACK]);

/** At rest a current secret has more life left than a mint would leave it. */
const AT_REST_MS = 8 * DAY;

export interface Played {
  readonly schedule: Schedule;
  readonly entries: readonly Entry[];
  readonly violations: readonly Violation[];
  readonly states: ReadonlySet<string>;
  /** Effects until the faults stopped. */
  readonly effects: number;
  /** What had been asked of Atlas by then. */
  readonly clean: { readonly tokens: number; readonly atlasCalls: number; readonly mints: number };
  /** Moves that met an effect; a schedule whose moves were not all met is another, shorter schedule. */
  readonly met: number;
}

export interface Scenario {
  /** Events looked at already. */
  seen: number;
  /** Sweeps in a row that told nobody of the end of a current secret. */
  untold: number;
  readonly world: ModelWorld;
  readonly subject: Subject;
  readonly host: Host;
  readonly wire: Wire;
  readonly watch: Watch;
}

/** The scene, built and ready, with nothing under way. */
export async function prepare(schedule: Schedule): Promise<Scenario> {
  time.reset();
  // Thousands of refusals are thrown in a second, and nobody reads where.
  Error.stackTraceLimit = 0;
  let scenario: Scenario | undefined;
  const now = (): Scenario => {
    if (!scenario) throw new Error('the scene is still being built');
    return scenario;
  };
  const host = new Host(
    () => now().wire,
    () => now().watch,
  );
  const world = createModelWorld({
    invoke: (_, event) => host.rotate(event),
    attempts: ATTEMPTS,
    retryDelayMs: RETRY_MS,
  });
  const subject = await seed(schedule.scene, world);
  host.isDown = false;
  const wire = new Wire({
    moves: schedule.moves,
    watcher: () => now().watch,
    act: (code) => act(now(), code),
    aws: world.aws,
    atlas: world.atlasRequest,
  });
  const watch = new Watch(subject, () => wire);
  useWire(wire);
  scenario = { seen: world.events.entries.length, untold: 0, world, subject, host, wire, watch };
  return scenario;
}

export async function play(schedule: Schedule): Promise<Played> {
  const scenario = await prepare(schedule);
  await begin(scenario);
  const clean = soFar(scenario);
  await bringToRest(scenario);
  return report(schedule, scenario, clean);
}

/** What a rotation cost, before anything is brought to rest. */
export const soFar = ({ wire, watch: { tokens, atlasCalls, mints } }: Scenario) => ({
  effects: wire.count,
  clean: { tokens, atlasCalls, mints },
});

export function report(
  schedule: Schedule,
  { wire, watch }: Scenario,
  { effects, clean }: Pick<Played, 'effects' | 'clean'>,
): Played {
  return {
    schedule,
    entries: wire.entries,
    violations: watch.violations,
    states: watch.states,
    effects,
    clean,
    met: wire.met,
  };
}

const tokenOf = (n: number): string => `0000010${n}-0000-4000-8000-000000000000`;

async function begin(scenario: Scenario): Promise<void> {
  const { subject, host } = scenario;
  if (subject.begins === 'rotation') await rotate(scenario, tokenOf(0));
  else await host.sweep(subject, { givenUp: true });
  await followUp(scenario);
}

async function rotate({ world, subject }: Scenario, ClientRequestToken: string): Promise<void> {
  await world.aws('RotateSecret', { SecretId: subject.arn, ClientRequestToken }).apply();
}

/** What follows by itself: rotations that were asked for, and the sweep that a given-up rotation sets off. */
async function followUp(scenario: Scenario): Promise<void> {
  const { world, subject, host } = scenario;
  const failed = (): boolean => {
    const fresh = world.events.entries.slice(scenario.seen);
    scenario.seen = world.events.entries.length;
    return fresh.some(({ detail }) => detail['eventName'] === 'RotationFailed');
  };
  for (let round = 0; round < 3; round++) {
    await rotationsSettled(world);
    if (!failed()) return;
    await host.sweep(subject, { givenUp: true });
  }
}

/** Lets every rotation that was asked for run to its end, one after the other. */
export async function rotationsSettled({ secretsManager }: ModelWorld, turns = 50): Promise<void> {
  let areSettled = false;
  const settled = secretsManager.rotationsSettled().then(() => {
    areSettled = true;
  });
  // All that runs, runs in microtasks: after a turn of the real loop it has come to its end.
  for (let turn = 0; turn < turns && !areSettled; turn++) {
    beginWhatWaits();
    await new Promise((resolve) => nextTurn(resolve));
  }
  if (!areSettled) throw new Error('a rotation never ends');
  await settled;
}

/** Hours and days of sweeps without faults, until nothing is left to do. */
export async function bringToRest(scenario: Scenario): Promise<void> {
  const { subject, host, wire, watch } = scenario;
  let pause = PAUSE_MS;
  for (let index = 0; index < ROUNDS; index++) {
    // No request and no run outlives what comes now.
    await wire.settle();
    await followUp(scenario);
    if (index > 0 && isAtRest(scenario)) break;
    if (time.now() - START > LONGEST_MS) break;
    time.advance(Math.min(FIRST_PAUSES[index] ?? pause, patienceOf(scenario)));
    watch.look(undefined);
    if (index > 0) await mendByHand(scenario, index > 4);
    const from = wire.count;
    const dry = index === 1 || index === 4 ? await host.sweep(subject, { dryRun: true }) : undefined;
    const swept = await host.sweep(subject);
    // A real sweep brings a copy its value, and then need not wait for it.
    if (dry && swept && !subject.copy && !wire.isDisturbedAfter(from)) compare(watch, dry.state, swept.state);
    await followUp(scenario);
    checkWarning(scenario);
    const isQuiet = index >= FIRST_PAUSES.length && !wire.hasWrittenAfter(from);
    pause = isQuiet ? Math.min(2 * pause, LONGEST_PAUSE_MS) : PAUSE_MS;
  }
  checkRest(scenario);
}

/** How long nothing can happen: less, the nearer the current secret is to its end. */
function patienceOf({ subject }: Scenario): number {
  const current = secretOf(subject, labelled(subject, 'AWSCURRENT'));
  const left = (current?.expiresAt.getTime() ?? Number.POSITIVE_INFINITY) - time.now();
  return left < 26 * HOUR ? HOUR : left < 3.5 * DAY ? 6 * HOUR : Math.max(6 * HOUR, left - 3.1 * DAY);
}

/** What was announced is what is done. */
function compare(watch: Watch, dry: string, real: string): void {
  const said: Record<string, string> = {
    'would finish': 'finished',
    'would abandon': 'abandoned',
    'would delete': 'deleted',
    'would start': 'started',
    'would restore': 'restored',
    'would roll back': 'rolled back',
    'would revoke': 'revoked',
  };
  if ((said[dry] ?? dry) !== real && !(dry === 'would finish' && real === 'waiting'))
    watch.say('I11', `a dry run said "${dry}", and the real one "${real}"`);
}

/** What the runbook asks of people, where a person or a foreign secret stands in the way. */
async function mendByHand({ world, subject, wire }: Scenario, isLate: boolean): Promise<void> {
  const { atlas, aws } = world;
  for (const id of subject.foreign) atlas.revokeSecret(subject.account, id);
  if (subject.managed.deleteAt !== undefined) await aws('RestoreSecret', { SecretId: subject.arn }).apply();
  if (subject.copy?.deleteAt !== undefined && isLate)
    await aws('RestoreSecret', { SecretId: subject.copy.arn }).apply();
  if (subject.managed.rotation?.enabled) return;
  const pending = pendingVersion(subject);
  if (pending !== undefined) await takePendingOff(world, subject);
  await aws('RotateSecret', { SecretId: subject.arn, ClientRequestToken: wire.uuid() }).apply();
}

async function takePendingOff({ aws }: ModelWorld, subject: Subject): Promise<void> {
  const RemoveFromVersionId = labelled(subject, 'AWSPENDING');
  if (RemoveFromVersionId === undefined) return;
  const move = { SecretId: subject.arn, VersionStage: 'AWSPENDING', RemoveFromVersionId };
  await aws('UpdateSecretVersionStage', move).apply();
}

function isAtRest({ subject }: Scenario): boolean {
  const current = secretOf(subject, labelled(subject, 'AWSCURRENT'));
  return (
    pendingVersion(subject) === undefined &&
    current !== undefined &&
    current.expiresAt.getTime() - time.now() > AT_REST_MS &&
    subject.account.secrets.length === 1
  );
}

/** Whoever could still do something about it has been told: by the day before the current secret ends at the latest. */
function checkWarning(scenario: Scenario): void {
  const { world, subject, watch } = scenario;
  // Who turned rotation off, or lets the secret be deleted, has been asked to.
  if (!subject.managed.rotation?.enabled || subject.managed.deleteAt !== undefined) return;
  const current = secretOf(subject, labelled(subject, 'AWSCURRENT'));
  if (!current || !isAlive(current) || current.expiresAt.getTime() - time.now() > DAY) return;
  const told = world.events.entries.some(({ detail }) => detail['deadline'] === current.expiresAt.toISOString());
  scenario.untold = told ? 0 : scenario.untold + 1;
  // What changed during a sweep is told by the next one.
  if (scenario.untold > 2) watch.say('L2', 'the current secret is about to end, and nobody was told');
}

function checkRest(scenario: Scenario): void {
  const { world, subject, watch, wire } = scenario;
  if (watch.isForbidden) return;
  if (!isAtRest(scenario)) {
    const pending = pendingVersion(subject);
    const what = pending === undefined ? '' : ', with a version pending';
    watch.say('L1', `never at rest: ${subject.account.secrets.length} secrets${what}`);
  }
  for (const versionId of watch.promoted) {
    if (watch.unmarked.has(versionId) && wire.met > 1) continue;
    const told = world.events.entries.some(
      (event) => TELLS.has(event['detail-type']) && Object.values(event.detail).includes(versionId),
    );
    if (!told) watch.say('L3', 'a version was promoted, and nobody was told');
  }
}

/** What people do, and the sweep beside a rotation. */
async function act(scenario: Scenario, code: string): Promise<void> {
  const { world, subject, host, watch } = scenario;
  const { aws, atlas } = world;
  const { arn: SecretId, managed, account } = subject;
  const by = async (operation: string, input: object): Promise<void> => {
    watch.isOperatorAtWork = true;
    await aws(operation, { SecretId, ...input }).apply();
    watch.look(undefined);
  };
  const bytes = (label: string): string | undefined =>
    managed.versions.find(({ id }) => id === managed.labels[label])?.text;
  switch (code.charAt(1)) {
    case 'S':
      await host.sweep(subject);
      return;
    case 'G':
      await host.sweep(subject, { givenUp: true });
      return;
    case 'D':
      await host.sweep(subject, { dryRun: true });
      return;
    case 'M':
    case 'Q': {
      const text = bytes(code === '!M' ? 'AWSCURRENT' : 'AWSPREVIOUS');
      // Nobody puts back a value that works no more, or ends before the next sweep could do anything about it.
      if (text === undefined || (code === '!Q' && !isWorthIt(subject))) return;
      watch.unmark();
      const SecretString = code === '!M' ? JSON.stringify({ ...JSON.parse(text), note: 'by hand' }) : text;
      return by('PutSecretValue', { ClientRequestToken: tokenOf(6), SecretString });
    }
    case 'B': {
      const [from, to] = [managed.labels['AWSCURRENT'], managed.labels['AWSPREVIOUS']];
      if (from === undefined || to === undefined) return;
      watch.isForbidden = true;
      return by('UpdateSecretVersionStage', {
        VersionStage: 'AWSCURRENT',
        RemoveFromVersionId: from,
        MoveToVersionId: to,
      });
    }
    case 'L':
      if (!isWorthIt(subject)) return;
      watch.isOperatorAtWork = true;
      await host.byHand(subject, 'roll back');
      return;
    case 'U': {
      watch.isOperatorAtWork = true;
      watch.unmark();
      watch.isUrgent = true;
      const leaked =
        secretOf(subject, managed.labels['AWSPREVIOUS']) ?? secretOf(subject, managed.labels['AWSCURRENT']);
      await host.byHand(subject, 'revoke', leaked?.id);
      return;
    }
    case 'O':
      if (subject.copy) await aws('DeleteSecret', { SecretId: subject.copy.arn, RecoveryWindowInDays: 30 }).apply();
      return;
    case 'C':
      return by('CancelRotateSecret', {});
    case 'P':
      watch.isOperatorAtWork = true;
      watch.unmark();
      await takePendingOff(world, subject);
      return watch.look(undefined);
    case 'X':
    case 'V': {
      const secret = code === '!X' ? newest(subject) : secretOf(subject, managed.labels['AWSPREVIOUS']);
      if (!secret || secret === secretOf(subject, managed.labels['AWSCURRENT'])) return;
      watch.isOperatorAtWork = true;
      watch.takenAway.add(secret.id);
      atlas.revokeSecret(account, secret.id);
      return watch.look(undefined);
    }
    case 'E':
      return by('DeleteSecret', { RecoveryWindowInDays: 30 });
    case 'R':
      return by('RotateSecret', { ClientRequestToken: tokenOf(7) });
    case 'T':
      time.advance(Number(code.slice(2)) * MINUTE);
      return;
    default:
      throw new Error(`${code} is no action`);
  }
}

/** Whether the previous secret lives long enough to go back to it. */
function isWorthIt(subject: Subject): boolean {
  const previous = secretOf(subject, labelled(subject, 'AWSPREVIOUS'));
  return previous !== undefined && previous.expiresAt.getTime() - time.now() > 2 * HOUR;
}

const newest = ({ account }: Subject) =>
  account.secrets.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime())[0];

/** Everything that happened, one line each, and what was wrong with it. */
export function traceOf({ schedule, entries, violations }: Played): string {
  const lines = entries.map(({ at, who, operation, about, move, status }) =>
    [
      String(at).padStart(4),
      who.padEnd(20),
      operation,
      about,
      status === undefined ? '' : String(status),
      move === undefined || who === 'somebody' ? '' : `<- ${sayMove(move)}`,
      who === 'somebody' && move !== undefined ? `** ${sayMove(move)}` : '',
    ]
      .filter(Boolean)
      .join(' '),
  );
  const wrong = violations.map(({ rule, what, at }) => `${rule} after effect ${at}: ${what}`);
  return [`schedule: ${textOf(schedule)}`, ...lines, ...wrong].join('\n');
}

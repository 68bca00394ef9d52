/** What each fault does to a request, seen from both ends. */
import { describe, expect, it } from 'vitest';
import { parseSchedule, textOf } from './schedule.ts';
import { Invocation, type Outcome, type Request, Wire } from './wire.ts';

/** A wire on which the run sends `sent` requests one after the other; the first one meets the fault. */
async function send(code: string, sent = 1) {
  const carriedOut: string[] = [];
  const request = (n: number): Request<string> => ({
    service: 'aws',
    operation: n === 1 ? 'PutSecretValue' : 'DescribeSecret',
    isWrite: true,
    about: '',
    input: {},
    apply: () => {
      carriedOut.push(`request ${n}`);
      return `answer ${n}`;
    },
    refuse: (status) => `refused with ${status}`,
    stale: () => 'stale',
    statusOf: () => 200,
  });
  const unknown = (): never => {
    throw new Error('nobody asks');
  };
  const wire = new Wire({
    moves: [{ at: 1, code }],
    watcher: () => ({ before: () => {}, after: () => {}, met: () => {}, timedOut: () => {} }),
    act: async () => {},
    aws: unknown,
    atlas: unknown,
  });
  const run = new Invocation('run', 300_000, undefined, false);
  const answers: (Outcome<string> | undefined)[] = [];
  let caller = 'waits';
  void run.given.catch((error: Error) => {
    caller = error.message;
  });
  run.finished = wire.runs.run(run, async () => {
    for (let n = 1; n <= sent; n++) answers.push(await wire.meet(request(n)));
  });
  await new Promise((resolve) => setImmediate(resolve));
  const before = [...carriedOut];
  await wire.settle();
  await new Promise((resolve) => setImmediate(resolve));
  return { before, carriedOut, answers, caller, isDead: run.isDead };
}

const silence = { kind: 'silence' };
const answer = (value: string) => ({ kind: 'answer', value });

describe('a request that is', () => {
  it.each([
    ['k', 'killed before it', [], [], true],
    ['K', 'killed after it', ['request 1'], [], true],
    ['l', 'carried out, and its answer lost', ['request 1'], [silence], false],
    ['x5', 'refused', [], [answer('refused with 5')], false],
    ['f5', 'carried out, and answered 500', ['request 1'], [answer('refused with 500')], false],
    ['s', 'answered by a replica that lags', [], [answer('stale')], false],
  ])('%s: %s', async (code, _, carriedOut, answers, isDead) => {
    expect(await send(code)).toMatchObject({ carriedOut, answers, isDead });
  });

  it('late is carried out before the effect it waits for, after its caller has been told nothing', async () => {
    const { before, answers } = await send('d2', 3);
    expect(before).toEqual(['request 2', 'request 1', 'request 3']);
    expect(answers[0]).toEqual(silence);
  });

  it('later than all effects is carried out when all settles', async () => {
    const { before, carriedOut } = await send('d9', 2);
    expect(before).toEqual(['request 2']);
    expect(carriedOut).toEqual(['request 2', 'request 1']);
  });

  it('given up by its caller goes on by itself', async () => {
    const { before, carriedOut, caller, answers } = await send('z4', 2);
    expect(before).toEqual([]);
    expect(caller).toBe('the caller gave up');
    expect(carriedOut).toEqual(['request 1', 'request 2']);
    expect(answers).toEqual([answer('answer 1'), answer('answer 2')]);
  });
});

it('a schedule is the same after writing and reading', () => {
  for (const text of [
    'self/none/fresh',
    'admin/none/stored days ago 3K 17z5',
    'self/none/fresh PutSecretValue.2:D4 9!T4',
  ])
    expect(textOf(parseSchedule(text))).toBe(text);
});

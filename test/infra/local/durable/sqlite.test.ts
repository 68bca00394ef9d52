import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createSeededIds } from '../../../../infra/local/aws/seeded-ids.ts';
import { FifoQueue } from '../../../../infra/local/aws/sqs/fifo-queue.ts';
import { createMovableClock } from '../../../../infra/local/clock.ts';
import { openDurable } from '../../../../infra/local/durable/sqlite.ts';

let folder = '';
beforeEach(async () => {
  folder = path.join(await mkdtemp(path.join(tmpdir(), 'atlas-automation-durable-')), 'data');
});
afterEach(() => rm(path.dirname(folder), { recursive: true, force: true }));

const SQLITE = new URL('../../../../infra/local/durable/sqlite.ts', import.meta.url).href;

it('has what was committed after a kill -9, and not what was only put', () => {
  const script = `import { openDurable } from ${JSON.stringify(SQLITE)};
    const shelf = openDurable(${JSON.stringify(folder)});
    const things = shelf.shelf('things');
    things.put('committed', new Map([['at', new Date(0)]]));
    shelf.commit();
    things.put('put', 1);
    process.kill(process.pid, 'SIGKILL');`;
  const { signal } = spawnSync(process.execPath, ['--input-type=module', '--eval', script]);
  expect(signal).toBe('SIGKILL');
  using durable = openDurable(folder);
  expect(durable.existed).toBe(true);
  expect([...durable.shelf('things').kept()]).toEqual([['committed', new Map([['at', new Date(0)]])]]);
});

it('has what callers were told is kept, with one commit for all who asked at the same time', () => {
  const script = `import { openDurable } from ${JSON.stringify(SQLITE)};
    const shelf = openDurable(${JSON.stringify(folder)});
    const things = shelf.shelf('things');
    things.put('first', 1);
    const [one, other] = [shelf.committed(), (things.put('second', 2), shelf.committed())];
    await one;
    things.put('put', 1);
    process.stdout.write(String(one === other));
    process.kill(process.pid, 'SIGKILL');`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
  expect(stdout).toBe('true');
  using durable = openDurable(folder);
  expect([...durable.shelf('things').kept()]).toEqual([
    ['first', 1],
    ['second', 2],
  ]);
});

it('tells all who asked where what they put cannot be kept', async () => {
  using durable = openDurable(folder);
  durable.shelf('things').put('never', () => {});
  const asked = await Promise.allSettled([durable.committed(), durable.committed()]);
  expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  durable.shelf('things').put('never', 1);
  await durable.committed();
});

it('is readable by its owner alone, and taken by one process at a time', async () => {
  using durable = openDurable(folder);
  durable.shelf('things').put('a', 1);
  durable.commit();
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  for (const name of ['state.sqlite', 'state.sqlite-wal'])
    expect((await stat(path.join(folder, name))).mode & 0o777, name).toBe(0o600);
  expect(() => openDurable(folder)).toThrow('Another local host works in');
});

it('refuses what another version wrote', () => {
  openDurable(folder)[Symbol.dispose]();
  const database = new DatabaseSync(path.join(folder, 'state.sqlite'));
  database.exec('PRAGMA user_version = 99');
  database.close();
  expect(() => openDurable(folder)).toThrow('another version');
});

it('keeps a queue: order, hand-outs, deduplication ids, and takes back what a gone process held', () => {
  const clock = createMovableClock();
  const open = (durable: ReturnType<typeof openDurable>, start: number) =>
    new FifoQueue(
      'q.fifo',
      'arn',
      { visibilityMs: 60_000 },
      { clock, durable, ids: createSeededIds(`${start}`, { issued: 0 }) },
    );
  {
    using durable = openDurable(folder);
    const queue = open(durable, 1);
    for (const [nth, group] of ['a', 'a', 'b'].entries())
      queue.send({ body: `${nth}`, group, deduplicationId: `${nth}` });
    const [first] = queue.receive(1);
    queue.remove(first?.receipt ?? '');
    expect(queue.receive(1).map(({ body }) => body)).toEqual(['1']);
  }
  using durable = openDurable(folder);
  const queue = open(durable, 2);
  expect(queue.messages.map(({ body, receives }) => [body, receives])).toEqual([
    ['1', 1],
    ['2', 0],
  ]);
  expect(
    queue.receive(10).map(({ body }) => body),
    'the first of group a is still out',
  ).toEqual(['2']);
  queue.takeBack();
  queue.send({ body: 'again', group: 'a', deduplicationId: '0' });
  expect(queue.size, 'a deduplication id outlives its message').toBe(2);
  expect(queue.receive(10).map(({ body, receives }) => [body, receives])).toEqual([
    ['1', 1],
    ['2', 1],
  ]);
});

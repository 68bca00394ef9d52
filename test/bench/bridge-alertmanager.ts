import { type ChildProcess, spawn } from 'node:child_process';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Table from 'cli-table3';

const ALERTMANAGER = '/usr/bin/prometheus-alertmanager';
const style = { head: [], border: [], compact: true };

interface Notification {
  readonly status: string;
  readonly alerts: number;
}

/** Alertmanager with one webhook receiver, and what the receiver was told. */
class Alertmanager implements AsyncDisposable {
  readonly told: Notification[] = [];
  /** The receiver's answer. */
  status = 200;
  readonly #folder: string;
  readonly #port: number;
  readonly #close: () => void;
  #process: ChildProcess | undefined;

  private constructor(folder: string, port: number, close: () => void) {
    this.#folder = folder;
    this.#port = port;
    this.#close = close;
  }

  static async start({
    groupWait,
    groupInterval,
  }: {
    groupWait: string;
    groupInterval: string;
  }): Promise<Alertmanager> {
    const folder = await mkdtemp(path.join(tmpdir(), 'atlas-automation-alertmanager-'));
    const server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => {
        text += String(chunk);
      });
      request.on('end', () => {
        if (manager.status === 200) {
          const { status, alerts } = JSON.parse(text) as { status: string; alerts: unknown[] };
          manager.told.push({ status, alerts: alerts.length });
        }
        response.writeHead(manager.status).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const receiver = (server.address() as AddressInfo).port;
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
    const port = (probe.address() as AddressInfo).port;
    await new Promise((resolve) => probe.close(resolve));
    const manager = new Alertmanager(folder, port, () => {
      server.closeAllConnections();
      server.close();
    });
    await writeFile(
      path.join(folder, 'alertmanager.yml'),
      [
        'route:',
        '  receiver: tickets',
        "  group_by: ['cluster']",
        `  group_wait: ${groupWait}`,
        `  group_interval: ${groupInterval}`,
        '  repeat_interval: 4h',
        'receivers:',
        '  - name: tickets',
        '    webhook_configs:',
        `      - url: http://127.0.0.1:${receiver}/`,
        '        send_resolved: true',
        '',
      ].join('\n'),
    );
    await manager.run();
    return manager;
  }

  async run(): Promise<void> {
    this.#process = spawn(
      ALERTMANAGER,
      [
        `--config.file=${this.#folder}/alertmanager.yml`,
        `--storage.path=${this.#folder}/data`,
        `--web.listen-address=127.0.0.1:${this.#port}`,
        '--cluster.listen-address=',
        '--log.level=error',
      ],
      { stdio: 'ignore' },
    );
    for (let attempt = 0; attempt < 200; attempt++) {
      if ((await fetch(`http://127.0.0.1:${this.#port}/-/ready`).catch(() => undefined))?.ok) return;
      await delay(50);
    }
    throw new Error('Alertmanager did not start');
  }

  async kill(): Promise<void> {
    const running = this.#process;
    if (!running || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await ended;
  }

  async post(alerts: readonly { id: number; cluster: number; resolved?: boolean }[]): Promise<boolean> {
    const now = Date.now();
    const body = alerts.map(({ id, cluster, resolved }) => ({
      labels: { alertname: 'HOST_DOWN', id: `${id}`, cluster: `${cluster}` },
      startsAt: new Date(now - 60_000).toISOString(),
      // As a bridge would post them: the open of an alert that goes on has no end.
      ...(resolved && { endsAt: new Date(now).toISOString() }),
    }));
    const answer = await fetch(`http://127.0.0.1:${this.#port}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    await answer.arrayBuffer();
    return answer.ok;
  }

  firing(): number {
    return this.told.filter(({ status }) => status === 'firing').length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    this.#close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/**
 * The same storms through Debian's Alertmanager with a webhook receiver, and the four cases in which it loses an alert or
 * tells it twice. Nothing where it is not installed.
 */
export async function alertmanagerRows(): Promise<string> {
  if (
    !(await access(ALERTMANAGER).then(
      () => true,
      () => false,
    ))
  )
    return 'Alertmanager is not installed here (apt-get install prometheus-alertmanager): not measured beside it.';
  const table = new Table({ head: ['the same through Alertmanager', 'what it told', 'the bridge'], style });
  table.push(
    await repeats(),
    await storm(),
    await lateOpen(),
    await killAfterTaking(),
    await killAfterTelling(),
    await tooMany(),
  );
  return table.toString();
}

async function repeats(): Promise<string[]> {
  await using manager = await Alertmanager.start({ groupWait: '0s', groupInterval: '5m' });
  const began = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let nth = next++; nth < 20_000; nth = next++) await manager.post([{ id: nth % 500, cluster: nth % 500 }]);
  };
  await Promise.all(Array.from({ length: 16 }, lane));
  const seconds = (performance.now() - began) / 1_000;
  await delay(3_000);
  return [
    '20,000 deliveries of 500 alerts',
    `${manager.firing()} notifications, ${(20_000 / seconds).toFixed(0)} deliveries/s`,
    '500 tickets',
  ];
}

async function storm(): Promise<string[]> {
  await using manager = await Alertmanager.start({ groupWait: '1s', groupInterval: '5m' });
  for (let from = 0; from < 5_000; from += 100)
    await manager.post(Array.from({ length: 100 }, (_, nth) => ({ id: from + nth, cluster: (from + nth) % 10 })));
  await delay(4_000);
  return ['5,000 alerts of 10 clusters', `${manager.firing()} notifications`, '10 tickets'];
}

async function lateOpen(): Promise<string[]> {
  await using manager = await Alertmanager.start({ groupWait: '1s', groupInterval: '5m' });
  await manager.post([{ id: 1, cluster: 1, resolved: true }]);
  await delay(100);
  await manager.post([{ id: 1, cluster: 1 }]);
  await delay(4_000);
  return [
    'the open arrives after its close',
    manager.firing() > 0 ? 'a firing notification: a phantom' : 'nothing',
    'no open ticket (C12)',
  ];
}

async function killAfterTaking(): Promise<string[]> {
  await using manager = await Alertmanager.start({ groupWait: '5s', groupInterval: '5m' });
  const taken = await manager.post([{ id: 1, cluster: 1 }]);
  await manager.kill();
  await manager.run();
  await delay(8_000);
  return [
    'killed after it answered 200',
    taken && manager.firing() === 0 ? 'nothing: the alert is lost' : `${manager.firing()} notifications`,
    'one ticket (B7)',
  ];
}

async function killAfterTelling(): Promise<string[]> {
  await using manager = await Alertmanager.start({ groupWait: '0s', groupInterval: '5m' });
  await manager.post([{ id: 1, cluster: 1 }]);
  for (let wait = 0; wait < 100 && manager.firing() === 0; wait++) await delay(50);
  await manager.kill();
  await manager.run();
  await manager.post([{ id: 1, cluster: 1 }]);
  await delay(3_000);
  return ['killed after it told, and told again', `${manager.firing()} notifications`, 'one ticket (B7)'];
}

async function tooMany(): Promise<string[]> {
  await using manager = await Alertmanager.start({ groupWait: '0s', groupInterval: '5m' });
  manager.status = 429;
  await manager.post([{ id: 1, cluster: 1 }]);
  await delay(3_000);
  manager.status = 200;
  await delay(10_000);
  return [
    'the receiver says 429 once',
    manager.firing() === 0 ? 'nothing within the 10 s that followed' : 'told',
    'told when Retry-After is over (G34)',
  ];
}

import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { AtlasCredentials } from '../../../lib/atlas/authenticator.ts';
import { ConfigError } from '../../../lib/errors.ts';
import type { Settings } from '../../settings.ts';
import { createMovableClock, type MovableClock } from '../clock.ts';
import { type Loopback, serveOnLoopback } from '../loopback.ts';
import { DIST, type Machine, startMachine } from '../machine.ts';
import { createTicketSandbox, type TicketSandbox } from '../ticket-sandbox/sandbox.ts';
import { createConsole } from './console/app.ts';
import { embeddedSettings } from './embedded-settings.ts';
import { createHooks } from './hooks.ts';
import { Host } from './host.ts';
import { Ledger } from './ledger.ts';
import { type DemoWorld, openAlert, putCredentials, seedWorld, sendWebhooks } from './seed.ts';
import { type Resources, synthesize } from './synthesis.ts';
import { wiringOf } from './wiring.ts';

/** The real Atlas to work on. */
export interface RealAtlas {
  readonly origin: string;
  readonly credentials: AtlasCredentials;
}

export interface LocalHostOptions {
  readonly settings: Settings;
  readonly bundles?: string;
  readonly clock?: MovableClock;
  /** The stacks of these settings, where they are synthesized already. */
  readonly resources?: Resources;
  /** The sandbox unless given. */
  readonly atlas?: RealAtlas;
  readonly dryRun?: boolean;
  /** Where people look, and where webhooks come in; free ports unless given. */
  readonly ports?: { readonly console?: number | undefined; readonly hooks?: number | undefined };
  /** What webhooks of Atlas are signed with; made up unless given. */
  readonly webhookKey?: string | undefined;
  /** What the console asks for; made up unless given. */
  readonly token?: string;
  readonly pausesMs?: readonly number[];
  readonly firstRuns?: boolean;
  /** Opens an alert in the sandbox, so that there is something to see. */
  readonly demo?: boolean;
}

export interface LocalHost extends AsyncDisposable {
  readonly host: Host;
  readonly machine: Machine;
  readonly tickets: TicketSandbox;
  readonly world: DemoWorld | undefined;
  readonly consoleOrigin: string;
  readonly hooksOrigin: string;
  readonly token: string;
  /** What is different here from what the settings say. */
  readonly changes: readonly string[];
  /** Starts nothing any more, and waits for what runs. */
  stop(): Promise<void>;
}

/** Settings no function of which is built would do nothing; it is said before anything starts. */
function checkBuilt(lambdas: Iterable<string>, bundles: string): void {
  const missing = [...lambdas].filter((lambda) => !existsSync(path.join(bundles, lambda, 'index.mjs')));
  if (missing.length > 0)
    throw new ConfigError(
      `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not built: run npm run build first.`,
    );
}

/** Everything the settings deploy, on this machine: started, listening, and filled. Disposing ends it at once. */
export async function startLocalHost(options: LocalHostOptions): Promise<LocalHost> {
  const { bundles = DIST, clock = createMovableClock(), dryRun = false, ports = {} } = options;
  const { token = randomBytes(24).toString('base64url'), pausesMs, firstRuns, demo } = options;
  await using started = new AsyncDisposableStack();
  const tickets = createTicketSandbox({ clock });
  const trackers = started.use(await tickets.listen());
  const where = options.atlas ? 'real' : 'embedded';
  const embedded = embeddedSettings(options.settings, tickets, trackers.origin, where);
  const { settings } = embedded;
  const wiring = wiringOf(options.resources ?? (await synthesize(settings)));
  checkBuilt(wiring.functions.keys(), bundles);

  const ledger = new Ledger(clock);
  const machine = started.use(
    await startMachine({
      bundles,
      clock,
      ...(options.atlas && { environment: { MONGODB_ATLAS_BASE_URL: options.atlas.origin } }),
      onOutput: (text, lambda) => ledger.printed(text, lambda),
      around: ledger.watch,
      placement(name, shared) {
        const own = wiring.functions.get(name);
        if (!own) return {};
        // What the template does not set, the function does not get; what only a deployment knows, it gets from here.
        const forAll = Object.keys(shared).filter((key) => key.startsWith('AWS_'));
        const names = new Set([...own.variables, ...forAll]);
        const here = Object.entries(shared).filter(([key]) => names.has(key) && !ASKED_FOR.has(key));
        const environment = {
          ...own.environment,
          ...Object.fromEntries(here),
          AUTOMATION_SETTINGS: own.settings,
        };
        return { environment, timeoutMs: own.timeoutMs, memoryMb: own.memoryMb };
      },
    }),
  );
  for (const [name, value] of Object.entries(tickets.secrets)) await putText(machine, name, value);
  const { webhookKey = randomBytes(24).toString('base64url') } = options;
  if (settings.webhooks.atlas) await machine.putSecret(settings.webhooks.atlas.secret, { current: webhookKey });

  let world: DemoWorld | undefined;
  if (options.atlas) await putCredentials(machine, settings.atlas, { ...options.atlas.credentials });
  else world = await seedWorld(machine, settings);

  const host = new Host({
    machine,
    wiring,
    ledger,
    dryRun,
    ...(pausesMs && { pausesMs }),
    ...(firstRuns !== undefined && { firstRuns }),
  });
  const hooks = started.use(await serveOnLoopback(createHooks(host), ports.hooks));
  for (const [id, tracker] of embedded.trackers) {
    const secret = secretOf(tickets.secrets[`tickets/${tracker}-webhook`]);
    tickets.webhooks.register(tracker, { url: `${hooks.origin}/hooks/receive-ticket-update/${id}`, secret });
  }
  const modes = { atlas: options.atlas?.origin, dryRun };
  const console = started.use(await listenForPeople({ host, tickets, token, modes }, ports.console));
  await host.start();
  if (world && wiring.urls.has('receive-atlas-alert')) {
    started.defer(sendWebhooks(machine, `${hooks.origin}/hooks/receive-atlas-alert/`, webhookKey));
    if (demo) openAlert(machine, world);
  }
  started.defer(() => host.stop());
  const running = started.move();
  return {
    host,
    machine,
    tickets,
    world,
    consoleOrigin: console.origin,
    hooksOrigin: hooks.origin,
    token,
    changes: embedded.changes,
    stop: () => host.stop(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Variables that name what the settings name: the template's word counts, not the machine's. */
const ASKED_FOR = new Set(['ATLAS_CREDENTIALS_SECRET', 'WEBHOOK_SECRET']);

const secretOf = (text: string | undefined): string => {
  const value: unknown = JSON.parse(text ?? '{}');
  return typeof value === 'object' && value !== null && 'current' in value ? String(value.current) : '';
};

/** Some trackers' secrets are plain text, so this is not the machine's own way to put one. */
async function putText(machine: Machine, Name: string, SecretString: string): Promise<void> {
  const secret = { Name, SecretString, ClientRequestToken: randomUUID() };
  await machine.aws.secretsManager.service.operations['CreateSecret']?.(secret);
}

async function listenForPeople(
  shown: Omit<Parameters<typeof createConsole>[0], 'origin'>,
  port: number | undefined,
): Promise<Loopback> {
  let handle: (request: Request) => Promise<Response> = async () => new Response(null, { status: 503 });
  const loopback = await serveOnLoopback((request) => handle(request), port);
  handle = createConsole({ ...shown, origin: loopback.origin });
  return loopback;
}

import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { AtlasCredentials } from '../../../lib/atlas/authenticator.ts';
import { ConfigError } from '../../../lib/errors.ts';
import type { Settings } from '../../settings.ts';
import { createMovableClock, type MovableClock } from '../clock.ts';
import { forgetful, frozen } from '../durable/durable.ts';
import { type Loopback, serveOnLoopback } from '../loopback.ts';
import { DIST, type Machine, startMachine } from '../machine.ts';
import { createTicketSandbox, type TicketSandbox } from '../ticket-sandbox/sandbox.ts';
import { createConsole } from './console/app.ts';
import { type Facts, openState, recall, worldOf } from './data-folder.ts';
import { type Embedded, embeddedSettings } from './embedded-settings.ts';
import { createHooks } from './hooks.ts';
import { Host } from './host.ts';
import { Ledger } from './ledger.ts';
import { onRealAws, placesOf, type RealAws } from './real-aws.ts';
import { type DemoWorld, openAlert, putCredentials, seedWorld, sendWebhooks } from './seed.ts';
import { type Resources, synthesize, synthesizeOnce } from './synthesis.ts';
import { wiringOf } from './wiring.ts';

/** The real Atlas to work on. */
export interface RealAtlas {
  readonly origin: string;
  /** Asked for where a function has none of its own in the data folder; undefined where nobody gave any. */
  readonly credentials: () => Promise<AtlasCredentials | undefined>;
}

export interface LocalHostOptions {
  readonly settings: Settings;
  readonly bundles?: string;
  readonly clock?: MovableClock;
  /** The stacks of these settings, where they are synthesized already. */
  readonly resources?: Resources;
  /** The sandbox unless given. */
  readonly atlas?: RealAtlas;
  /** The deployed stack to work on, with a real Atlas; embedded services unless given. */
  readonly aws?: RealAws;
  readonly dryRun?: boolean;
  /** The folder whose state is gone on with, and kept in; all is in memory unless given. A dry run keeps nothing. */
  readonly data?: string;
  /** The folder templates are kept in; each is synthesized anew unless given. */
  readonly templates?: string;
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
  /** Whether somebody else than this host knows what webhooks of Atlas are signed with. */
  readonly takesWebhooks: boolean;
  /** Whether its state outlives it. */
  readonly keeps: boolean;
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
  const { aws } = options;
  const part = aws ? 'real-aws' : options.atlas ? 'real-atlas' : 'sandbox';
  const file = options.data === undefined ? undefined : started.use(openState(options.data, part));
  // A dry run looks at what there is, and leaves it as it is.
  const kept = file && dryRun ? frozen(file) : file;
  const durable = kept ?? forgetful;
  const { facts, remember } = recall(durable);
  const tickets = createTicketSandbox({ clock, durable });
  const trackers = started.use(await listenAsBefore(tickets, facts.ticketsPort));
  remember({ ticketsPort: Number(new URL(trackers.origin).port) });
  const embedded = aws
    ? settingsAsTheyAre(options.settings)
    : embeddedSettings(options.settings, tickets, trackers.origin, options.atlas ? 'real' : 'embedded');
  const { settings } = embedded;
  const { templates } = options;
  const { origin } = trackers;
  const resources =
    options.resources ??
    (await (templates === undefined ? synthesize(settings) : synthesizeOnce(settings, { folder: templates, origin })));
  const wired = wiringOf(resources);
  // Who rotates, and whom events start, AWS says itself.
  const wiring = aws ? { ...wired, rules: [], rotations: [] } : wired;
  checkBuilt(wiring.functions.keys(), bundles);

  const ledger = new Ledger(clock, durable);
  const played = started.use(
    await startMachine({
      bundles,
      clock,
      seed: `atlas-automation ${facts.starts}`,
      durable: kept,
      ...(options.atlas && { environment: { MONGODB_ATLAS_BASE_URL: options.atlas.origin } }),
      onOutput: (text, lambda) => ledger.printed(text, lambda),
      around: ledger.watch,
      placement(name, shared) {
        const own = wiring.functions.get(name);
        if (!own) return {};
        // What the template does not set, the function does not get; what only a deployment knows, it gets from here.
        const known = Object.entries({ ...shared, ...(aws && placesOf(aws)) });
        const environment = {
          ...own.environment,
          ...Object.fromEntries(known.filter(([key]) => own.variables.includes(key) && !ASKED_FOR.has(key))),
          ...(aws?.environment ?? Object.fromEntries(known.filter(([key]) => key.startsWith('AWS_')))),
          AUTOMATION_SETTINGS: own.settings,
        };
        const { timeoutMs, memoryMb } = own;
        const niceness = wiring.queues.has(name) ? BEHIND_ALL : BEHIND_THE_HOST;
        const atOnce = wiring.urls.has(name) ? CALLERS_AT_ONCE : 1;
        return { environment, timeoutMs, memoryMb, mostContainers: MOST_CONTAINERS, atOnce, niceness };
      },
    }),
  );
  const machine = aws ? started.use(onRealAws(played, aws)) : played;
  let world: DemoWorld | undefined;
  // The one of an earlier start, because what was signed with it may still be on its way.
  const { webhookKey = facts.webhookKey ?? randomBytes(24).toString('base64url') } = options;
  const hook = settings.webhooks.atlas?.secret;
  const isHookStored = hook !== undefined && (aws !== undefined || isStored(machine, hook, facts));
  if (!aws) {
    for (const [name, value] of Object.entries(tickets.secrets)) await putText(machine, name, value);
    remember({ webhookKey });
    if (hook !== undefined && (options.webhookKey !== undefined || !isHookStored)) {
      remember({ webhookSecret: hook });
      await machine.putSecret(hook, { current: webhookKey });
    }
    if (options.atlas) {
      const { credentials } = options.atlas;
      remember({ credentials: await putCredentials(machine, settings.atlas, credentials, facts.credentials) });
    } else {
      world = await seedWorld(machine, settings, worldOf(machine.atlas, facts));
      remember({ world: { org: world.org.id, project: world.project.id } });
    }
  }
  // From here on there is a world to come back to.
  durable.commit();

  const host = new Host({
    machine,
    wiring,
    ledger,
    dryRun,
    durable: kept,
    ...(pausesMs && { pausesMs }),
    ...(firstRuns !== undefined && { firstRuns }),
  });
  const hooks = started.use(await serveOnLoopback(createHooks(host), ports.hooks));
  for (const [id, tracker] of embedded.trackers) {
    const secret = secretOf(tickets.secrets[`tickets/${tracker}-webhook`]);
    tickets.webhooks.register(tracker, { url: `${hooks.origin}/hooks/receive-ticket-update/${id}`, secret });
  }
  const modes = { atlas: options.atlas?.origin, aws: aws && `${aws.account}, ${aws.region}`, dryRun };
  const console = started.use(await listenForPeople({ host, tickets, token, modes }, ports.console));
  await host.start();
  if (world && wiring.urls.has('receive-atlas-alert')) {
    started.defer(sendWebhooks(machine, `${hooks.origin}/hooks/receive-atlas-alert/`, webhookKey));
    if (demo && !file?.existed) openAlert(machine, world);
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
    takesWebhooks: hook !== undefined && (isHookStored || options.webhookKey !== undefined),
    keeps: file !== undefined && !dryRun,
    changes: embedded.changes,
    stop: () => host.stop(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Whether somebody put a secret where the key of the webhooks is looked for, and not an earlier start. */
const isStored = (machine: Machine, name: string, { webhookSecret }: Facts): boolean =>
  machine.hasSecret(name) && webhookSecret !== name;

/** Nothing is replaced where AWS and the ticket systems are the real ones; only which code runs is decided here. */
const settingsAsTheyAre = ({ stack: { codeSigning: _, ...stack }, ...others }: Settings): Embedded => ({
  settings: { ...others, stack },
  changes: [],
  trackers: new Map(),
});

/** Variables that name what the settings name: the template's word counts, not the machine's. */
const ASKED_FOR = new Set(['ATLAS_CREDENTIALS_SECRET', 'WEBHOOK_SECRET']);

/** Functions run in this many processes at a time, each: a machine has a few cores, and more would wait for those. */
const MOST_CONTAINERS = 4;
/** Function URLs wait more than they work: a process serves several callers, which is what takes in a storm of alerts on two cores. */
const CALLERS_AT_ONCE = 8;

/**
 * Who comes first where all of them want a core: the host, which everybody waits for, then functions, then those that work
 * off a queue. What is in the queue is safe, and a webhook that is not taken in may be lost.
 */
const BEHIND_THE_HOST = 5;
const BEHIND_ALL = 15;

const secretOf = (text: string | undefined): string => {
  const value: unknown = JSON.parse(text ?? '{}');
  return typeof value === 'object' && value !== null && 'current' in value ? String(value.current) : '';
};

/** Some trackers' secrets are plain text, so this is not the machine's own way to put one. */
async function putText(machine: Machine, Name: string, SecretString: string): Promise<void> {
  if (machine.hasSecret(Name)) return;
  const secret = { Name, SecretString, ClientRequestToken: randomUUID() };
  await machine.aws.secretsManager.service.operations['CreateSecret']?.(secret);
}

/** At the port of the last time, or at another where that is taken. */
async function listenAsBefore(tickets: TicketSandbox, port: number | undefined): Promise<Loopback> {
  try {
    return await tickets.listen(port);
  } catch (error) {
    if (port === undefined || !(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    return tickets.listen();
  }
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

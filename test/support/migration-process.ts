/** A live migration in this process: the functions' own code over the sandbox and a state in memory, in virtual time. */
import { Logger } from '@aws-lambda-powertools/logger';
import { command } from '../../functions/start-live-migration/command.ts';
import { Command, MigrationRequest, MigrationSettings } from '../../functions/start-live-migration/contract.ts';
import { keepPlan, sealed } from '../../functions/start-live-migration/plan.ts';
import { Run, requestHashOf } from '../../functions/start-live-migration/run.ts';
import type { Context, Services } from '../../functions/start-live-migration/services.ts';
import { watch } from '../../functions/start-live-migration/watch.ts';
import { createAtlasSandbox } from '../../infra/local/atlas-sandbox/sandbox.ts';
import type { Plan as Course } from '../../infra/local/atlas-sandbox/state/migration-course.ts';
import { type AtlasClient, prepare } from '../../lib/atlas/client.ts';
import { AtlasOutcomeUnknown, AtlasRejected, AtlasUnavailable } from '../../lib/atlas/errors.ts';
import type { Operation } from '../../lib/atlas/operations/define.ts';
import { AwsCallFailed } from '../../lib/aws/errors.ts';
import type { State } from '../../lib/aws/state.ts';
import { FreshestSnapshots, freshestSnapshotKey } from '../../lib/migrations-under-way.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { manualClock } from './manual-clock.ts';
import { createMemoryState } from './memory-state.ts';

/** The process is gone: whatever it was about to do, it does no more. */
export class Killed extends Error {}

export type FaultKind = 'killed before' | 'killed after' | 'lost' | 'late';

/** One thing the process does to the outside, in the order it does them. */
export interface Effect {
  readonly nth: number;
  readonly name: string;
  /** Whether it changes something: what only reads can't be carried out late, nor be missed by whoever comes after. */
  readonly writes: boolean;
  /** Whether it is sent anew by itself when its answer is lost. */
  readonly repeats: boolean;
}

export interface ProcessWorldOptions {
  readonly settings?: Partial<Record<keyof MigrationSettings, unknown>>;
  /** Told of every call to Atlas before it is carried out, and of every run as it is written. */
  readonly onCall?: (operation: string, params: Readonly<Record<string, string>>) => void;
  readonly onRun?: (run: Run) => void;
  /** Goes around every effect: for counting those that follow each other. */
  readonly around?: <Result>(apply: () => Promise<Result>, name: string) => Promise<Result>;
  /** What is left of an invocation, in milliseconds. */
  readonly remainingMs?: number;
}

const log = new Logger({ logLevel: 'SILENT' });

export async function createProcessWorld(options: ProcessWorldOptions = {}) {
  const { remainingMs = 60_000, around = (apply) => apply() } = options;
  const deadline: Deadline = { signal: new AbortController().signal, remainingMs: () => remainingMs };
  const clock = manualClock();
  const sandbox = createAtlasSandbox({ seed: 'migrations', clock });
  const { world } = sandbox;
  const org = world.addOrg({ name: 'move' });
  const project = world.addProject(org, { name: 'target' });
  const account = world.addOrgAccount(org, { name: 'migrator', roles: ['ORG_OWNER'] });
  const secret = world.addSecret(account);
  const memory = createMemoryState({ clock });
  const settings = MigrationSettings.parse({ lagGatePolls: 2, finalisationMinutes: 5, ...options.settings });
  const events: { readonly detailType: string; readonly detail: Readonly<Record<string, unknown>> }[] = [];
  const sent: { readonly operation: string; readonly run: Run | undefined }[] = [];
  const effects: Effect[] = [];
  let faults: ReadonlyMap<number, FaultKind> = new Map();
  let late: (() => Promise<unknown>)[] = [];
  let dead = false;
  let ids = 0;

  /** Carries one effect out under the faults that are planned. */
  async function effect<Result>(
    what: Omit<Effect, 'nth'>,
    apply: () => Promise<Result>,
    failed: (wasCarriedOut: boolean) => Error,
  ): Promise<Result> {
    if (dead) throw new Killed();
    effects.push({ nth: effects.length, ...what });
    const fault = faults.get(effects.length - 1);
    if (fault === undefined) return around(apply, what.name);
    if (fault === 'killed before' || fault === 'killed after') {
      if (fault === 'killed after') await apply();
      dead = true;
      throw new Killed();
    }
    if (fault === 'late') late.push(apply);
    else await apply();
    throw failed(true);
  }

  let token = { value: '', until: 0 };
  const tokenNow = (): string => {
    if (clock.now().getTime() >= token.until) {
      token = { value: world.addToken(account, secret).value, until: clock.now().getTime() + 3_000_000 };
    }
    return token.value;
  };
  async function ask(op: Operation, input: { params: unknown; query?: unknown; body?: unknown }) {
    const { path, body } = prepare(op, input);
    options.onCall?.(op.id, input.params as Record<string, string>);
    const mediaType = op.version === undefined ? 'application/json' : `application/vnd.atlas.${op.version}+json`;
    const response = await sandbox.fetch(
      new Request(`http://atlas.test${path}`, {
        method: op.method,
        headers: {
          accept: mediaType,
          authorization: `Bearer ${tokenNow()}`,
          ...(body !== undefined && { 'content-type': mediaType }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    );
    const text = await response.text();
    const json: unknown = text === '' ? undefined : JSON.parse(text);
    if (response.status >= 400)
      throw new AtlasRejected(op.id, response.status, (json as { errorCode?: string } | undefined)?.errorCode);
    return { data: op.response.parse(json), at: new Date(response.headers.get('date') ?? Number.NaN) };
  }
  const callDated = (op: Operation, input: { params: unknown }) => {
    if (op.id === 'createGroupLiveMigration' || op.id === 'cutoverGroupLiveMigration') {
      const run = memory.snapshot().find(({ pk }) => pk === 'migration');
      sent.push({ operation: op.id, run: run && Run.parse(run.value) });
    }
    const repeats = op.repeat === 'safe';
    return effect(
      { name: op.id, writes: op.method !== 'GET', repeats },
      () => ask(op, input),
      () =>
        repeats ? new AtlasUnavailable(`no answer to ${op.id}`) : new AtlasOutcomeUnknown(`no answer to ${op.id}`),
    );
  };
  const atlas = {
    callDated,
    call: async (op: Operation, input: { params: unknown }) => (await callDated(op, input)).data,
  } as unknown as AtlasClient;

  const aws = (name: string) => () => new AwsCallFailed('dynamodb', name, new Error('no answer'), {});
  const write = <Result>(name: string, apply: () => Promise<Result>): Promise<Result> =>
    effect({ name, writes: true, repeats: false }, apply, aws(name));
  const state: State = {
    read: (key, schema) =>
      effect(
        { name: `read ${key.pk}`, writes: false, repeats: true },
        () => memory.read(key, schema, deadline),
        aws('GetItem'),
      ),
    readAll: (keys, schema) => memory.readAll(keys, schema, deadline),
    create: (key, value, _, expiry) => write(`create ${key.pk}`, () => memory.create(key, value, deadline, expiry)),
    replace: (stored, value, _, expiry) => {
      if (stored.key.pk === 'migration') options.onRun?.(Run.parse(value));
      return write(`replace ${stored.key.pk}`, () => memory.replace(stored, value, deadline, expiry));
    },
    remove: (stored) => write(`remove ${stored.key.pk}`, () => memory.remove(stored, deadline)),
    list: (pk, schema, _, list) => memory.list(pk, schema, deadline, list),
  };
  const services: Services = {
    atlas,
    state,
    events: {
      publish: (event) =>
        effect(
          { name: 'publish', writes: true, repeats: false },
          async () => {
            events.push(event);
            return true;
          },
          () => new AwsCallFailed('events', 'PutEvents', new Error('no answer'), {}),
        ),
    },
    reports: undefined,
    secretsManager: { describe: () => Promise.reject(new Error('no secrets here')), read: async () => undefined },
    secretTags: { set: async () => {}, remove: async () => {} },
    availableProjects: new Map(),
    cloudManager: undefined,
    newId: () => `approval-${ids++}`,
  };
  const context: Context = { services, settings, log, clock, deadline };

  return {
    clock,
    sandbox,
    world,
    project,
    org,
    memory,
    events,
    sent,
    effects,
    settings,
    context,

    /** Faults by the number of the effect they meet; counted from now on. */
    plan(planned: ReadonlyMap<number, FaultKind>): void {
      faults = planned;
      effects.length = 0;
    },

    /** A destination and its source, and a plan that could be started now; `planned` is its digest. */
    async seed(name: string, course: Partial<Course> = {}) {
      const host = `${name}.example.com`;
      const createdAt = new Date(clock.now().getTime() - 10 * 86_400_000);
      const cluster = world.clusters.add(project, { name, backupEnabled: true, createdAt });
      const source = world.migrations.connect(org, {
        name: `source of ${name}`,
        migrationHosts: [host],
        deployments: [{ name }],
      });
      world.migrations.plan(cluster, { validationSeconds: 0, ...course });
      const request = MigrationRequest.parse({
        orgId: org.id,
        source: { groupId: source.projectId, clusterName: name, ssl: true, managedAuthentication: true },
        destination: { groupId: project.id, clusterName: name, hostnameSchemaType: 'PUBLIC' },
        migrationHost: host,
      });
      const at = clock.now().toISOString();
      const validation = world.migrations.validate(cluster, source.projectId, undefined);
      const plan = sealed({
        madeAt: at,
        requestedBy: 'ada',
        request,
        requestHash: requestHashOf(request),
        checks: [],
        validation: { id: validation.id, startedAt: at },
        notMigrated: [],
      });
      await keepPlan(memory, plan, deadline);
      return { cluster, request, planned: plan.digest };
    },

    /** One invocation, in a new process; what was late comes before it. */
    async command(event: object): Promise<Record<string, unknown>> {
      dead = false;
      return command(context, Command.parse(event));
    },

    async tick({ waits = false } = {}) {
      dead = false;
      return watch(context, { dryRun: false, runId: undefined, at: clock.now(), waits });
    },

    /** Whatever was sent and not yet carried out is carried out now, most of a minute later. */
    async settle(): Promise<void> {
      if (late.length === 0) return;
      clock.advance(50_000);
      const due = late;
      late = [];
      for (const apply of due) await apply().catch(() => {});
    },

    runs: (): Run[] =>
      memory
        .snapshot()
        .filter(({ pk }) => pk === 'migration')
        .map(({ value }) => Run.parse(value)),

    /** The destination is backed up again, as the audit sees it. */
    async backUp(): Promise<void> {
      const at = clock.now().toISOString();
      const clusters = Object.fromEntries(
        world.clusters
          .of(project.id)
          .map(({ name }) => [name, { snapshotId: 'snapshot-1', createdAt: at, seenAt: at }]),
      );
      const key = freshestSnapshotKey(project.id);
      const there = await memory.read(key, FreshestSnapshots, deadline);
      await (there ? memory.replace(there, { clusters }, deadline) : memory.create(key, { clusters }, deadline));
    },
  };
}
export type ProcessWorld = Awaited<ReturnType<typeof createProcessWorld>>;

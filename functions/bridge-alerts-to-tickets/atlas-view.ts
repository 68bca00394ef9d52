import * as z from 'zod';
import type { AtlasClient } from '../../lib/atlas/client.ts';
import { AtlasRejected } from '../../lib/atlas/errors.ts';
import { getGroupAlertConfig } from '../../lib/atlas/operations/alert-configs.ts';
import { type Alert, acknowledgeGroupAlert, getGroupAlert } from '../../lib/atlas/operations/alerts.ts';
import { listGroupClusters } from '../../lib/atlas/operations/clusters.ts';
import { pages } from '../../lib/atlas/pages.ts';
import type { State, Stored } from '../../lib/aws/state.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { clusterNames, stemOf } from './grouping.ts';
import type { Subject } from './observation.ts';

const KEPT_MS = 10 * 60_000;
const FACTS_MS = 60_000;
/** After a failure, so long nobody asks again. */
const FAILED_MS = 60_000;

/** A cluster as alerts and routes know it. */
export interface ClusterFacts {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** The cluster of an alert: the name all its alerts share, and how people write it. */
export interface KnownCluster {
  readonly name: string | undefined;
  readonly label?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

const Names = z.object({
  /** The name a cluster goes by, by every name it was heard of under. */
  names: z.record(z.string(), z.string()),
  /** Which cluster that is, where somebody said. */
  claims: z.record(z.string(), z.string()),
});

/** Words in our acknowledgements that tell them from anybody else's. */
export const OURS = /\[bridge:[a-z0-9-]+\]/;

/** What the bridge asks of Atlas. Small answers are kept for minutes; a question that just failed is not asked again. */
export interface AtlasView {
  readonly client: Pick<AtlasClient, 'call' | 'follow'>;
  /** The alert as it is, or undefined where Atlas knows none of that id. Throws what the client throws. */
  alert(projectId: string, id: string, deadline: Deadline): Promise<Alert | undefined>;
  /** `severityOverride` of a configuration; undefined where there is none, or it can't be read in time. */
  severityOverride(subject: Subject, deadline: Deadline): Promise<string | undefined>;
  /**
   * The one name of the alert's cluster, and its tags where Atlas tells in time. Once an alert's name was given, it stays:
   * an incident must not change its key because Atlas answers again.
   */
  cluster(subject: Subject, patience: Deadline, deadline: Deadline): Promise<KnownCluster>;
  /** Remembers what helps people for a minute; undefined where it can't be had in time. */
  facts(
    key: string,
    ask: () => Promise<Record<string, string>>,
    deadline: Deadline,
  ): Promise<Record<string, string> | undefined>;
  acknowledge(projectId: string, id: string, until: Date, comment: string, deadline: Deadline): Promise<void>;
  unacknowledge(projectId: string, id: string, deadline: Deadline): Promise<void>;
}

export function createAtlasView(client: Pick<AtlasClient, 'call' | 'follow'>, state: State, clock: Clock): AtlasView {
  const configs = createMemory<string | undefined>(clock);
  const facts = createMemory<Record<string, string>>(clock, FACTS_MS);
  const clusterLists = createMemory<ReadonlyMap<string, ClusterFacts>>(clock);

  async function clusters(projectId: string, deadline: Deadline): Promise<ReadonlyMap<string, ClusterFacts>> {
    const found = new Map<string, ClusterFacts>();
    for await (const { name, id, tags, connectionStrings } of pages(
      client,
      listGroupClusters,
      { params: { groupId: projectId } },
      deadline,
    )) {
      const facts: ClusterFacts = {
        name,
        tags: Object.fromEntries((tags ?? []).map(({ key, value }) => [key, value ?? ''])),
      };
      const standard = connectionStrings?.standard ?? '';
      const hosts = /^mongodb:\/\/([^/]+)/.exec(standard)?.[1]?.split(',') ?? [];
      const replicaSet = /[?&]replicaSet=([^&]+)/.exec(standard)?.[1];
      for (const known of [name.toLowerCase(), id?.toLowerCase(), stemOf(replicaSet), ...hosts.map(stemOf)])
        if (known) found.set(known, facts);
    }
    return found;
  }

  return {
    client,
    facts,
    async alert(projectId, id, deadline) {
      if (!/^[0-9a-f]{24}$/.test(projectId) || !/^[0-9a-f]{24}$/.test(id)) return undefined;
      try {
        return await client.call(getGroupAlert, { params: { groupId: projectId, alertId: id } }, deadline);
      } catch (error) {
        if (error instanceof AtlasRejected && error.status === 404 && error.errorCode !== 'GROUP_NOT_FOUND')
          return undefined;
        throw error;
      }
    },

    async severityOverride({ projectId, alertConfigId }, deadline) {
      if (!projectId || !alertConfigId || !/^[0-9a-f]{24}$/.test(projectId) || !/^[0-9a-f]{24}$/.test(alertConfigId))
        return undefined;
      return configs(
        `${projectId} ${alertConfigId}`,
        async () =>
          (await client.call(getGroupAlertConfig, { params: { groupId: projectId, alertConfigId } }, deadline))
            .severityOverride ?? undefined,
        deadline,
      );
    },

    async cluster(subject, patience, deadline) {
      const names = clusterNames(subject);
      const { projectId } = subject;
      if (names.length === 0) return { name: undefined };
      if (!projectId || !/^[0-9a-f]{24}$/.test(projectId)) return { name: names[0] };
      const known = await clusterLists(projectId, () => clusters(projectId, patience), patience);
      const facts = names.map((name) => known?.get(name)).find((found) => found !== undefined);
      const given = subject.clusterName?.toLowerCase() ?? facts?.name.toLowerCase();
      const name = await agreeOn(state, projectId, { given, others: names }, deadline);
      const label = facts?.name ?? subject.clusterName;
      return { name, ...(label && { label }), ...(facts && { tags: facts.tags }) };
    },

    async acknowledge(projectId, id, until, comment, deadline) {
      await client.call(
        acknowledgeGroupAlert,
        {
          params: { groupId: projectId, alertId: id },
          body: { acknowledgedUntil: until, acknowledgementComment: comment.slice(0, 200) },
        },
        deadline,
      );
    },

    async unacknowledge(projectId, id, deadline) {
      await client.call(
        acknowledgeGroupAlert,
        { params: { groupId: projectId, alertId: id }, body: { unacknowledgeAlert: true } },
        deadline,
      );
    },
  };
}

/** Keeps answers for minutes; a question that just failed is answered with undefined for a while. */
function createMemory<T>(clock: Clock, keptMs = KEPT_MS) {
  const kept = new Map<string, { readonly value: Promise<T | undefined>; readonly until: number }>();
  return async (key: string, ask: () => Promise<T>, deadline: Deadline): Promise<T | undefined> => {
    const now = clock.now().getTime();
    const found = kept.get(key);
    if (found && now < found.until) return within(found.value, deadline);
    const value = ask().catch((): undefined => {
      kept.set(key, { value: Promise.resolve(undefined), until: clock.now().getTime() + FAILED_MS });
      return undefined;
    });
    kept.set(key, { value, until: now + keptMs });
    return within(value, deadline);
  };
}

/** The answer if it comes in time; what was asked goes on, and serves who asks next. */
async function within<T>(value: Promise<T>, deadline: Deadline): Promise<T | undefined> {
  if (deadline.signal.aborted) return undefined;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const stop = (): void => resolve(undefined);
  deadline.signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([value, promise]);
  } finally {
    deadline.signal.removeEventListener('abort', stop);
  }
}

/** What this process knows of the names in one project, and whose turn it is to ask for more. */
interface Register {
  readonly known: Map<string, string>;
  /** As it was read or written last. */
  stored: Stored<z.output<typeof Names>> | undefined;
  turn: Promise<unknown>;
}
const registers = new WeakMap<State, Map<string, Register>>();

function registerOf(state: State, projectId: string): Register {
  const projects = registers.get(state) ?? new Map<string, Register>();
  registers.set(state, projects);
  const register = projects.get(projectId) ?? { known: new Map(), stored: undefined, turn: Promise.resolve() };
  projects.set(projectId, register);
  return register;
}

/**
 * The one name a cluster has from now on. A cluster that is named goes by that name; hosts and replica sets go by the name
 * of the cluster they were first heard of with. A name nobody gave, taken because nothing better was known, is claimed by
 * the first cluster that turns out to own it, so that two clusters never become one.
 */
export async function agreeOn(
  state: State,
  projectId: string,
  { given, others }: { readonly given: string | undefined; readonly others: readonly string[] },
  deadline: Deadline,
): Promise<string | undefined> {
  const first = given ?? others[0];
  if (first === undefined) return undefined;
  const register = registerOf(state, projectId);
  const all = given === undefined ? others : [given, ...others.filter((name) => name !== given)];
  const held = (): string | undefined => {
    const known = all.map((name) => register.known.get(name));
    return known.every((name) => name !== undefined) ? known[0] : undefined;
  };
  const settled = held();
  if (settled !== undefined) return settled;
  // One after the other: those of one process would only get into each other's way.
  const mine = register.turn.then(
    () => held() ?? enter(register, { state, projectId, given, all, deadline }),
    () => enter(register, { state, projectId, given, all, deadline }),
  );
  register.turn = mine;
  return (await mine) ?? first;
}

/** Writes names into the register; undefined where too many others write it, too. */
async function enter(
  register: Register,
  {
    state,
    projectId,
    given,
    all,
    deadline,
  }: {
    readonly state: State;
    readonly projectId: string;
    readonly given: string | undefined;
    readonly all: readonly string[];
    readonly deadline: Deadline;
  },
): Promise<string | undefined> {
  const key = { pk: 'cluster-names', sk: projectId };
  for (let attempt = 0; attempt < 10; attempt++) {
    // Names are only ever added, and only to what was read: a write over what is old fails, and then it is read again.
    const stored = (attempt === 0 ? register.stored : undefined) ?? (await state.read(key, Names, deadline));
    register.stored = stored;
    const names = new Map(Object.entries(stored?.value.names ?? {}));
    const claims = new Map(Object.entries(stored?.value.claims ?? {}));
    const before = names.size;
    const name = settleName(given, all, names, claims);
    for (const each of all) if (!names.has(each)) names.set(each, name);
    if (names.size > before) {
      const next = { names: Object.fromEntries(names), claims: Object.fromEntries(claims) };
      const written = stored ? await state.replace(stored, next, deadline) : await state.create(key, next, deadline);
      if (!written) continue;
      register.stored = written;
    }
    for (const each of all) register.known.set(each, names.get(each) ?? name);
    return name;
  }
  return undefined;
}

function settleName(
  given: string | undefined,
  all: readonly string[],
  names: ReadonlyMap<string, string>,
  claims: Map<string, string>,
): string {
  if (given === undefined) return all.map((name) => names.get(name)).find((name) => name !== undefined) ?? all[0] ?? '';
  const held = names.get(given);
  if (held !== undefined) return held;
  const free = all.map((name) => names.get(name)).find((name) => name !== undefined && !claims.has(name));
  const name = free ?? given;
  claims.set(name, given);
  return name;
}

import { type Check, type Evidence, fail, pass, unknown, type Verdict } from '../checks.ts';

/** The source's deployment as Atlas lists it, or why it is not known. */
export function deploymentOf({ available, request: { source } }: Evidence) {
  if ('problem' in available) return { problem: available.problem };
  const project = available.known.find(({ projectId }) => projectId === source.groupId);
  const deployment = project?.deployments?.find(
    ({ name, clusterId }) => name === source.clusterName || clusterId === source.clusterName,
  );
  return { project, deployment };
}

const inDeployment = (
  evidence: Evidence,
  judge: (found: {
    project: NonNullable<ReturnType<typeof deploymentOf>['project']>;
    deployment: NonNullable<ReturnType<typeof deploymentOf>['deployment']>;
  }) => Verdict,
): Verdict => {
  const { problem, project, deployment } = deploymentOf(evidence);
  if (problem !== undefined) return unknown(problem);
  return project && deployment ? judge({ project, deployment }) : unknown('the source is not listed');
};

/** Where the migration comes from, and through which host it goes. */
export const placeChecks: readonly Check[] = [
  {
    id: 'organization-linked',
    number: 1,
    title: 'The organization is linked to Cloud Manager',
    severity: 'BLOCKER',
    remedy:
      'Make a link token and enter it in Cloud Manager. Only what Cloud Manager monitors can be pushed: Ops Manager in local mode and unmonitored clusters are not listed.',
    judge: ({ available }) => {
      if ('problem' in available) return unknown(available.problem);
      return available.known.length > 0
        ? pass(`${available.known.length} projects are linked`)
        : fail('no project is linked to the organization');
    },
  },
  {
    id: 'source-listed',
    number: 2,
    title: 'The source is listed for migration',
    severity: 'BLOCKER',
    remedy: 'Give the source’s Cloud Manager project id (not an Atlas one) and the deployment’s name as listed.',
    judge: (evidence) => {
      const { problem, project, deployment } = deploymentOf(evidence);
      if (problem !== undefined) return unknown(problem);
      if (!project) return fail('no linked project has this id');
      return deployment
        ? pass(`${project.name ?? project.projectId} has it`)
        : fail('the project has no such deployment');
    },
  },
  {
    id: 'migration-host-listed',
    number: 3,
    title: 'The migration host is one of the source’s project',
    severity: 'BLOCKER',
    remedy: 'Install the migration agent on a host of its own, and name that host: not a member of the source.',
    judge: (evidence) =>
      inDeployment(evidence, ({ project }) =>
        project.migrationHosts?.includes(evidence.request.migrationHost)
          ? pass('listed')
          : fail(`listed are: ${project.migrationHosts?.join(', ') || 'none'}`),
      ),
  },
  {
    id: 'migration-host-free',
    number: 4,
    title: 'No other migration uses the host',
    severity: 'BLOCKER',
    remedy: 'Wait for the other migration, or take another host.',
    judge: ({ hostHeldBy }) => (hostHeldBy === undefined ? pass('free') : fail(`used by ${hostHeldBy}`)),
  },
  {
    id: 'versions',
    number: 8,
    title: 'The source’s version can be migrated',
    severity: 'BLOCKER',
    remedy:
      'Upgrade the source to a release that is taken; rapid releases are not. The oldest are a setting: migration.sourceVersions.',
    judge: (evidence) =>
      inDeployment(evidence, ({ deployment }) => {
        const version = deployment.mongoDBVersion ?? '';
        const [, series = '', patch = ''] = /^(\d+\.\d+)\.(\d+)/.exec(version) ?? [];
        if (series === '') return unknown(`version ${version || 'not told'}`);
        const least = evidence.settings.sourceVersions[series];
        if (least === undefined) return fail(`${version} is of a series that is not taken`);
        return Number(patch) >= least ? pass(version) : fail(`${version} is older than ${series}.${least}`);
      }),
  },
  {
    id: 'tls',
    number: 21,
    title: 'The TLS setting is the source’s',
    severity: 'BLOCKER',
    remedy: 'Set source.ssl as the source has it, and name the CA’s path on the migration host.',
    judge: (evidence) =>
      inDeployment(evidence, ({ deployment: { tlsEnabled } }) => {
        if (tlsEnabled == null) return unknown('not told');
        return tlsEnabled === evidence.request.source.ssl
          ? pass('agrees')
          : fail(`the source has TLS ${tlsEnabled ? 'on' : 'off'}`);
      }),
  },
  {
    id: 'no-other-migration',
    number: 22,
    title: 'No other migration goes into the destination',
    severity: 'BLOCKER',
    remedy: 'Wait for the other migration, or take another destination.',
    judge: ({ destinationHeldBy, imports }) => {
      if (destinationHeldBy !== undefined) return fail(`used by ${destinationHeldBy}`);
      if ('problem' in imports) return unknown(imports.problem);
      const newest = imports.known[0]?.type;
      const runs =
        newest === 'CLUSTER_IMPORT_STARTED' ||
        newest === 'CLUSTER_IMPORT_CUTOVER' ||
        newest === 'CLUSTER_IMPORT_RESTART_REQUESTED';
      return runs ? fail('the project’s events tell of one that has not ended') : pass('none');
    },
  },
  {
    id: 'validated',
    number: 23,
    title: 'Atlas’s own validation succeeded for exactly this request',
    severity: 'BLOCKER',
    remedy: 'Mend what it says and plan again; while it is pending, plan again in a minute.',
    judge: ({ validation }) => {
      switch (validation.state) {
        case 'succeeded':
          return pass(`validation ${validation.id}`);
        case 'failed':
          return fail(validation.problem ?? 'it failed without a reason');
        case 'timed out':
          return fail('no answer in time: look at the migration agent’s log');
        case 'pending':
          return { outcome: 'PENDING', evidence: `validation ${validation.id} runs` };
        case 'refused':
          return fail(validation.problem);
        case 'unsent':
          return unknown('not asked for in a dry run');
        case 'unknown':
          return unknown('it was asked for, and the answer is not known yet');
      }
    },
  },
  {
    id: 'agents-alive',
    number: 31,
    title: 'The source’s agents are alive, and something else than its host alerts watches it',
    severity: 'WARNING',
    remedy: 'Start the agents. Host alerts are off during a migration: the alarm on the watcher replaces them.',
    judge: ({ agents }) => {
      if (agents === undefined)
        return unknown('Cloud Manager is not configured to be asked (migration.cloudManagerBaseUrl)');
      if ('problem' in agents) return unknown(agents.problem);
      const count = agents.known.activeAgentCount;
      if (count == null) return unknown('Cloud Manager tells no number of agents');
      return count > 0
        ? pass(`${count} agents were alive at the last count`)
        : fail('no agent was alive at the last count');
    },
  },
];

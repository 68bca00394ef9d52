import { getGroupCluster } from '../../lib/atlas/operations/clusters.ts';
import { getGroupFlexCluster } from '../../lib/atlas/operations/flex-clusters.ts';
import { listGroups } from '../../lib/atlas/operations/projects.ts';
import { pages } from '../../lib/atlas/pages.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import type { AuditSettings } from './contract.ts';
import { ClusterNotFound } from './errors.ts';
import { tagsOf } from './inventory/normalise.ts';
import { isRejected } from './inventory/reading.ts';
import type { Subject } from './policy/layers.ts';
import { loadPolicy } from './policy/load.ts';
import { ruleIds } from './policy/options.ts';
import type { Policy } from './policy/resolve.ts';
import { policySource } from './policy-source.ts';
import type { Services } from './services.ts';

interface Explaining {
  readonly services: Pick<Services, 'atlas'>;
  readonly settings: AuditSettings;
  readonly deadline: Deadline;
  readonly clock: Clock;
}

/** What the policy asks of one cluster, setting by setting, and where each comes from. Reads Atlas for tags, writes nothing. */
export async function explainCluster(named: string, { services, settings, deadline, clock }: Explaining) {
  const policy = loadPolicy(await policySource(settings), clock.now().getTime());
  const { client: atlas } = services.atlas();
  const [projectName = '', clusterName = ''] = named.split('/');
  const found = [];
  for await (const project of pages(atlas, listGroups, { params: {} }, deadline)) {
    if (project.id === projectName || project.name === projectName) found.push(project);
  }
  const [project, other] = found;
  if (!project || other) {
    throw new ClusterNotFound(project ? 'several projects have this name: use the id' : 'there is no such project', {
      project: projectName,
    });
  }
  const params = { groupId: project.id, clusterName };
  const cluster = await atlas.call(getGroupCluster, { params }, deadline).catch(async (error: unknown) => {
    if (isRejected(error, 404))
      throw new ClusterNotFound('there is no such cluster in the project', { cluster: clusterName });
    if (!isRejected(error, 400, /FLEX/)) throw error;
    return atlas.call(getGroupFlexCluster, { params: { groupId: project.id, name: clusterName } }, deadline);
  });
  return explained(policy, {
    projectId: project.id,
    projectName: project.name,
    clusterId: cluster.id ?? undefined,
    clusterName: cluster.name,
    tags: [...tagsOf(project.tags), ...tagsOf(cluster.tags)],
  });
}

/** The answer itself: pure. */
export function explained(policy: Policy, subject: Subject) {
  const resolved = policy.resolve(subject);
  return {
    ...subject,
    policy: { name: policy.name, profile: policy.profile, digest: policy.digest },
    mergeOrder: ['profile', 'organization', 'projects', 'tags', 'clusters'],
    tier: { value: resolved.tier, from: resolved.tierFrom },
    rules: Object.fromEntries(
      ruleIds.map((id) => [
        id,
        {
          settings: resolved.rule(id).settings,
          exemptions: resolved.exemptions(id).map(({ name, owner, expires }) => ({ name, owner, expires })),
        },
      ]),
    ),
  };
}

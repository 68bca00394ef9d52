import * as z from 'zod';
import { type Answer, type Call, inGroup, inOrg, type Operation } from '../operation.ts';
import { AtlasRefusal, resourceNotFound } from '../refusal.ts';
import { invalidAttribute } from '../request-body.ts';
import type { Cluster } from '../state/clusters.ts';
import type { Migration, SourceProject, Validation } from '../state/migrations.ts';
import type { Project } from '../world.ts';
import { refuseWhileImporting } from './cluster-lookup.ts';
import { earlierMigrationRequest, type MigrationRequest, migrationRequest, problemOf } from './migration-request.ts';

const orgLevel: Pick<Operation, 'versions' | 'endpointSet'> & { readonly role: 'Organization Owner' } = {
  versions: ['2023-01-01'],
  endpointSet: 'orgMigrations',
  role: 'Organization Owner',
};
const groupLevel: Pick<Operation, 'endpointSet'> = { endpointSet: 'groupMigrations' };
const MIGRATIONS = '/groups/{groupId}/liveMigrations';
const linkRequest = z.strictObject({ accessListIps: z.array(z.string()).optional() });

export const liveMigrationOperations = [
  inOrg({
    ...orgLevel,
    operationId: 'createOrgLiveMigrationLinkToken',
    method: 'POST',
    path: '/orgs/{orgId}/liveMigrations/linkTokens',
    handle(call, org) {
      call.body(linkRequest);
      return { status: 201, body: { linkToken: call.world.migrations.link(org.id) } };
    },
  }),
  inOrg({
    ...orgLevel,
    operationId: 'deleteOrgLiveMigrationLinkTokens',
    method: 'DELETE',
    path: '/orgs/{orgId}/liveMigrations/linkTokens',
    handle({ world }, org) {
      if (!world.migrations.links.has(org.id)) {
        throw new AtlasRefusal(404, 'UNEXPECTED_ERROR', 'Could not find the requested external organization link.');
      }
      if (world.migrations.running(({ orgId }) => orgId === org.id).length > 0) {
        const detail = 'The link of the organization is used by a live migration that is running.';
        throw new AtlasRefusal(409, 'CANNOT_DELETE_ORG_ACTIVE_LIVE_MIGRATION_ATLAS_ORG_LINK', detail, [org.id]);
      }
      world.migrations.links.delete(org.id);
      return { status: 204 };
    },
  }),
  inOrg({
    ...orgLevel,
    operationId: 'listOrgLiveMigrationAvailableProjects',
    method: 'GET',
    path: '/orgs/{orgId}/liveMigrations/availableProjects',
    handle: ({ world }, org) => ({ status: 200, body: world.migrations.links.get(org.id)?.sources ?? [] }),
  }),
  inGroup({
    ...groupLevel,
    operationId: 'validateGroupLiveMigrations',
    method: 'POST',
    path: `${MIGRATIONS}/validate`,
    versions: ['2023-01-01', '2024-05-30'],
    role: 'Organization Owner',
    handle(call, project) {
      const request = requestOf(call);
      const cluster = destinationOf(call, project, request);
      const problem = problemOf(request, cluster, sourcesOf(call, project));
      const validation = call.world.migrations.validate(cluster, request.source.groupId, problem);
      return { status: 200, body: validationView(call, validation) };
    },
  }),
  inGroup({
    ...groupLevel,
    operationId: 'getGroupLiveMigrationValidateStatus',
    method: 'GET',
    path: `${MIGRATIONS}/validate/{validationId}`,
    versions: ['2023-01-01'],
    role: 'Organization Owner',
    handle(call, project) {
      const id = call.param('validationId');
      const validation = call.world.migrations.validations.get(id);
      if (validation?.groupId !== project.id) throw resourceNotFound(id);
      return { status: 200, body: validationView(call, validation) };
    },
  }),
  inGroup({
    ...groupLevel,
    operationId: 'createGroupLiveMigration',
    method: 'POST',
    path: MIGRATIONS,
    versions: ['2023-01-01', '2024-05-30'],
    role: 'Organization Owner',
    handle: create,
  }),
  inGroup({
    ...groupLevel,
    operationId: 'getGroupLiveMigration',
    method: 'GET',
    path: `${MIGRATIONS}/{liveMigrationId}`,
    versions: ['2023-01-01'],
    role: 'Organization Member',
    handle: (call, project) => ({ status: 200, body: migrationView(call, migrationOf(call, project)) }),
  }),
  inGroup({
    ...groupLevel,
    operationId: 'cutoverGroupLiveMigration',
    method: 'PUT',
    path: `${MIGRATIONS}/{liveMigrationId}/cutover`,
    versions: ['2023-01-01'],
    role: 'Organization Owner',
    handle(call, project) {
      const migration = migrationOf(call, project);
      const { migrations } = call.world;
      if (migration.cutoverAt || !migrations.courseOf(migration).readyForCutover) {
        const detail = 'The live migration is not ready for its cutover.';
        throw new AtlasRefusal(400, 'LIVE_MIGRATION_NOT_READY_FOR_CUTOVER', detail, [migration.id]);
      }
      migrations.cutOver(migration);
      return { status: 202 };
    },
  }),
];

function create(call: Call, project: Project): Answer {
  const request = requestOf(call);
  const cluster = destinationOf(call, project, request);
  refuseWhileImporting(call, cluster);
  const { migrations } = call.world;
  const problem = problemOf(request, cluster, sourcesOf(call, project));
  if (problem !== undefined) throw new AtlasRefusal(400, 'VALIDATION_ERROR', problem);
  const [migrationHost = ''] = request.migrationHosts;
  if (migrations.running((each) => each.migrationHost === migrationHost).length > 0) {
    const detail = `${migrationHost} is used by another live migration.`;
    throw new AtlasRefusal(409, 'LIVE_MIGRATION_HOST_IN_USE', detail, [migrationHost]);
  }
  const { orgId } = project;
  const migration = migrations.start(cluster, { orgId, migrationHost, dropsDestination: request.dropDestinationData });
  return { status: 201, body: migrationView(call, migration) };
}

function requestOf(call: Call): MigrationRequest {
  if (call.version >= '2024-05-30') return call.body(migrationRequest);
  const { dropEnabled, ...request } = call.body(earlierMigrationRequest);
  return { ...request, dropDestinationData: dropEnabled };
}

function destinationOf({ world }: Call, { id }: Project, { destination }: MigrationRequest): Cluster {
  const { groupId, clusterName } = destination;
  if (groupId !== id) throw invalidAttribute('destination.groupId');
  const cluster = world.clusters.find(id, clusterName);
  if (cluster) return cluster;
  const detail = `No cluster named ${clusterName} exists in group ${id}.`;
  throw new AtlasRefusal(404, 'CLUSTER_NOT_FOUND', detail, [clusterName, id]);
}

function sourcesOf({ world }: Call, { orgId }: Project): readonly SourceProject[] {
  return world.migrations.links.get(orgId)?.sources ?? [];
}

function migrationOf(call: Call, project: Project): Migration {
  const id = call.param('liveMigrationId');
  const migration = call.world.migrations.find(id);
  if (migration?.groupId !== project.id) throw resourceNotFound(id);
  return migration;
}

function migrationView({ world }: Call, migration: Migration): object {
  const { lagTimeSeconds, readyForCutover, status } = world.migrations.courseOf(migration);
  return {
    _id: migration.id,
    ...(lagTimeSeconds !== undefined && { lagTimeSeconds }),
    migrationHosts: [migration.migrationHost],
    readyForCutover,
    status,
  };
}

function validationView({ world }: Call, validation: Validation): object {
  const { id, createdAt, groupId, plan, problem, sourceGroupId } = validation;
  const isDone = world.now().getTime() - createdAt.getTime() >= plan.validationSeconds * 1000;
  const error = isDone ? (problem ?? plan.validationError) : undefined;
  return {
    _id: id,
    errorMessage: error ?? null,
    groupId,
    sourceGroupId,
    status: isDone ? (error === undefined ? 'SUCCESS' : 'FAILED') : 'PENDING',
  };
}

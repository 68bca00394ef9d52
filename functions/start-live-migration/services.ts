import { randomBytes } from 'node:crypto';
import type { Logger } from '@aws-lambda-powertools/logger';
import * as z from 'zod';
import type { AtlasClient } from '../../lib/atlas/client.ts';
import type { AvailableProject } from '../../lib/atlas/operations/live-migrations.ts';
import { createAtlas } from '../../lib/aws/atlas-access.ts';
import { createEvents, type Events } from '../../lib/aws/events.ts';
import { createReports, type Reports } from '../../lib/aws/reports.ts';
import { createSecretTags, type SecretTags } from '../../lib/aws/secret-tags.ts';
import { createSecretsManager, type SecretsManager } from '../../lib/aws/secrets-manager.ts';
import { createState, type State } from '../../lib/aws/state.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { parseJson } from '../../lib/runtime/json.ts';
import type { Config, MigrationRequest, MigrationSettings } from './contract.ts';
import { MigrationRefused } from './errors.ts';

/** The outside world of a migration, built once per execution environment. */
export interface Services {
  readonly atlas: AtlasClient;
  readonly state: State;
  readonly events: Events;
  /** Undefined where no bucket is configured. */
  readonly reports: Reports | undefined;
  readonly secretsManager: Pick<SecretsManager, 'describe' | 'read'>;
  readonly secretTags: SecretTags;
  /** Organization-level lists share one small rate limit: what was listed a moment ago, by organization. */
  readonly availableProjects: Map<string, { readonly at: Date; readonly projects: readonly AvailableProject[] }>;
  /** Cloud Manager's own API; undefined where the settings do not name it. */
  readonly cloudManager: AtlasClient | undefined;
  /** An id nobody can guess. */
  readonly newId: () => string;
}

/** What everything here works with. */
export interface Context {
  readonly services: Services;
  readonly settings: MigrationSettings;
  readonly log: Logger;
  readonly clock: Clock;
  readonly deadline: Deadline;
}

export function createServices(
  { MONGODB_ATLAS_BASE_URL: origin, ...config }: z.output<typeof Config>,
  { migration }: { readonly migration: MigrationSettings },
): Services {
  const secretsManager = createSecretsManager();
  const { cloudManagerBaseUrl, cloudManagerCredentialsSecret } = migration;
  return {
    atlas: createAtlas({ origin, credentialsSecret: config.ATLAS_CREDENTIALS_SECRET, secretsManager }),
    state: createState(config.STATE_TABLE),
    events: createEvents(config.EVENT_BUS),
    reports: config.REPORT_BUCKET === undefined ? undefined : createReports(config.REPORT_BUCKET),
    secretsManager,
    secretTags: createSecretTags(),
    availableProjects: new Map(),
    cloudManager:
      cloudManagerBaseUrl === undefined || cloudManagerCredentialsSecret === undefined
        ? undefined
        : createAtlas({
            origin: cloudManagerBaseUrl,
            credentialsSecret: cloudManagerCredentialsSecret,
            secretsManager,
          }),
    newId: () => randomBytes(16).toString('hex'),
  };
}

const SourceCredentials = z.object({ username: z.string().min(1), password: z.string().min(1) });

/** The source's credentials, read now and kept nowhere; undefined where Cloud Manager keeps them. */
export async function sourceCredentials(
  { services: { secretsManager }, deadline }: Context,
  { source }: MigrationRequest,
): Promise<z.output<typeof SourceCredentials> | undefined> {
  if (source.credentialsSecret === undefined) return undefined;
  const text = await secretsManager.read(source.credentialsSecret, { stage: 'AWSCURRENT' }, deadline);
  const parsed = SourceCredentials.safeParse(text === undefined ? undefined : parseJson(text));
  if (parsed.success) return parsed.data;
  throw new MigrationRefused(
    'MIGRATION_SECRET_UNUSABLE',
    `${source.credentialsSecret} must hold a username and a password`,
  );
}

/** The body Atlas takes for a validation and for a start: the same for both. */
export async function bodyOf(context: Context, request: MigrationRequest) {
  const { source, destination, migrationHost, dropDestinationData, sharding } = request;
  const from = {
    groupId: source.groupId,
    clusterName: source.clusterName,
    ssl: source.ssl,
    ...(source.caCertificatePath !== undefined && { caCertificatePath: source.caCertificatePath }),
  };
  const credentials = await sourceCredentials(context, request);
  const to = { groupId: destination.groupId, clusterName: destination.clusterName };
  const { hostnameSchemaType, privateLinkId } = destination;
  return {
    source: credentials
      ? { ...from, managedAuthentication: false as const, ...credentials }
      : { ...from, managedAuthentication: true as const },
    destination:
      hostnameSchemaType === 'PRIVATE_LINK'
        ? { ...to, hostnameSchemaType, ...(privateLinkId !== undefined && { privateLinkId }) }
        : { ...to, hostnameSchemaType },
    migrationHosts: [migrationHost],
    dropDestinationData,
    ...(sharding && { sharding }),
  };
}

/** The published OpenAPI 3.0 document: its shape, its repairs, and its schemas as JSON Schema. */

type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [name: string]: Json };
export interface Media {
  readonly schema?: JsonObject;
  readonly 'x-xgen-version'?: string;
}
export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required?: boolean;
  readonly schema: JsonObject;
}
export interface ResponseObject {
  readonly content?: Readonly<Record<string, Media>>;
}
export interface Ref {
  readonly $ref: string;
}
export interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly (Parameter | Ref)[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, ResponseObject | Ref>>;
  readonly 'x-rolesRequirements'?: readonly string[];
}
export interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: {
    readonly schemas: Record<string, JsonObject>;
    readonly parameters: Readonly<Record<string, Parameter>>;
    readonly responses: Readonly<Record<string, ResponseObject>>;
  };
}
/** Requests carry no read-only attributes and responses no write-only ones. */
export type Direction = 'request' | 'response';

export const errorSchema: JsonObject = { $ref: '#/components/schemas/ApiError' };

/** Adds what the document lacks, and takes back what Atlas's recorded answers contradict. */
export function complete({ paths, components }: Document): void {
  // Recorded errors carry strings and numbers, and sometimes null, where the document says objects.
  components.schemas['ApiError']!['properties'] = {
    ...(components.schemas['ApiError']!['properties'] as JsonObject),
    parameters: { type: 'array', nullable: true, items: {} },
  };
  // Recorded names have spaces.
  for (const name of ['Group', 'AtlasOrganization']) {
    (components.schemas[name]!['properties'] as JsonObject)['name'] = { type: 'string', minLength: 1 };
  }
  relax(components.schemas);
  // Part of Atlas since 2024-08-05, and missing from this copy.
  const account = paths['/api/atlas/v2/orgs/{orgId}/serviceAccounts/{clientId}']!;
  const versioned = 'application/vnd.atlas.2024-08-05+json';
  account['patch'] ??= {
    ...account['get']!,
    operationId: 'updateOrgServiceAccount',
    requestBody: {
      required: true,
      content: Object.fromEntries(
        [versioned, 'application/vnd.atlas.2025-03-12+json', 'application/json'].map((type) => [
          type,
          { schema: { $ref: '#/components/schemas/GroupServiceAccountUpdateRequest' } },
        ]),
      ),
    },
    'x-rolesRequirements': ['Organization Owner'],
  };
  // Its own page has it, and this copy does not:
  // https://www.mongodb.com/docs/api/doc/atlas-admin-api-v2/operation/operation-getorgsettings
  const ofOrg = paths['/api/atlas/v2/orgs/{orgId}/groups']!['get']!;
  const settings = { schema: { $ref: '#/components/schemas/OrganizationSettings' }, 'x-xgen-version': '2023-01-01' };
  components.schemas['OrganizationSettings'] ??= {
    type: 'object',
    properties: {
      apiAccessListRequired: { type: 'boolean' },
      maxServiceAccountSecretValidityInHours: { type: 'integer', minimum: 8, maximum: 8760 },
    },
  };
  paths['/api/atlas/v2/orgs/{orgId}/settings'] ??= {
    get: {
      operationId: 'getOrgSettings',
      parameters: ['envelope', 'orgId', 'pretty'].map((name) => ({ $ref: `#/components/parameters/${name}` })),
      responses: {
        ...ofOrg.responses,
        200: { ...ofOrg.responses['200'], content: { 'application/vnd.atlas.2023-01-01+json': settings } },
      },
      'x-rolesRequirements': ['Organization Member'],
    },
  };
  addNetworkAndArchiveReads(paths, components.schemas);
  // The document only names the token URL; RFC 6749 has the rest.
  const failure = json({ type: 'object', required: ['error'], properties: { error: { type: 'string' } } });
  const failures = { 400: failure, 401: failure, 403: failure, 429: json(errorSchema), 500: failure };
  paths['/api/oauth/token'] = {
    post: {
      operationId: 'mintToken',
      requestBody: form({ grant_type: { enum: ['client_credentials'] } }, ['grant_type']),
      responses: {
        200: json({
          type: 'object',
          required: ['access_token', 'expires_in', 'token_type'],
          properties: {
            access_token: { type: 'string' },
            expires_in: { type: 'integer' },
            token_type: { enum: ['Bearer'] },
          },
        }),
        ...failures,
      },
    },
  };
  paths['/api/oauth/revoke'] = {
    post: {
      operationId: 'revokeToken',
      requestBody: form({ token: { type: 'string' }, token_type_hint: { enum: ['access_token'] } }, ['token']),
      responses: { 200: {}, ...failures },
    },
  };
}

/** Reads whose own pages have them (`operation-` and the id in lower case), and which this copy leaves out. */
function addNetworkAndArchiveReads(paths: Document['paths'], schemas: Record<string, JsonObject>): void {
  const like = paths['/api/atlas/v2/groups/{groupId}/integrations']!['get']!;
  const paged = (item: JsonObject): JsonObject => ({
    type: 'object',
    properties: {
      links: { type: 'array', items: { $ref: '#/components/schemas/Link' } },
      results: { type: 'array', items: item },
      totalCount: { type: 'integer' },
    },
  });
  const read = (operationId: string, schema: JsonObject, extra: readonly Parameter[], isPaged: boolean): Operation => ({
    operationId,
    parameters: [
      ...['envelope', 'groupId', 'pretty', ...(isPaged ? ['includeCount', 'itemsPerPage', 'pageNum'] : [])].map(
        (name) => ({ $ref: `#/components/parameters/${name}` }),
      ),
      ...extra,
    ],
    responses: {
      ...like.responses,
      200: { content: { 'application/vnd.atlas.2023-01-01+json': { schema, 'x-xgen-version': '2023-01-01' } } },
    },
    'x-rolesRequirements': ['Project Read Only'],
  });
  const text: JsonObject = { type: 'string' };
  const inPath = (name: string, schema: JsonObject): Parameter => ({ name, in: 'path', required: true, schema });
  schemas['NetworkPermissionEntry'] ??= {
    type: 'object',
    properties: {
      awsSecurityGroup: text,
      cidrBlock: text,
      comment: text,
      deleteAfterDate: { type: 'string', format: 'date-time' },
      groupId: { type: 'string', pattern: '^([a-f0-9]{24})$' },
      ipAddress: text,
    },
  };
  const names: JsonObject = { type: 'array', items: text };
  schemas['EndpointService'] ??= {
    type: 'object',
    required: ['cloudProvider'],
    properties: {
      cloudProvider: { type: 'string', enum: ['AWS', 'AZURE', 'GCP'] },
      endpointGroupNames: names,
      errorMessage: text,
      id: { type: 'string', pattern: '^([a-f0-9]{24})$' },
      interfaceEndpoints: names,
      privateEndpoints: names,
      regionName: text,
      status: { type: 'string', enum: ['INITIATING', 'WAITING_FOR_USER', 'FAILED', 'DELETING', 'AVAILABLE'] },
    },
  };
  const entries = paged({ $ref: '#/components/schemas/NetworkPermissionEntry' });
  paths['/api/atlas/v2/groups/{groupId}/accessList'] ??= { get: read('listGroupAccessListEntries', entries, [], true) };
  const provider = inPath('cloudProvider', { type: 'string', enum: ['AWS', 'AZURE', 'GCP'] });
  const services: JsonObject = { type: 'array', items: { $ref: '#/components/schemas/EndpointService' } };
  paths['/api/atlas/v2/groups/{groupId}/privateEndpoint/{cloudProvider}/endpointService'] ??= {
    get: read('listGroupPrivateEndpointEndpointService', services, [provider], false),
  };
  const archives = paged({ $ref: '#/components/schemas/BackupOnlineArchive' });
  paths['/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/onlineArchives'] ??= {
    get: read('listGroupClusterOnlineArchives', archives, [inPath('clusterName', text)], true),
  };
}

/** Attributes that recorded answers, or the document's own words, say are null at times. */
const NULLABLE: Readonly<Record<string, readonly string[]>> = {
  AwsNetworkPeeringConnectionSettings: ['accepterRegionName', 'connectionId', 'errorStateName'],
  AzureNetworkPeeringConnectionSettings: ['errorState'],
  GCPNetworkPeeringConnectionSettings: ['errorMessage'],
  AWSCloudProviderContainer: ['vpcId'],
  AzureCloudProviderContainer: ['azureSubscriptionId', 'vnetName'],
  GCPCloudProviderContainer: ['gcpProjectId', 'networkName'],
  CloudProviderAccessAWSIAMRole: ['authorizedDate', 'iamAssumedRoleArn'],
  Webhook: ['bodyTemplate', 'headersTemplate'],
  PartitionFieldView: ['fieldType'],
};

function relax(schemas: Record<string, JsonObject>): void {
  for (const [name, attributes] of Object.entries(NULLABLE)) {
    for (const attribute of attributes) propertyOf(schemas[name]!, attribute)!['nullable'] = true;
  }
  // Recorded in lower case.
  delete propertyOf(schemas['BiConnector']!, 'readPreference')!['enum'];
  // The list is that of a whole replica set; later versions let its regions share them.
  delete propertyOf(schemas['RegionSpec']!, 'electableNodes')!['enum'];
  // The pattern has no room for the prefix that makes a block of an address.
  delete propertyOf(schemas['AwsNetworkPeeringConnectionSettings']!, 'routeTableCidrBlock')!['pattern'];
  // An entry that was never used was recorded with 0.
  propertyOf(schemas['UserAccessListResponse']!, 'count')!['minimum'] = 0;
  // Whoever calls with an API key is named by its public key, which is no address.
  delete propertyOf(schemas['GroupPendingUserResponse']!, 'inviterUsername')!['format'];
  for (const [name, schema] of Object.entries(schemas)) {
    delete propertyOf(schema, 'acknowledgingUsername')?.['format'];
    // Recorded metrics are in units their lists do not have, such as RAW.
    if (/Metric|Threshold/.test(name)) delete propertyOf(schema, 'units')?.['enum'];
  }
}

function propertyOf(schema: JsonObject, name: string): JsonObject | undefined {
  const parts = [schema, ...([schema['allOf'] ?? []].flat() as JsonObject[])];
  return parts.map((part) => (part['properties'] as Record<string, JsonObject> | undefined)?.[name]).find(Boolean);
}

function json(schema: JsonObject): ResponseObject {
  return { content: { 'application/json': { schema } } };
}

function form(properties: JsonObject, required: string[]): NonNullable<Operation['requestBody']> {
  const schema: JsonObject = { type: 'object', properties, required };
  return { required: true, content: { 'application/x-www-form-urlencoded': { schema } } };
}

/** A parent that lists its children, each of which includes the parent, never ends: children get the bare parent. */
export function breakCycles(schemas: Record<string, JsonObject>): void {
  for (const [name, parent] of Object.entries(schemas)) {
    const self = `#/components/schemas/${name}`;
    const children = [parent['oneOf'] ?? []].flat().flatMap((child) => {
      const schema = schemas[lastOf(refOf(child))];
      return schema ? [schema] : [];
    });
    for (const child of children) {
      const parts = [child['allOf'] ?? []].flat();
      if (!parts.some((part) => refOf(part) === self)) continue;
      const { oneOf: _children, discriminator: _discriminator, ...bare } = parent;
      schemas[`${name}-bare`] = bare;
      child['allOf'] = parts.map((part) => (refOf(part) === self ? { $ref: `${self}-bare` } : part));
    }
  }
}

/** OpenAPI 3.0's dialect in JSON Schema's words; references become absolute within the direction's copy. */
export function toJsonSchema(schema: unknown, direction: Direction, document: Document): unknown {
  if (Array.isArray(schema)) return schema.map((part) => toJsonSchema(part, direction, document));
  if (typeof schema !== 'object' || schema === null) return schema;
  const source = schema as JsonObject;
  if (typeof source['$ref'] === 'string') return { $ref: direction + source['$ref'] };
  const { nullable, exclusiveMinimum, required, example: _example, ...rest } = source;
  const target = Object.fromEntries(
    Object.entries(rest).map(([name, part]) => {
      if (name === 'enum' || name === 'default') return [name, part];
      // Below `properties` names are the API's own, and may look like keywords.
      if (name === 'properties') return [name, eachOf(part, (property) => toJsonSchema(property, direction, document))];
      // Branches overlap, and recorded answers match several of them.
      return [name === 'oneOf' ? 'anyOf' : name, toJsonSchema(part, direction, document)];
    }),
  );
  if (exclusiveMinimum === true) target['exclusiveMinimum'] = source['minimum'];
  else if (exclusiveMinimum !== undefined) target['exclusiveMinimum'] = exclusiveMinimum;
  if (Array.isArray(required)) {
    const hidden = direction === 'request' ? 'readOnly' : 'writeOnly';
    const properties = (source['properties'] ?? {}) as Record<string, JsonObject>;
    target['required'] = required.filter((name) => {
      const property = properties[String(name)];
      const resolved = document.components.schemas[lastOf(refOf(property ?? null))] ?? property;
      return resolved?.[hidden] !== true;
    });
  }
  return nullable === true ? { anyOf: [target, { type: 'null' }] } : target;
}

export function refOf(schema: Json): string {
  const ref = typeof schema === 'object' && schema !== null && !Array.isArray(schema) ? schema['$ref'] : undefined;
  return typeof ref === 'string' ? ref : '';
}

export function lastOf(reference: string): string {
  return reference.split('/').at(-1) ?? '';
}

export function eachOf(value: unknown, change: (part: unknown) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, change(part)]));
}

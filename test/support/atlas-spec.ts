import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv, type ValidateFunction } from 'ajv';
import ajvFormats from 'ajv-formats';
import {
  breakCycles,
  complete,
  type Direction,
  type Document,
  eachOf,
  errorSchema,
  type JsonObject,
  lastOf,
  type Operation,
  type Parameter,
  type ResponseObject,
  toJsonSchema,
} from './atlas-spec-document.ts';

/** Where the published document is looked for; it is not part of the repository. */
export const specPath = fileURLToPath(new URL('../../../shared/atlas/openapi.patched.json', import.meta.url));

export interface SpecRequest {
  readonly method: string;
  /** Absolute, or path and query. */
  readonly url: string;
  readonly headers: Headers | Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface SpecResponse {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly contentType: string | null;
  readonly body: string;
}

export interface SpecOperation {
  readonly operationId: string;
  readonly versions: readonly string[];
  readonly roles: readonly string[];
}

/** The published document as a judge of traffic. Violations name places, never values. */
export interface AtlasSpec {
  validateRequest(request: SpecRequest): string[];
  validateResponse(response: SpecResponse): string[];
  operation(method: string, url: string): SpecOperation | undefined;
}

interface Match {
  readonly operation: Operation;
  readonly pathValues: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

/** Reads the document once per call; `undefined` when it is not there. */
export function loadAtlasSpec(): AtlasSpec | undefined {
  if (!existsSync(specPath)) return undefined;
  const document: Document = JSON.parse(readFileSync(specPath, 'utf8'));
  complete(document);
  breakCycles(document.components.schemas);

  const ajv = new Ajv({ strict: false, allErrors: true, logger: false });
  ajvFormats.default(ajv);
  for (const direction of ['request', 'response'] as const) {
    const schemas = eachOf(document.components.schemas, (schema) => toJsonSchema(schema, direction, document));
    ajv.addSchema({ $id: direction, components: { schemas } });
  }
  const compiled = new Map<string, ValidateFunction>();
  const violationsOf = (schema: JsonObject, direction: Direction, value: unknown, where: string): string[] => {
    const key = `${direction} ${JSON.stringify(schema)}`;
    const validate = compiled.get(key) ?? ajv.compile(toJsonSchema(schema, direction, document) as JsonObject);
    compiled.set(key, validate);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(({ instancePath, message, params }) => {
      const extra = params['additionalProperty'];
      return `${where}${instancePath}: ${message}${extra === undefined ? '' : ` (${extra})`}`;
    });
  };

  const templates = Object.keys(document.paths)
    .map((path) => ({ path, pattern: patternOf(path), parameters: path.split('{').length }))
    // A literal segment beats a parameter, and `{name}:verb` beats `{name}`.
    .sort((a, b) => a.parameters - b.parameters || b.path.length - a.path.length);
  const find = (method: string, url: string): Match | undefined => {
    const { pathname, searchParams } = new URL(url, 'https://cloud.mongodb.com');
    for (const { path, pattern } of templates) {
      const match = pattern.exec(pathname);
      const operation = document.paths[path]?.[method.toLowerCase()];
      if (match && operation) return { operation, pathValues: match.groups ?? {}, query: searchParams };
    }
    return undefined;
  };
  const literals = new Set(templates.flatMap(({ path }) => path.split('/')));
  // An unknown path may hold anything: only the words the document knows are repeated.
  const unknownOperation = (method: string, url: string): string => {
    const segments = new URL(url, 'https://cloud.mongodb.com').pathname.split('/');
    return `${method} ${segments.map((segment) => (literals.has(segment) ? segment : '…')).join('/')}: no such operation`;
  };
  const parametersOf = ({ parameters = [] }: Operation): Parameter[] =>
    parameters.map((parameter) =>
      '$ref' in parameter ? document.components.parameters[lastOf(parameter.$ref)]! : parameter,
    );
  const responseOf = ({ responses }: Operation, status: number): ResponseObject | undefined => {
    const response = responses[status];
    return response && '$ref' in response ? document.components.responses[lastOf(response.$ref)] : response;
  };

  return {
    operation(method, url) {
      const operation = find(method, url)?.operation;
      if (!operation) return undefined;
      const media = successes(operation).flatMap((response) => Object.values(response.content ?? {}));
      const versions = new Set(media.flatMap(({ 'x-xgen-version': version }) => version ?? []));
      return {
        operationId: operation.operationId,
        versions: [...versions].sort(),
        roles: operation['x-rolesRequirements'] ?? [],
      };
    },
    validateRequest({ method, url, headers, body = '' }) {
      const match = find(method, url);
      if (!match) return [unknownOperation(method, url)];
      const { operation, pathValues, query } = match;
      const sent = new Headers(headers);
      const parameters = parametersOf(operation);
      const violations: string[] = [];
      for (const { name, in: place, required = false, schema } of parameters) {
        const values = place === 'path' ? [decodeURIComponent(pathValues[name] ?? '')] : query.getAll(name);
        if (required && values.length === 0) violations.push(`${place}/${name}: is required`);
        if (values.length > 0) {
          violations.push(...violationsOf(schema, 'request', fromText(values, schema), `${place}/${name}`));
        }
      }
      for (const name of new Set(query.keys())) {
        if (!parameters.some((parameter) => parameter.in === 'query' && parameter.name === name)) {
          violations.push(`query/${name}: no such parameter`);
        }
      }
      const offered = successes(operation).flatMap(({ content = {} }) => Object.keys(content));
      const accepted = (sent.get('accept') ?? '').split(',').map(essence);
      if (offered.length > 0 && !accepted.some((type) => offered.includes(type))) {
        violations.push('headers/accept: is not offered for a success');
      }
      return [...violations, ...bodyViolations(operation, essence(sent.get('content-type') ?? ''), body)];
    },
    validateResponse({ method, url, status, contentType, body }) {
      const match = find(method, url);
      if (!match) return [unknownOperation(method, url)];
      const response = responseOf(match.operation, status);
      // The document leaves out statuses that Atlas gives for everything (406, 409, 415): an error is still an error.
      if (!response && status < 400) return [`status: ${status} is not a status of ${match.operation.operationId}`];
      const content = response ? (response.content ?? {}) : { 'application/json': { schema: errorSchema } };
      const media = content[essence(contentType ?? '')];
      const hasBody = Object.values(content).some(({ schema }) => schema !== undefined);
      if (!hasBody) return body === '' ? [] : ['body: must be empty'];
      if (!media) return ['headers/content-type: is not a media type of this status'];
      const parsed = parse(body);
      if (parsed === undefined) return ['body: is not JSON'];
      return violationsOf(media.schema ?? {}, 'response', parsed, 'body');
    },
  };

  function successes(operation: Operation): ResponseObject[] {
    const statuses = Object.keys(operation.responses).filter((status) => status.startsWith('2'));
    return statuses.flatMap((status) => responseOf(operation, Number(status)) ?? []);
  }

  function bodyViolations({ requestBody }: Operation, contentType: string, body: string): string[] {
    if (!requestBody) return body === '' ? [] : ['body: must be empty'];
    if (body === '') return requestBody.required ? ['body: is required'] : [];
    const media = requestBody.content[contentType];
    if (!media?.schema) return ['headers/content-type: is not a media type of this operation'];
    const isForm = contentType === 'application/x-www-form-urlencoded';
    const parsed = isForm ? Object.fromEntries(new URLSearchParams(body)) : parse(body);
    if (parsed === undefined) return ['body: is not JSON'];
    return violationsOf(closed(media.schema), 'request', parsed, 'body');
  }

  /** A misspelled attribute passes an open schema, so plain objects are closed at the top. */
  function closed(schema: JsonObject): JsonObject {
    const target = typeof schema['$ref'] === 'string' ? document.components.schemas[lastOf(schema['$ref'])] : schema;
    if (!target?.['properties'] || target['allOf'] || target['oneOf'] || target['anyOf']) return schema;
    return { ...target, additionalProperties: false };
  }
}

function patternOf(template: string): RegExp {
  const literal = (text: string): string => text.replace(/[.*+?^$()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal(template).replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);
}

/** Query and path values are text; the schema says what they stand for. */
function fromText(values: readonly string[], schema: JsonObject): unknown {
  const convert = (text: string, type: unknown): unknown => {
    if ((type === 'integer' || type === 'number') && text.trim() !== '' && !Number.isNaN(Number(text))) {
      return Number(text);
    }
    if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
    return text;
  };
  if (schema['type'] !== 'array') return convert(values.at(-1) ?? '', schema['type']);
  const items = schema['items'];
  const type = typeof items === 'object' && items !== null && !Array.isArray(items) ? items['type'] : undefined;
  return values.map((value) => convert(value, type));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function essence(mediaType: string): string {
  return (mediaType.split(';')[0] ?? '').trim().toLowerCase();
}

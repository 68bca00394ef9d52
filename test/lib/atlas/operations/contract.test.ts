import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Operation } from '../../../../lib/atlas/operations/define.ts';
import { type AtlasSpec, loadAtlasSpec, specPath } from '../../../support/atlas-spec.ts';
import { breakCycles, complete, type Document, eachOf, toJsonSchema } from '../../../support/atlas-spec-document.ts';
import { fakeAtlas } from '../../../support/fake-atlas.ts';
import { byHand, type Declared, folder, operations, shared } from './every-operation.ts';
import { inputSchemaOf, type JsonSchema, lacks, pathsIn, pathsOf, samplesOf, withNulls } from './schema-samples.ts';

const spec = loadAtlasSpec();
const ofV2 = (op: Operation): boolean => /^\/api\/atlas\/v2(\/|$)/.test(op.path);
const older = operations.filter(({ op }) => !ofV2(op));

describe('every operation', () => {
  it.each(operations)('$op.id has the name of its constant, a summary and documentation', ({ op, name, docs }) => {
    expect(name).toBe(op.id);
    expect(op.summary).toMatch(/^[A-Z].*[^.]$/);
    expect(docs).toMatch(/\bRole: /);
    expect(ofV2(op)).toBe(op.version !== undefined);
    if (op.sunset || /deprecated/i.test(op.summary)) expect(docs).toMatch(/deprecat|gone|removed|ended/i);
  });

  it('has an id and an endpoint of its own', () => {
    const ids = operations.map(({ op }) => op.id);
    const endpoints = operations.map(({ op }) => `${op.method} ${op.path}`);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
    expect(endpoints.filter((one, at) => endpoints.indexOf(one) !== at)).toEqual([]);
  });

  it('reads without consequences, and says of everything else what a repeat would do', () => {
    for (const { op, docs } of operations) {
      if (op.method === 'GET') expect({ id: op.id, ...effects(op) }).toEqual({ id: op.id, repeat: 'safe' });
      else if (op.repeat === 'never') expect(docs, op.id).toMatch(/repeat|twice|nowhere else|second|Like create/);
      if (op.method === 'DELETE') expect(op.destructive, op.id).toBe(true);
    }
  });

  function effects({ repeat, destructive }: Operation) {
    return { repeat, ...(destructive && { destructive }) };
  }
});

if (spec) describe('the published document', () => contract(spec));
else {
  it(`is not at ${specPath}: SKIPPED, the operations were not held against the published document`, () => {
    expect(spec).toBeUndefined();
  });
}

interface Recording {
  readonly operationId: string | null;
  readonly name: string;
  readonly status: number;
  readonly body: unknown;
}

/** What tells a thing, a link or a tag from others of its kind, and what holds a list. */
const identity = /^(_id|id|indexID|(client|group|project|role|endpoint|endpointSet)Id|name|rel|href|key|results)$/;

function contract({ validateRequest, operation }: AtlasSpec): void {
  const covered = operations.filter(({ op }) => ofV2(op));
  const document: Document = JSON.parse(readFileSync(specPath, 'utf8'));
  complete(document);
  breakCycles(document.components.schemas);
  const schemas = eachOf(document.components.schemas, (one) => toJsonSchema(one, 'response', document)) as Record<
    string,
    JsonSchema
  >;
  // A link without either half is no link, whatever the document says.
  schemas['Link'] = { ...schemas['Link'], required: ['href', 'rel'] };
  const resolve = (ref: string): JsonSchema => schemas[ref.split('/').at(-1) ?? ''] ?? {};
  const recordings: Recording[] = readIfThere('recorded-responses.json', (text) => JSON.parse(text)) ?? [];
  const facts = readIfThere('facts.md', (text) => text) ?? '';
  const pages = globSync('seeds/v2/*.txt', { cwd: shared }).map((file) => pageOf(path.join(shared, file)));
  const rows = [
    ...facts.matchAll(/^\| (?:seed|fn|extra) \| (\w+) ?(\S*) \| (\w+) \| ([^|]*) \| \d+ \| ([^|]*) \|/gm),
  ].map(([, method = '', place = '', id = '', versions = '']) => ({
    method,
    place,
    id,
    versions: versions.split(', '),
  }));

  /** Every endpoint of the documents the project comes from. */
  const index = readIfThere('seeds/v1.0-network-peering-index.txt', (text) => text) ?? '';
  const camel = (_: string, name: string): string =>
    `{${name.toLowerCase().replaceAll(/-(\w)/g, (__, letter: string) => letter.toUpperCase())}}`;
  const peering = [...index.matchAll(/`(GET|POST|PATCH|DELETE)`\s+\|\s+(\/\S+)/g)].map(
    ([, method, place = '']) => `${method} /api/atlas/v1.0${place.replaceAll(/\{([A-Z-]+)\}/g, camel)}`,
  );
  const seeds = new Set([
    ...pages.map(({ endpoint }) => endpoint),
    ...peering,
    'GET /api/public/v1.0/groups/{groupId}',
  ]);

  it.each(older)('does not have $op.id, which is older than it: SKIPPED, it was not held against it', ({ op }) => {
    expect(op.path).toMatch(/^\/api\/(atlas|public)\/v1\.0\//);
    expect(operation(op.method, urlOf(op))).toBeUndefined();
  });

  it('and the facts have no operation that is missing here', () => {
    expect(rows.length).toBeGreaterThan(80);
    const here = new Map(covered.map(({ op }) => [op.id, op]));
    expect(rows.filter(({ id }) => !here.has(id)).map(({ id }) => id)).toEqual([]);
    expect(rows.filter(({ id, versions }) => here.get(id)?.version !== versions.at(-1))).toEqual([]);
  });

  it('and the seed pages have no endpoint that is missing here', () => {
    expect(pages.length).toBeGreaterThan(20);
    const here = new Set(operations.map(({ op }) => `${op.method} ${op.path}`));
    expect(seeds.size).toBe(pages.length + 13 + 1);
    expect([...seeds].filter((endpoint) => !here.has(endpoint))).toEqual([]);
  });

  it('has no operation that is missing here', () => {
    const here = new Set(covered.map(({ op }) => op.id));
    const there = Object.entries(document.paths)
      .filter(([at]) => at.startsWith('/api/atlas/v2'))
      .flatMap(([, methods]) => Object.values(methods).flatMap(({ operationId }) => operationId ?? []));
    expect(there.filter((id) => !here.has(id))).toEqual([]);
  });

  it('is what the table of operations says', () => {
    const file = path.join(folder, 'README.md');
    const readme = readFileSync(file, 'utf8');
    const updated = readme.replace(/(<!-- operations -->\n)[\s\S]*(<!-- \/operations -->)/, `$1${table()}$2`);
    if (process.env['UPDATE'] === '1') writeFileSync(file, updated);
    else expect(readme, 'UPDATE=1 writes it anew').toBe(updated);
  });

  function table(): string {
    const lines = operations.map(({ op }) => {
      const recorded = answersOf(op).filter(({ from }) => from === 'recorded').length;
      const tests = [
        ofV2(op) ? 'contract, Prism' : 'networking, older APIs',
        ...(recorded > 0 ? [`${recorded} recorded`] : []),
      ];
      const seed = seeds.has(`${op.method} ${op.path}`) ? 'yes' : '';
      const traits = [op.repeat === 'never' && 'not repeated', op.destructive && 'destructive', op.sunset];
      const endpoint = `\`${op.method} ${op.path}\``;
      const cells = [endpoint, op.id, seed, op.version ?? '', traits.filter(Boolean).join(', '), tests.join(', ')];
      return `| ${cells.join(' | ')} |`;
    });
    const head = [
      '| Endpoint | Operation | Seed | Version | Traits | Tests |',
      '| --- | --- | --- | --- | --- | --- |',
    ];
    return [...head, ...lines, ''].join('\n');
  }

  describe.each(covered)('agrees with $op.id', ({ op, docs }: Declared) => {
    it('on its name, newest version, role and end', () => {
      const { operationId, versions, roles } = operation(op.method, urlOf(op)) ?? { versions: [], roles: [] };
      expect({ id: operationId, version: versions.findLast((version) => version !== 'preview') }).toEqual({
        id: op.id,
        version: op.version,
      });
      const said = docs.slice(docs.indexOf('Role: '));
      expect(roles.filter((role) => !said.includes(role))).toEqual([]);
      if (roles.length === 0) expect(said).toContain('whoever is authenticated');
      const declared = document.paths[op.path]?.[op.method.toLowerCase()];
      const { 'x-sunset': end } = { 'x-sunset': undefined, ...mediaOf(op) };
      expect(op.sunset).toBe(end ?? sunsetOf(op));
      if (declared && 'deprecated' in declared) expect(docs).toMatch(/deprecat|gone|removed|ended/i);
    });

    it('on every request', async () => {
      const requests = requestsOf(op);
      const { atlas, pool, grant, calls } = fakeAtlas();
      grant('token');
      const [answer] = samplesOf(inputSchemaOf(op.response)).filter((one) => op.response.safeParse(one).success);
      pool
        .intercept({ method: op.method, path: () => true })
        .reply(200, JSON.stringify(answer))
        .times(requests.length);
      for (const request of requests) await atlas.call(op as never, request as never);
      const sent = calls().filter(({ path: to }) => to !== '/api/oauth/token');
      expect(sent).toHaveLength(requests.length);
      const violations = sent.map(({ method, path: to, headers, body }) =>
        validateRequest({
          method,
          url: to,
          headers: headers as Record<string, string>,
          ...(body ? { body: String(body) } : {}),
        }),
      );
      const mistakes = byHand.documentMistakes[op.id] ?? [];
      const isMistake = (violation: string): boolean => mistakes.includes(violation);
      // Where one branch of a choice fails for a mistake, the others fail for being others.
      const echo = /: must (match a schema in anyOf|have required property|be null)/;
      const real = violations.flatMap((some) =>
        some.filter((violation) => !isMistake(violation) && !(some.some(isMistake) && echo.test(violation))),
      );
      expect([...new Set(real)]).toEqual([]);
      const made = new Set(violations.flat());
      expect(
        mistakes.filter((mistake) => !made.has(mistake)),
        'mistakes it does not make',
      ).toEqual([]);
    });

    it('on every answer', () => {
      for (const { from, body } of answersOf(op)) {
        const { error } = op.response.safeParse(body);
        expect(error?.issues, `${from}: ${JSON.stringify(body)}`).toBeUndefined();
      }
      if (mediaOf(op).schema) expect(answersOf(op).map(({ from }) => from)).toContain('document');
    });

    it('on the names of what it reads', () => {
      const known = new Set(answersOf(op).flatMap(({ body }) => pathsIn(body)));
      for (const one of pathsOf(answerSchemaOf(op), resolve).all) known.add(one);
      const read = [...pathsOf(inputSchemaOf(op.response)).all];
      const extra = byHand.undocumented[op.id] ?? [];
      expect(read.filter((one) => !known.has(one) && !extra.some((name) => one.endsWith(name)))).toEqual([]);
    });

    it('or does not need to, but for what an answer is nothing without', () => {
      expect([...pathsOf(inputSchemaOf(op.response)).required].filter((at) => !mayBeNeeded(op, at))).toEqual([]);
      const refused = new Set<string>();
      for (const { body } of answersOf(op).slice(0, 60)) {
        for (const { at, value } of withNulls(body)) if (!op.response.safeParse(value).success) refused.add(at);
      }
      expect([...refused].filter((at) => !mayBeNeeded(op, at))).toEqual([]);
    });
  });

  /** Whether an answer may be refused for want of this: an identity, or what `samples.ts` says is needed. */
  function mayBeNeeded({ id }: Operation, at: string): boolean {
    const [name = ''] = /[^.[\]]+$/.exec(at) ?? [];
    return identity.test(name) || (byHand.needed[id] ?? []).includes(name);
  }

  function mediaOf(op: Operation): {
    schema?: unknown;
    example?: unknown;
    examples?: Record<string, { value?: unknown }>;
  } {
    const declared = document.paths[op.path]?.[op.method.toLowerCase()];
    const [status] = Object.keys(declared?.responses ?? {}).filter((one) => one.startsWith('2'));
    const response = declared?.responses[status ?? ''];
    const target =
      response && '$ref' in response ? document.components.responses[response.$ref.split('/').at(-1)!] : response;
    return target?.content?.[`application/vnd.atlas.${op.version}+json`] ?? {};
  }

  function sunsetOf(op: Operation): string | undefined {
    // Whole resources that ended have no version left to carry the day.
    return new RegExp(`\\| ${op.id} \\|.*sunset ${op.version}→(\\S+)`).exec(facts)?.[1];
  }

  function answerSchemaOf(op: Operation): JsonSchema {
    return (toJsonSchema(mediaOf(op).schema ?? {}, 'response', document) ?? {}) as JsonSchema;
  }

  /** Every successful answer there is to hold an operation against: recorded, printed, or made from the document. */
  function answersOf(op: Operation): { from: string; body: unknown }[] {
    const { example, examples = {} } = mediaOf(op);
    const printed = pages
      .filter(({ endpoint }) => endpoint === `${op.method} ${op.path}`)
      .flatMap((page) => page.answers);
    const shown = [example, ...Object.values(examples).map(({ value }) => value)].filter(
      (value) => value !== undefined,
    );
    const answer = answerSchemaOf(op);
    const needed = [...pathsOf(inputSchemaOf(op.response)).required].filter((at) => mayBeNeeded(op, at));
    const made = Object.keys(answer).length > 0 ? samplesOf(answer, resolve) : [];
    return [
      ...recordings
        .filter(({ operationId, status }) => operationId === op.id && status >= 200 && status < 300)
        .map(({ body }) => ({ from: 'recorded', body })),
      ...printed.map((body) => ({ from: 'seed page', body })),
      ...shown.map((body) => ({ from: 'example', body })),
      ...made.filter((body) => !needed.some((at) => lacks(body, at))).map((body) => ({ from: 'document', body })),
    ];
  }
}

function readIfThere<T>(file: string, read: (text: string) => T): T | undefined {
  const at = path.join(shared, file);
  return existsSync(at) ? read(readFileSync(at, 'utf8')) : undefined;
}

/** A page of the reference: the endpoint it is about, and the successful answers printed on it. */
function pageOf(file: string): { endpoint: string; answers: unknown[] } {
  const text = readFileSync(file, 'utf8');
  const endpoint = /^(GET|POST|PUT|PATCH|DELETE) \S+$/m.exec(text)?.[0] ?? file;
  const answers = text
    .split(/^Response examples \(/m)
    .slice(1)
    .filter((part) => part.startsWith('2'))
    .flatMap((part) =>
      [...part.matchAll(/^(?:\{[\s\S]*?^\}|\[[\s\S]*?^\]|[{[].*[}\]])$/gm)].map(([json]) => JSON.parse(json, filledIn)),
    );
  return { endpoint, answers };
}

/** Printed answers say "string" for everything that is text, identities and dates among it. */
function filledIn(key: string, value: unknown): unknown {
  if (value !== 'string') return value;
  if (key === 'timestamp') return '2030-01-02T03:04:05Z';
  return /(id|Id|ID)$/.test(key) ? '0123456789abcdef01234567' : value;
}

function paramsOf(op: Operation): Record<string, string> {
  const [params = {}] = samplesOf(inputSchemaOf(op.params)).filter((one) => op.params.safeParse(one).success);
  return params as Record<string, string>;
}

function urlOf(op: Operation): string {
  const params = paramsOf(op);
  return op.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? 'missing'));
}

/** Requests that between them use every attribute that an operation takes. */
function requestsOf(op: Operation) {
  const params = paramsOf(op);
  const parts = (['query', 'body'] as const).map((part) => {
    const schema = op[part];
    if (!schema) return [undefined];
    const said = (byHand.samples[op.id] ?? []).flatMap((sample) => sample[part] ?? []);
    const accepted = [...said, ...samplesOf(inputSchemaOf(schema))].filter((one) => schema.safeParse(one).success);
    const used = new Set(accepted.flatMap((one) => pathsIn(one)));
    const unused = [...pathsOf(inputSchemaOf(schema)).all].filter((one) => !used.has(one));
    expect(unused, `attributes of ${op.id} that no accepted sample uses: say one by hand`).toEqual([]);
    expect(
      said.filter((one) => !accepted.includes(one)),
      `refused samples of ${op.id}`,
    ).toEqual([]);
    return accepted;
  });
  const [queries = [], bodies = []] = parts;
  const count = Math.max(queries.length, bodies.length);
  return Array.from({ length: count }, (_, at) => ({
    params,
    query: queries[at % queries.length],
    body: bodies[at % bodies.length],
  }));
}

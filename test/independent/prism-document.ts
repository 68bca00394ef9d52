import { readFileSync } from 'node:fs';
import { specPath } from '../support/atlas-spec.ts';
import { breakCycles, complete, type Document, type Media } from '../support/atlas-spec-document.ts';

type Content = Record<string, Media>;
type Schemas = Document['components']['schemas'];

/** The published document as Prism can judge by it: repaired, and without what Prism gets wrong or gives up on. */
export function prismDocument(): Document {
  const document: Document = JSON.parse(readFileSync(specPath, 'utf8'));
  complete(document);
  const { schemas } = document.components;
  breakCycles(schemas);
  const named = Object.entries(schemas).map(([name, schema]) => [name, withoutItself(name, schema)]);
  Object.assign(schemas, JSON.parse(JSON.stringify(Object.fromEntries(named)), anyBranch));
  for (const { requestBody, responses } of Object.values(document.paths).flatMap((path) => Object.values(path))) {
    if (requestBody) keepNewest(requestBody.content);
    for (const response of Object.values(responses)) {
      if (!('content' in response) || !response.content) continue;
      keepNewest(response.content);
      // An answer without a body has no media type either, which Prism would miss.
      if (Object.values(response.content).every(({ schema }) => !schema)) Reflect.deleteProperty(response, 'content');
    }
  }
  return document;
}

/** What contains itself Prism can't compile, and then it passes everything without a word. */
function withoutItself(name: string, schema: Schemas[string]): Schemas[string] {
  return JSON.parse(JSON.stringify(schema).replaceAll(`{"$ref":"#/components/schemas/${name}"}`, '{}'));
}

/** Branches overlap: recorded answers match several of them. */
function anyBranch(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('oneOf' in value) || !Array.isArray(value.oneOf)) return value;
  const { oneOf, ...rest } = value;
  return { ...rest, anyOf: oneOf };
}

/**
 * Leaves the newest version, the one the client speaks. Prism takes all media types that end in `+json` for the same
 * one, and would hold every body against the oldest. Aliases of a version go by dates that are not its own.
 */
function keepNewest(content: Content): void {
  const [newest] = Object.keys(content)
    .filter((type) => content[type]?.['x-xgen-version'] === /\d{4}-\d{2}-\d{2}/.exec(type)?.[0])
    .filter((type) => type.startsWith('application/vnd.atlas.'))
    .toSorted()
    .reverse();
  for (const type of Object.keys(content)) if (newest !== undefined && type !== newest) delete content[type];
}

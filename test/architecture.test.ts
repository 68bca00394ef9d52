import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const sources = globSync('{functions,lib,infra}/**/*.ts').toSorted();

/** Everything a file imports, static, dynamic and by type: a path in the tree, or a package. */
const importsOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)].map(([, name = '']) =>
    name.startsWith('.') ? path.join(path.dirname(file), name) : name,
  );

const [area, part] = [(file: string) => file.split(path.sep)[0], (file: string) => file.split(path.sep)[1]];
const isLocal = (name: string): boolean => ['functions', 'lib', 'infra', 'test'].includes(area(name) ?? '');

/** The dependency rule, one sentence each; undefined where an import is fine. */
function broken(from: string, to: string): string | undefined {
  if (isLocal(to)) {
    if (area(to) === 'test') return 'nothing depends on tests';
    if (area(from) === 'lib' && area(to) !== 'lib') return 'lib depends on lib alone';
    if (area(from) === 'functions' && area(to) !== 'lib' && !(area(to) === 'functions' && part(to) === part(from)))
      return 'a function depends on itself and on lib';
    if (from.startsWith('infra/local/') && area(to) === 'functions')
      return 'the local host runs built bundles, not sources';
    if (area(from) === 'infra' && area(to) === 'functions' && path.basename(to) !== 'contract.ts')
      return 'infra takes only the contract of a function';
    if (from.startsWith('lib/tickets/') && to.startsWith('lib/atlas/')) return 'ticket systems know nothing of Atlas';
  }
  if (from.startsWith('lib/atlas/operations/') && !to.startsWith('lib/atlas/operations/') && to !== 'zod')
    return 'operations depend on zod alone';
  return undefined;
}

describe('the dependency rule', () => {
  it('is kept by every import', () => {
    const breaches = sources.flatMap((from) =>
      importsOf(from).flatMap((to) => broken(from, to)?.concat(`: ${from} -> ${to}`) ?? []),
    );
    expect(breaches).toEqual([]);
  });

  it.each([
    ['lib/x.ts', 'functions/a/contract.ts'],
    ['lib/atlas/operations/x.ts', 'lib/errors.ts'],
    ['lib/atlas/operations/x.ts', 'undici'],
    ['lib/tickets/jira.ts', 'lib/atlas/client.ts'],
    ['functions/a/x.ts', 'functions/b/contract.ts'],
    ['functions/a/x.ts', 'infra/settings.ts'],
    ['infra/functions/a.ts', 'functions/a/steps.ts'],
    ['infra/local/x.ts', 'functions/a/contract.ts'],
    ['lib/x.ts', 'test/support/x.ts'],
  ])('would be broken by %s -> %s', (from, to) => {
    expect(broken(from, to)).toBeDefined();
  });
});

describe('the sources', () => {
  /** The code of a file, without what only people read; lines stay where they are. */
  const codeOf = (file: string): string[] =>
    readFileSync(file, 'utf8')
      .replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ''))
      .replaceAll(/'[^'\n]*'|`[^`]*`/g, (text) => text.replaceAll(/[^\n]/g, '_'))
      .split('\n')
      .map((line) => line.replace(/\/\/.*$/, ''));
  const matching = (pattern: RegExp): string[] =>
    sources.flatMap((file) => codeOf(file).flatMap((line, at) => (pattern.test(line) ? [`${file}:${at + 1}`] : [])));

  it('take zod whole and never by name: named, every locale of it comes along', () => {
    const named = sources.filter((file) => /^import (type )?\{[^}]*\} from 'zod'/m.test(readFileSync(file, 'utf8')));
    expect(named).toEqual([]);
  });

  it('assert no types, but for the client’s one boundary', () => {
    const assertions = matching(/^(?!\s*(import|export)\b).*\bas\s+(?!const\b)[A-Za-z{(]/);
    expect(assertions.map((where) => where.replace(/:\d+$/, ''))).toEqual(['lib/atlas/client.ts']);
  });

  it('export what is there, by name', () => {
    expect(matching(/^export (default|\*)/)).toEqual([]);
  });
});

describe('the repository', () => {
  const tracked = execFileSync('git', ['ls-files'], { encoding: 'utf8' })
    .split('\n')
    .filter((file) => file !== '');

  it('says in its lock file what to install and from nowhere in particular', () => {
    expect(readFileSync('package-lock.json', 'utf8')).not.toContain('"resolved"');
  });

  it('holds no built or local file', () => {
    expect(
      tracked.filter((file) =>
        /^(dist|cdk\.out|node_modules|build)\/|^settings\.json$|openapi.*\.json$|recorded-responses/.test(file),
      ),
    ).toEqual([]);
  });
});

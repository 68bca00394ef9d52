import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Metafile } from 'esbuild';
import * as z from 'zod';
import { buildBundles } from './build.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

/** What is written beside the bundles. */
export interface SupplyChain {
  /** CycloneDX 1.6: every package with a file in some bundle, its licence, and the hash the lock file has of it. */
  readonly sbom: string;
  /** An in-toto statement with SLSA's predicate, not signed: which bundles came out of which commit and lock file. */
  readonly provenance: string;
}

/**
 * Builds the bundles, and says what is in them and where they come from, in `sbom.cdx.json` and `provenance.json`. The same
 * sources give the same two files; nothing in them is of this machine. Rejects where the tool finds its own result wrong.
 */
export async function describeBundles(outdir = path.join(ROOT, 'dist')): Promise<SupplyChain> {
  const metafiles: Metafile[] = [];
  await buildBundles({ outdir, onMetafile: (metafile) => metafiles.push(metafile) });
  const sbom = path.join(outdir, 'sbom.cdx.json');
  const provenance = path.join(outdir, 'provenance.json');
  writeFileSync(sbom, await billOf(metafiles));
  writeFileSync(provenance, `${JSON.stringify(await provenanceOf(outdir), undefined, 2)}\n`);
  return { sbom, provenance };
}

/** By the tool of OWASP's own project for esbuild, which validates against CycloneDX's schema. */
async function billOf(metafiles: readonly Metafile[]): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sbom-'));
  try {
    const [metafile, bill] = [path.join(folder, 'metafile.json'), path.join(folder, 'bom.json')];
    writeFileSync(metafile, JSON.stringify(merged(metafiles)));
    const tool = createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-esbuild');
    const script = path.resolve(path.dirname(tool), '../bin/cyclonedx-esbuild-cli.js');
    const flags = ['--build-working-dir', ROOT, '--output-reproducible', '--validate', '--spec-version', '1.6'];
    await promisify(execFile)(process.execPath, [script, metafile, ...flags, '--output-file', bill], { cwd: ROOT });
    return `${JSON.stringify(withHashes(Bill.parse(JSON.parse(readFileSync(bill, 'utf8')))), undefined, 2)}\n`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Of a namespace of the build's own plugins: Node's modules, which are no part of the bundle, and lines of this project. */
const isVirtual = (name: string): boolean => /^[a-z][a-z-]+:/.test(name);

/** One of all bundles. */
function merged(metafiles: readonly Metafile[]): Metafile {
  const inputs: Metafile['inputs'] = {};
  const outputs: Metafile['outputs'] = {};
  const without = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(record).filter(([name]) => !isVirtual(name)));
  for (const metafile of metafiles) {
    for (const [name, input] of Object.entries(without(metafile.inputs)))
      inputs[name] = { ...input, imports: input.imports.filter((each) => !isVirtual(each.path)) };
    for (const [name, output] of Object.entries(metafile.outputs))
      outputs[name] = { ...output, inputs: without(output.inputs) };
  }
  return { inputs, outputs };
}

const Component = z.looseObject({ name: z.string(), group: z.string().optional(), version: z.string().optional() });
const Bill = z.looseObject({ components: z.array(Component) });
const Lock = z.object({
  packages: z.record(z.string(), z.object({ version: z.string().optional(), integrity: z.string().optional() })),
});

/** The hash of the package as the registry served it, which `npm ci` holds it against. */
function withHashes(bill: z.output<typeof Bill>): object {
  const { packages } = Lock.parse(JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')));
  const hashes = new Map(
    Object.entries(packages).flatMap(([place, { version = '', integrity = '' }]) => {
      const name = place.split('node_modules/').at(-1) ?? '';
      const [, base64] = /^sha512-(.+)$/.exec(integrity) ?? [];
      return base64 === undefined ? [] : [[`${name}@${version}`, Buffer.from(base64, 'base64').toString('hex')]];
    }),
  );
  const components = bill.components.map((component) => {
    const { group, name, version } = component;
    const content = hashes.get(`${group === undefined ? '' : `${group}/`}${name}@${version}`);
    return content === undefined ? component : { ...component, hashes: [{ alg: 'SHA-512', content }] };
  });
  return { ...bill, components };
}

const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

/** Sources: https://in-toto.io/Statement/v1 and https://slsa.dev/spec/v1.1/provenance. */
async function provenanceOf(outdir: string): Promise<object> {
  const files = globSync('*/*.{mjs,mjs.map}', { cwd: outdir }).toSorted();
  const { commit, isClean } = await checkout();
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [...files, 'sbom.cdx.json'].map((name) => ({
      name: name.split(path.sep).join('/'),
      digest: { sha256: sha256(path.join(outdir, name)) },
    })),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'urn:atlas-automation:npm-run-sbom:v1',
        externalParameters: { command: 'npm ci && npm run sbom' },
        internalParameters: { node: process.version, sourcesAsCommitted: isClean },
        resolvedDependencies: [
          ...(commit === undefined ? [] : [{ uri: 'git+atlas-automation', digest: { gitCommit: commit } }]),
          { uri: 'package-lock.json', digest: { sha256: sha256(path.join(ROOT, 'package-lock.json')) } },
        ],
      },
      runDetails: { builder: { id: 'urn:atlas-automation:whoever-runs-it' } },
    },
  };
}

/** Outside a checkout of git there is no commit to name. */
async function checkout(): Promise<{ commit?: string; isClean: boolean }> {
  const git = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('git', args, { cwd: ROOT })).stdout.trim();
  try {
    const changed = await git('status', '--porcelain', '--untracked-files=all', '--', 'functions', 'lib', 'infra');
    return { commit: await git('rev-parse', 'HEAD'), isClean: changed === '' };
  } catch {
    return { isClean: false };
  }
}

const isScript = process.argv[1] !== undefined && realpathSync(process.argv[1]) === import.meta.filename;
if (isScript) {
  try {
    const { sbom, provenance } = await describeBundles();
    for (const file of [sbom, provenance]) process.stdout.write(`${path.relative(ROOT, file)}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

/** A package nobody here wrote, installed by itself where it can disturb nothing else. */
export interface NpmPackage extends AsyncDisposable {
  /** Where it is. */
  readonly folder: string;
  /** The script behind its only command; the folder itself where it has none. */
  readonly script: string;
}

/** Installs a package alone in a temporary folder; disposing removes the folder. Fails with a plain message. */
export async function installAlone(name: string, version: string): Promise<NpmPackage> {
  const folder = await mkdtemp(path.join(tmpdir(), 'atlas-judge-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 3 });
  try {
    await writeFile(path.join(folder, 'package.json'), '{ "private": true }');
    const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--loglevel=error'];
    await promisify(execFile)('npm', ['install', '--prefix', folder, ...flags, `${name}@${version}`], {
      cwd: folder,
      shell: process.platform === 'win32',
      timeout: 150_000,
    });
    const installed = path.join(folder, 'node_modules', name);
    const { bin = {} } = JSON.parse(await readFile(path.join(installed, 'package.json'), 'utf8'));
    const [script = ''] = Object.values<string>(bin);
    return { folder: installed, script: path.join(installed, script), [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new Error(`${name}@${version} could not be installed, so nothing was judged: ${said || 'npm took too long'}`);
  }
}

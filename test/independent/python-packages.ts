import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Python with packages nobody here wrote, in a folder of its own. */
export interface Python extends AsyncDisposable {
  /** What a script prints; rejects with what it said where it failed. */
  run(script: string, ...args: readonly string[]): Promise<string>;
}

/** Installs packages (`name==version`) into a virtual environment; disposing removes it. Fails with a plain message. */
export async function pythonWith(...packages: readonly string[]): Promise<Python> {
  const folder = await mkdtemp(path.join(tmpdir(), 'python-judge-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 3 });
  const python = path.join(folder, 'bin', 'python');
  try {
    await run('python3', ['-m', 'venv', folder], { timeout: 60_000 });
    await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages], {
      timeout: 150_000,
    });
  } catch (error) {
    await remove();
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new Error(`${packages.join(', ')} could not be installed, so nothing was judged: ${said || String(error)}`);
  }
  return {
    async run(script, ...args) {
      const { stdout } = await run(python, [script, ...args], { maxBuffer: 64 * 1024 * 1024, timeout: 120_000 });
      return stdout;
    },
    [Symbol.asyncDispose]: remove,
  };
}

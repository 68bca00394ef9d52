import { readFile } from 'node:fs/promises';
import { ConfigError } from '../errors.ts';
import { errorCode } from './error-code.ts';
import { parseJson } from './json.ts';

/**
 * The settings as they were deployed: the file `AUTOMATION_SETTINGS` names (relative to the bundle), the JSON itself
 * where the variable holds it, or `settings.json` beside the bundle. Without the variable and without that file every
 * setting has its default. Unchecked: the caller knows the schema.
 */
export async function readDeployedSettings(named: string | undefined): Promise<unknown> {
  if (named?.trimStart().startsWith('{')) return parse(named, 'AUTOMATION_SETTINGS');
  // Every chunk of a bundle lies in the bundle's own folder, so this is "beside the bundle" wherever it ends up.
  const file = new URL(named ?? 'settings.json', import.meta.url);
  try {
    return parse(await readFile(file, 'utf8'), named ?? 'settings.json');
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    if (named === undefined) return {};
    throw new ConfigError('AUTOMATION_SETTINGS names a file that is not there', [
      { path: 'AUTOMATION_SETTINGS', problem: 'no such file' },
    ]);
  }
}

function parse(text: string, path: string): unknown {
  const settings = parseJson(text);
  if (settings === undefined) throw new ConfigError(`${path} is not JSON`, [{ path, problem: 'is not JSON' }]);
  return settings;
}

import { readFile } from 'node:fs/promises';
import { errorCode } from '../../lib/runtime/error-code.ts';
import type { AuditSettings } from './contract.ts';
import { PolicyInvalid } from './policy/load.ts';

/**
 * The policy as the settings name it: a file beside the bundle, YAML text, or a policy as it is. A text of one line is
 * the name of a file. Throws PolicyInvalid where there is no such file.
 */
export async function policySource({ policy }: Pick<AuditSettings, 'policy'>): Promise<unknown> {
  if (typeof policy !== 'string' || policy.includes('\n')) return policy;
  try {
    return await readFile(new URL(policy, import.meta.url), 'utf8');
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    throw new PolicyInvalid([{ path: 'audit.policy', line: null, problem: 'names a file that is not there' }]);
  }
}

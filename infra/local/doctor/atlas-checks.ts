import * as z from 'zod';
import { createAtlasClient } from '../../../lib/atlas/client.ts';
import { listOrgs } from '../../../lib/atlas/operations/organizations.ts';
import { getOrgServiceAccount } from '../../../lib/atlas/operations/service-accounts.ts';
import { getSystemStatus } from '../../../lib/atlas/operations/system.ts';
import { AutomationError, ConfigError } from '../../../lib/errors.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { type Deadline, deadlineIn } from '../../../lib/runtime/deadline.ts';
import { parseJson } from '../../../lib/runtime/json.ts';
import type { Settings } from '../../settings.ts';
import { accessFrom } from '../atlas-cli/credentials.ts';
import { safe } from '../terminal/text.ts';
import type { Finding } from './finding.ts';
import { NEEDS, type Need } from './needs.ts';
import type { SecretReader } from './secret-checks.ts';

const LONGEST_MS = 30_000;
const VARIABLES = /^MONGODB_ATLAS_(CLIENT_ID|PUBLIC_API_KEY)$|^ATLAS_CREDENTIALS_SECRET$/;

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Whether Atlas takes the credentials in the environment, and what their account may do. A token that is minted for it is
 * given back. Only reads.
 */
export async function checkAtlas(variables: Readonly<Record<string, string | undefined>>): Promise<Finding[]> {
  if (!Object.entries(variables).some(([name, value]) => VARIABLES.test(name) && value)) {
    const text = 'no credentials for Atlas in the environment: only the sandbox can be used';
    const fix = 'set MONGODB_ATLAS_CLIENT_ID and MONGODB_ATLAS_CLIENT_SECRET to try an account';
    return [{ area: 'credentials', verdict: 'note', text, fix }];
  }
  const deadline = deadlineIn(LONGEST_MS, systemClock);
  try {
    const { origin, credentials } = accessFrom(variables);
    const known = await credentials(deadline);
    const atlas = createAtlasClient({ origin, credentials: async () => known });
    try {
      await atlas.call(getSystemStatus, { params: {} }, deadline);
      const taken: Finding = { area: 'credentials', verdict: 'ok', text: `${origin} takes the credentials` };
      return [taken, ...(await rolesOf(atlas, 'clientId' in known ? known.clientId : undefined, deadline))];
    } finally {
      await atlas.tokens.revoke(deadlineIn(3_000, systemClock));
    }
  } catch (error) {
    return [refusal(error, 'the environment')];
  }
}

/**
 * The same of each account the settings name, as the functions will use it: its secret is read, a token is minted with it
 * and given back, and its roles are held against what its functions need. A secret that can't be read is told elsewhere.
 */
export async function checkAccounts(
  { atlas: { baseUrl, credentials } }: Pick<Settings, 'atlas'>,
  manager: Pick<SecretReader, 'read'>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const need of NEEDS) {
    const named = credentials[need.account];
    if (!named) continue;
    const deadline = deadlineIn(LONGEST_MS, systemClock);
    const text = await manager.read(named.secret, { stage: 'AWSCURRENT' }, deadline).catch(() => undefined);
    const value = Value.safeParse(parseJson(text ?? '')).data;
    if (!value) continue;
    const atlas = createAtlasClient({ origin: baseUrl, credentials: async () => value });
    try {
      await atlas.call(getSystemStatus, { params: {} }, deadline);
      const clientId = 'clientId' in value ? value.clientId : undefined;
      const roles = await rolesOf(atlas, clientId, deadline, [need]);
      findings.push(
        { area: 'credentials', verdict: 'ok', text: `Atlas takes atlas.credentials.${need.account}` },
        ...roles,
      );
    } catch (error) {
      findings.push(refusal(error, `atlas.credentials.${need.account}`));
    } finally {
      await atlas.tokens.revoke(deadlineIn(3_000, systemClock));
    }
  }
  return findings;
}

const Value = z.union([
  z.object({ clientId: z.string(), clientSecret: z.string() }),
  z.object({ publicKey: z.string(), privateKey: z.string() }),
]);

/** Whether they are wrong or Atlas was out of reach are two things to do. */
function refusal(error: unknown, whose: string): Finding {
  const isRefused =
    error instanceof ConfigError || (error instanceof AutomationError && error.disposition === 'give-up');
  const text = `${whose}: ${safe(said(error))}`;
  return isRefused
    ? {
        area: 'credentials',
        verdict: 'fix',
        text,
        fix:
          whose === 'the environment'
            ? 'check the variables MONGODB_ATLAS_…, and the account’s access list'
            : 'check the value of its secret, and the account’s access list',
      }
    : {
        area: 'credentials',
        verdict: 'unknown',
        text,
        fix: `try again; check ${whose === 'the environment' ? 'MONGODB_ATLAS_BASE_URL' : 'atlas.baseUrl'} and the network`,
      };
}

async function rolesOf(
  atlas: ReturnType<typeof createAtlasClient>,
  clientId: string | undefined,
  deadline: Deadline,
  needs: readonly Need[] = NEEDS,
): Promise<Finding[]> {
  if (clientId === undefined)
    return [{ area: 'roles', verdict: 'note', text: 'these are API keys: their roles are not looked at' }];
  const findings: Finding[] = [];
  const { results } = await atlas.call(listOrgs, { params: {} }, deadline);
  for (const org of results) {
    try {
      const params = { orgId: org.id, clientId };
      const { roles } = await atlas.call(getOrgServiceAccount, { params }, deadline);
      findings.push(...judged(org.name, roles ?? [], needs));
    } catch (error) {
      if (!(error instanceof AutomationError)) throw error;
      const text = `the account may not read its own roles in ${safe(JSON.stringify(org.name), 120)}: it is no Organization Read Only there`;
      findings.push({ area: 'roles', verdict: 'note', text });
    }
  }
  if (results.length === 0)
    findings.push({
      area: 'roles',
      verdict: 'fix',
      text: 'the account belongs to no organization',
      fix: 'give it a role in one',
    });
  return findings;
}

/** What an account with these roles in an organization may be used for. */
export function judged(organization: string, roles: readonly string[], needs: readonly Need[] = NEEDS): Finding[] {
  const holds = roles.length === 0 ? 'no role' : roles.join(', ');
  // A name may hold anything: it stays in its line, and moves no cursor.
  const name = safe(JSON.stringify(organization), 120);
  const head: Finding = { area: 'roles', verdict: 'ok', text: `in ${name}: ${safe(holds)}` };
  return [
    head,
    ...needs.map(({ account, functions, organization: enough, project, purpose }): Finding => {
      const isEnough = roles.some((role) => enough.includes(role));
      const needed = [...enough, ...(project === undefined ? [] : [`${project} in each project`])].join(' or ');
      return isEnough
        ? { area: 'roles', verdict: 'ok', text: `as ${account}: may ${purpose}` }
        : {
            area: 'roles',
            verdict: 'note',
            text: `as ${account}: not enough in the organization to ${purpose} (${functions.join(', ')})`,
            fix: `for that it needs ${needed}`,
          };
    }),
  ];
}

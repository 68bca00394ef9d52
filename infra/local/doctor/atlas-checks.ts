import { createAtlasClient } from '../../../lib/atlas/client.ts';
import { listOrgs } from '../../../lib/atlas/operations/organizations.ts';
import { getOrgServiceAccount } from '../../../lib/atlas/operations/service-accounts.ts';
import { getSystemStatus } from '../../../lib/atlas/operations/system.ts';
import { AutomationError, ConfigError } from '../../../lib/errors.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { type Deadline, deadlineIn } from '../../../lib/runtime/deadline.ts';
import { accessFrom } from '../atlas-cli/credentials.ts';
import type { Finding } from './finding.ts';
import { NEEDS } from './needs.ts';

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
    // Whether they are wrong or Atlas was out of reach are two things to do.
    const isRefused =
      error instanceof ConfigError || (error instanceof AutomationError && error.disposition === 'give-up');
    return [
      isRefused
        ? {
            area: 'credentials',
            verdict: 'fix',
            text: said(error),
            fix: 'check the variables MONGODB_ATLAS_…, and the account’s access list',
          }
        : {
            area: 'credentials',
            verdict: 'unknown',
            text: said(error),
            fix: 'try again; check MONGODB_ATLAS_BASE_URL and the network',
          },
    ];
  }
}

async function rolesOf(
  atlas: ReturnType<typeof createAtlasClient>,
  clientId: string | undefined,
  deadline: Deadline,
): Promise<Finding[]> {
  if (clientId === undefined)
    return [{ area: 'roles', verdict: 'note', text: 'these are API keys: their roles are not looked at' }];
  const findings: Finding[] = [];
  const { results } = await atlas.call(listOrgs, { params: {} }, deadline);
  for (const org of results) {
    try {
      const params = { orgId: org.id, clientId };
      const { roles } = await atlas.call(getOrgServiceAccount, { params }, deadline);
      findings.push(...judged(org.name, roles ?? []));
    } catch (error) {
      if (!(error instanceof AutomationError)) throw error;
      const text = `the account may not read its own roles in ${JSON.stringify(org.name)}: it is no Organization Read Only there`;
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
export function judged(organization: string, roles: readonly string[]): Finding[] {
  const holds = roles.length === 0 ? 'no role' : roles.join(', ');
  // A name may hold anything; as JSON it stays in its line.
  const head: Finding = { area: 'roles', verdict: 'ok', text: `in ${JSON.stringify(organization)}: ${holds}` };
  return [
    head,
    ...NEEDS.map(({ account, functions, organization: enough, project, purpose }): Finding => {
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

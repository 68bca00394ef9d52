import {
  type AtlasSandbox,
  createAtlasSandbox,
  type SandboxOptions,
} from '../../../../infra/local/atlas-sandbox/sandbox.ts';
import type { ServiceAccount } from '../../../../infra/local/atlas-sandbox/world.ts';

export const ORIGIN = 'https://atlas.test';
export const V2 = `${ORIGIN}/api/atlas/v2`;
export const VERSIONED = 'application/vnd.atlas.2024-08-05+json';
export const DAY_MS = 86_400_000;

export function basic(clientId: string, secret: string): string {
  return `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`;
}

export function tokenRequest(authorization: string, body = 'grant_type=client_credentials', path = 'token'): Request {
  return new Request(`${ORIGIN}/api/oauth/${path}`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body,
  });
}

export interface Calls {
  readonly token: string;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
}

/** Speaks for an account, with a token minted from its first secret (or from one placed for the purpose). */
export async function signIn(sandbox: AtlasSandbox, account: ServiceAccount): Promise<Calls> {
  const secret = account.secrets[0] ?? sandbox.world.addSecret(account);
  const response = await sandbox.fetch(tokenRequest(basic(account.clientId, secret.value)));
  const { access_token: token } = await read(response);
  return withToken(sandbox, token);
}

export function withToken(sandbox: AtlasSandbox, token: string): Calls {
  const send: Calls['send'] = (method, path, body, headers = {}) =>
    sandbox.fetch(
      new Request(V2 + path, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          accept: VERSIONED,
          ...(body !== undefined && { 'content-type': VERSIONED }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    );
  return { token, send, get: (path, headers) => send('GET', path, undefined, headers) };
}

/** A body whose shape the test is about to check. */
export async function read(response: Response) {
  return JSON.parse(await response.text());
}

/** One organization with one project, its owner, and an account of each level that holds no secret yet. */
export function createScene(options: SandboxOptions = {}) {
  const sandbox = createAtlasSandbox(options);
  const { world } = sandbox;
  const org = world.addOrg({ name: 'Acme' });
  const project = world.addProject(org, { name: 'shop' });
  const owner = world.addOrgAccount(org, { name: 'owner', roles: ['ORG_OWNER'] });
  const orgAccount = world.addOrgAccount(org, { name: 'reporter', roles: ['ORG_READ_ONLY'] });
  const projectAccount = world.addProjectAccount(project, { name: 'worker', roles: ['GROUP_OWNER'] });
  const accountPath = (account: ServiceAccount): string => `/orgs/${org.id}/serviceAccounts/${account.clientId}`;
  const groupPath = (account: ServiceAccount): string => `/groups/${project.id}/serviceAccounts/${account.clientId}`;
  return { sandbox, world, org, project, owner, orgAccount, projectAccount, accountPath, groupPath };
}

export async function failure(response: Response): Promise<{ status: number; errorCode: string }> {
  const { errorCode } = await read(response);
  return { status: response.status, errorCode };
}

import type { AtlasSandbox } from '../../infra/local/atlas-sandbox/sandbox.ts';
import { type Loopback, serveOnLoopback } from '../../infra/local/loopback.ts';
import { loadAtlasSpec, specPath } from './atlas-spec.ts';

/** The sandbox on loopback, with every request and every answer held against the published document. */
export interface JudgedAtlas extends Loopback {
  /** What the document does not allow, by place; empty in a good world. */
  readonly violations: readonly string[];
  /** How many exchanges were looked at. */
  readonly judged: number;
}

const spec = loadAtlasSpec();

/** Why nothing is held against the document on this machine, or undefined where it is. */
export const notJudged = spec
  ? undefined
  : `${specPath} is not there: requests and answers were NOT held against the published document`;

export async function judgeAtlas(sandbox: AtlasSandbox): Promise<JudgedAtlas> {
  const violations: string[] = [];
  let judged = 0;
  const server = await serveOnLoopback(async (request, drop) => {
    const { method, url, headers } = request;
    const body = await request.clone().text();
    const response = await sandbox.fetch(request, drop);
    if (spec) {
      judged++;
      const contentType = response.headers.get('content-type');
      const found = [
        ...spec.validateRequest({ method, url, headers, body }),
        ...spec.validateResponse({
          method,
          url,
          status: response.status,
          contentType,
          body: await response.clone().text(),
        }),
      ];
      violations.push(
        ...found.map((violation) => `${method} ${new URL(url).pathname} ${response.status}: ${violation}`),
      );
    }
    return response;
  });
  return {
    origin: server.origin,
    violations,
    get judged() {
      return judged;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

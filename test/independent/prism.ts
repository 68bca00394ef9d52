import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Loopback, serveOnLoopback } from '../../infra/local/loopback.ts';
import { startChild } from './child.ts';
import type { NpmPackage } from './npm-package.ts';
import { prismDocument } from './prism-document.ts';

/** What Prism said of one exchange. Violations name places and broken rules, never values. */
export interface Verdict {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly ofRequest: readonly string[];
  readonly ofResponse: readonly string[];
}

export interface Prism extends Loopback {
  /** Of everything that went through it, in order. */
  readonly verdicts: readonly Verdict[];
}

interface PrismOptions {
  /** Prism passes requests on to this origin; without it, it makes up the answers itself. */
  readonly upstream?: string;
  /** Answers the token endpoints, which the document does not have. */
  readonly tokens: (request: Request) => Promise<Response>;
}

/** Prism with the published document, and in front of it what keeps its verdicts. */
export async function startPrism(prism: NpmPackage, { upstream, tokens }: PrismOptions): Promise<Prism> {
  const document = path.join(path.dirname(prism.script), `${upstream ? 'proxy' : 'mock'}-document.json`);
  await writeFile(document, JSON.stringify(prismDocument()));
  // A proxy that turned violations into errors would hide the answer, and with it everything that comes after.
  const mode = upstream === undefined ? ['mock', '--errors', document] : ['proxy', document, upstream];
  const child = startChild(prism.script, [...mode, '-p', '0'], { deaf: true });
  const { promise: listening, resolve, reject } = Promise.withResolvers<string>();
  child.process.stdout.on('data', () => {
    const origin = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(child.printed())?.[1];
    if (origin) resolve(origin);
  });
  child.process.once('exit', () => reject(new Error(`Prism ended: ${child.printed()}`)));
  const impatient = setTimeout(() => reject(new Error(`Prism does not listen: ${child.printed()}`)), 60_000);
  const origin = await listening
    .catch(async (error) => {
      await child[Symbol.asyncDispose]();
      throw error;
    })
    .finally(() => clearTimeout(impatient));
  const verdicts: Verdict[] = [];
  const front = await serveOnLoopback(async (request) => {
    const { method } = request;
    const { pathname, search } = new URL(request.url);
    if (pathname.startsWith('/api/oauth/')) return tokens(request);
    const headers = new Headers(request.headers);
    for (const name of ['host', 'connection', 'content-length', 'transfer-encoding']) headers.delete(name);
    const body = await request.text();
    const answer = await fetch(origin + pathname + search, { method, headers, ...(body && { body }) });
    const text = await answer.text();
    const violations = violationsOf(answer, text);
    verdicts.push({
      method,
      path: pathname,
      status: answer.status,
      ofRequest: violations.filter((violation) => !violation.startsWith('response')),
      ofResponse: violations.filter((violation) => violation.startsWith('response')),
    });
    const contentType = answer.headers.get('content-type');
    return new Response(answer.status === 204 ? null : text, {
      status: answer.status,
      headers: contentType === null ? {} : { 'content-type': contentType },
    });
  });
  return {
    origin: front.origin,
    verdicts,
    async [Symbol.asyncDispose]() {
      await front[Symbol.asyncDispose]();
      await child[Symbol.asyncDispose]();
    },
  };
}

const ERROR = /"type":"https:\/\/stoplight\.io\/prism\/errors#(\w+)"/;
const VIOLATION = /"location":\[([^\]]*)\],"severity":"Error"(?:,"code":"?([^",]*)"?)?,"message":"((?:[^"\\]|\\.)*)/g;

/** Read with patterns because Prism cuts off a list that is too long for a header. */
function violationsOf(answer: Response, text: string): string[] {
  const listed = `${answer.headers.get('sl-violations') ?? ''}${text.startsWith('{"type":"https://stoplight') ? text : ''}`;
  const found = [...listed.matchAll(VIOLATION)].map(
    ([, location = '', rule, message]) => `${location.replaceAll('"', '').replaceAll(',', '/')}: ${rule ?? message}`,
  );
  const error = ERROR.exec(text)?.[1];
  return [...new Set(found.length === 0 && error !== undefined ? [error] : found)];
}

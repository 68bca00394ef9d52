import { once } from '../../../lib/runtime/once.ts';
import { type Durable, forgetful } from '../durable/durable.ts';
import type { Refusal } from '../faults.ts';

/** S3 in this process: one request of an SDK, by path, with what it is called. */
export interface S3 {
  /** S3 has no target header: the operation follows from the method, the path and the query. */
  operationOf(request: Request): string;
  answer(request: Request, body: Uint8Array): Promise<Response>;
  refuse(refusal: Refusal): Response;
}

/** An object as it was put. */
interface KeptObject {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * Buckets by fauxqs, loaded at the first call; `buckets` are there from then on. What `durable` keeps are objects that were
 * put as a whole; after a restart they are as new as the restart is.
 */
export function createS3({
  buckets = [],
  durable = forgetful,
}: {
  readonly buckets?: readonly string[];
  readonly durable?: Durable | undefined;
} = {}): S3 {
  const shelf = durable.shelf<KeptObject>('objects');
  const start = once(async () => {
    const { buildApp } = await import('fauxqs');
    const app = buildApp({ logger: false });
    for (const bucket of buckets) await app.inject({ method: 'PUT', url: `/${bucket}` });
    for (const [url, { headers, body }] of shelf.kept())
      await app.inject({ method: 'PUT', url, headers, payload: Buffer.from(body) });
    return app;
  });
  return {
    operationOf({ method, url }) {
      const { pathname, searchParams } = new URL(url);
      const isObject = pathname.split('/').filter(Boolean).length > 1;
      if (!isObject) return searchParams.has('list-type') ? 'ListObjectsV2' : `${BUCKET[method] ?? method}Bucket`;
      return `${OBJECT[method] ?? method}Object`;
    },

    async answer({ method, url, headers }, body) {
      const app = await start();
      const { pathname, search } = new URL(url);
      if (!headers.has('authorization')) return xml(403, 'AccessDenied', 'Access Denied');
      const verb = METHODS.find((known) => known === method);
      if (!verb) return xml(405, 'MethodNotAllowed', 'The specified method is not allowed against this resource.');
      // Its own host: a bucket's name may stand in the name of a host.
      const asked = { ...Object.fromEntries(headers), host: '127.0.0.1' };
      const answered = await app.inject({
        method: verb,
        url: `${pathname}${search}`,
        headers: asked,
        payload: Buffer.from(body),
      });
      const isObject = pathname.split('/').filter(Boolean).length > 1;
      if (isObject && answered.statusCode < 300) {
        if (method === 'PUT') shelf.put(pathname, { headers: asked, body });
        if (method === 'DELETE') shelf.remove(pathname);
      }
      const given = new Headers();
      for (const [name, value] of Object.entries(answered.headers))
        if (value !== undefined && name !== 'transfer-encoding') given.set(name, String(value));
      const bodiless = method === 'HEAD' || answered.statusCode === 204 || answered.statusCode === 304;
      return new Response(bodiless ? null : new Uint8Array(answered.rawPayload), {
        status: answered.statusCode,
        headers: given,
      });
    },

    refuse: ({ status }) =>
      status === 503 || status === 429
        ? xml(503, 'SlowDown', 'Please reduce your request rate.')
        : status < 500
          ? xml(403, 'AccessDenied', 'Access Denied')
          : xml(status, 'InternalError', 'We encountered an internal error. Please try again.'),
  };
}

const METHODS = ['GET', 'PUT', 'HEAD', 'DELETE', 'POST'] as const;
const BUCKET: Readonly<Record<string, string>> = { PUT: 'Create', HEAD: 'Head', DELETE: 'Delete', GET: 'List' };
const OBJECT: Readonly<Record<string, string>> = { PUT: 'Put', GET: 'Get', HEAD: 'Head', DELETE: 'Delete' };

const xml = (status: number, code: string, message: string): Response =>
  new Response(
    `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
    {
      status,
      headers: { 'content-type': 'application/xml' },
    },
  );

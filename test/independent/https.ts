import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { serve } from '@hono/node-server';
import type { Loopback } from '../../infra/local/loopback.ts';

/** A loopback service that speaks TLS, with a certificate made for it alone. */
export interface SecureLoopback extends Loopback {
  /** The file with the certificate, for whoever is to trust it. */
  readonly certificate: string;
}

/** Serves `handle` at `https://127.0.0.1:<port>`; disposing ends that and removes the certificate and its key. */
export async function serveOverTls(handle: (request: Request) => Promise<Response>): Promise<SecureLoopback> {
  const folder = await mkdtemp(path.join(tmpdir(), 'atlas-judge-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const certificate = path.join(folder, 'certificate.pem');
    const key = path.join(folder, 'key.pem');
    const kind = ['-newkey', 'rsa:2048', '-noenc', '-days', '2'];
    const name = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    await promisify(execFile)('openssl', ['req', '-x509', ...kind, ...name, '-keyout', key, '-out', certificate]);
    const serverOptions = { key: await readFile(key), cert: await readFile(certificate) };
    const { promise: listening, resolve, reject } = Promise.withResolvers<AddressInfo>();
    const server = serve({ fetch: handle, createServer, serverOptions, hostname: '127.0.0.1', port: 0 }, resolve);
    server.once('error', reject);
    const { port } = await listening;
    return {
      origin: `https://127.0.0.1:${port}`,
      certificate,
      async [Symbol.asyncDispose]() {
        const closed = Promise.withResolvers<void>();
        server.close(() => closed.resolve());
        if ('closeAllConnections' in server) server.closeAllConnections();
        await closed.promise;
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw new Error('a certificate for 127.0.0.1 could not be made or used; openssl has to be there', { cause: error });
  }
}

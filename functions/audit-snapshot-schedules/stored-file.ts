import { createHash, randomUUID } from 'node:crypto';
import { appendFile, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Reports } from '../../lib/aws/reports.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import type { OutputFile } from './report.ts';

/** Beyond this a file waits on the disk until it is whole: the report of a large organization is larger than the memory. */
const IN_MEMORY_BYTES = 16 * 2 ** 20;

export interface StoredFile {
  readonly key: string;
  readonly name: string;
  readonly contentType: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Stores a file that is written piece by piece, and answers its hash. Safe to repeat. */
export async function storeFile(
  reports: Reports,
  folder: string,
  { name, contentType, body }: OutputFile,
  deadline: Deadline,
): Promise<StoredFile> {
  const key = `${folder}/${name}`;
  const hash = createHash('sha256');
  const spool = path.join(tmpdir(), `atlas-automation-${randomUUID()}`);
  let pieces: Buffer[] = [];
  let held = 0;
  let bytes = 0;
  let isSpooled = false;
  const spill = async (): Promise<void> => {
    await appendFile(spool, Buffer.concat(pieces));
    [pieces, held, isSpooled] = [[], 0, true];
  };
  try {
    for await (const text of body()) {
      const piece = Buffer.from(text);
      hash.update(piece);
      pieces.push(piece);
      held += piece.byteLength;
      bytes += piece.byteLength;
      if (held > IN_MEMORY_BYTES) await spill();
    }
    if (isSpooled) await spill();
    await reports.put(key, isSpooled ? await readFile(spool) : Buffer.concat(pieces), contentType, deadline);
  } finally {
    await rm(spool, { force: true });
  }
  return { key, name, contentType, bytes, sha256: hash.digest('hex') };
}

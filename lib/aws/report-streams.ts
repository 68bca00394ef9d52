import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createGzip, type Gzip } from 'node:zlib';
import type { CompletedPart, S3Client } from '@aws-sdk/client-s3';
import type { Deadline } from '../runtime/deadline.ts';
import { once as onlyOnce } from '../runtime/once.ts';
import { AwsCallFailed } from './errors.ts';

/** A file that was stored: under which name, how long it is there, and the hash of its bytes in hexadecimal. */
export interface StoredStream {
  /** With `.gz` behind the name that was asked for where the file was compressed. */
  readonly key: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Reports that are written while they are made, and never in one piece in memory. */
export interface ReportStreams {
  /**
   * Stores a file, over the one of that name if there is one. Nobody sees it before it is whole: what breaks off is
   * taken back. Safe to repeat. Throws AwsCallFailed once the SDK's own retries are spent, and what the body throws.
   * Where asked to, a file that outgrows one piece (8 MB) is compressed, and its name ends in `.gz`.
   */
  put(
    key: string,
    body: AsyncIterable<string>,
    contentType: string,
    deadline: Deadline,
    options?: { readonly compressLarge?: boolean },
  ): Promise<StoredStream>;
}

/** S3 takes parts of 5 MB and more; as large as that a file goes in one piece. */
const PART_BYTES = 8 * 2 ** 20;

/** Nearly as small as it gets for what repeats itself like findings, and several times as fast. */
const COMPRESSION = 3;

/** What was not answered in half a minute is tried again. */
const patience = { connectionTimeout: 3_000, requestTimeout: 30_000, throwOnRequestTimeout: true };

export function createReportStreams(bucket: string, given?: S3Client): ReportStreams {
  const connect = onlyOnce(async () => {
    const { s3 } = await import('./s3.ts');
    const forcePathStyle = [process.env['AWS_ENDPOINT_URL_S3'], process.env['AWS_ENDPOINT_URL']].some(Boolean);
    return { s3, client: given ?? new s3.S3Client({ requestHandler: patience, forcePathStyle }) };
  });

  return {
    async put(name, body, contentType, deadline, { compressLarge = false } = {}) {
      const { s3, client } = await connect();
      const within = { abortSignal: deadline.signal };
      const hash = createHash('sha256');
      const parts: CompletedPart[] = [];
      let [key, type] = [name, contentType];
      let pieces: Buffer[] = [];
      let [held, bytes] = [0, 0];
      let UploadId: string | undefined;
      let gzip: Gzip | undefined;
      const failed = (operation: string) => (cause: unknown) => {
        throw new AwsCallFailed('s3', operation, cause, { bucket, key });
      };
      const where = () => ({ Bucket: bucket, Key: key });

      const take = (piece: Buffer): void => {
        pieces.push(piece);
        held += piece.byteLength;
      };
      const handOver = (): Buffer => {
        const whole = Buffer.concat(pieces);
        [pieces, held, bytes] = [[], 0, bytes + whole.byteLength];
        hash.update(whole);
        return whole;
      };
      const send = async (): Promise<void> => {
        const Body = handOver();
        UploadId ??= (
          await client
            .send(new s3.CreateMultipartUploadCommand({ ...where(), ContentType: type }), within)
            .catch(failed('CreateMultipartUpload'))
        ).UploadId;
        const PartNumber = parts.length + 1;
        const answer = await client
          .send(new s3.UploadPartCommand({ ...where(), UploadId, PartNumber, Body }), within)
          .catch(failed('UploadPart'));
        const { ETag, ChecksumCRC32 } = answer;
        parts.push({ PartNumber, ETag, ...(ChecksumCRC32 !== undefined && { ChecksumCRC32 }) });
      };
      /** From now on, what comes and what is held already. */
      const compress = async (): Promise<void> => {
        [key, type] = [`${name}.gz`, 'application/gzip'];
        gzip = createGzip({ level: COMPRESSION });
        const before = Buffer.concat(pieces);
        [pieces, held] = [[], 0];
        gzip.on('data', take);
        await written(gzip, before);
      };

      try {
        for await (const text of body) {
          if (gzip) await written(gzip, text);
          else take(Buffer.from(text));
          if (held < PART_BYTES) continue;
          if (compressLarge && !gzip) await compress();
          else await send();
        }
        if (gzip) await ended(gzip);
        if (parts.length === 0) {
          const Body = handOver();
          await client
            .send(new s3.PutObjectCommand({ ...where(), Body, ContentType: type }), within)
            .catch(failed('PutObject'));
        } else {
          if (held > 0) await send();
          await client
            .send(
              new s3.CompleteMultipartUploadCommand({ ...where(), UploadId, MultipartUpload: { Parts: parts } }),
              within,
            )
            .catch(failed('CompleteMultipartUpload'));
        }
      } catch (error) {
        gzip?.destroy();
        // Best effort: the bucket's lifecycle rule ends what is left.
        if (UploadId !== undefined)
          await client.send(new s3.AbortMultipartUploadCommand({ ...where(), UploadId })).catch(() => {});
        throw error;
      }
      return { key, bytes, sha256: hash.digest('hex') };
    },
  };
}

/** Resolves when there is room for more. */
async function written(gzip: Gzip, chunk: Buffer | string): Promise<void> {
  if (!gzip.write(chunk)) await once(gzip, 'drain');
}

async function ended(gzip: Gzip): Promise<void> {
  const end = once(gzip, 'end');
  gzip.end();
  await end;
}

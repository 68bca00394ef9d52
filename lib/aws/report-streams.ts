import { createHash } from 'node:crypto';
import type { CompletedPart, S3Client } from '@aws-sdk/client-s3';
import type { Deadline } from '../runtime/deadline.ts';
import { once } from '../runtime/once.ts';
import { AwsCallFailed } from './errors.ts';

/** A file that was stored: how long it is, and the hash of its bytes in hexadecimal. */
export interface StoredStream {
  readonly bytes: number;
  readonly sha256: string;
}

/** Reports that are written while they are made, and never in one piece in memory. */
export interface ReportStreams {
  /**
   * Stores a file, over the one of that name if there is one. Nobody sees it before it is whole: what breaks off is
   * taken back. Safe to repeat. Throws AwsCallFailed once the SDK's own retries are spent, and what the body throws.
   */
  put(key: string, body: AsyncIterable<string>, contentType: string, deadline: Deadline): Promise<StoredStream>;
}

/** S3 takes parts of 5 MB and more; as large as that a file goes in one piece. */
const PART_BYTES = 8 * 2 ** 20;

/** What was not answered in half a minute is tried again. */
const patience = { connectionTimeout: 3_000, requestTimeout: 30_000, throwOnRequestTimeout: true };

export function createReportStreams(bucket: string, given?: S3Client): ReportStreams {
  const connect = once(async () => {
    const s3 = await import('@aws-sdk/client-s3');
    const forcePathStyle = [process.env['AWS_ENDPOINT_URL_S3'], process.env['AWS_ENDPOINT_URL']].some(Boolean);
    return { s3, client: given ?? new s3.S3Client({ requestHandler: patience, forcePathStyle }) };
  });

  return {
    async put(key, body, contentType, deadline) {
      const { s3, client } = await connect();
      const within = { abortSignal: deadline.signal };
      const named = { Bucket: bucket, Key: key };
      const failed = (operation: string) => (cause: unknown) => {
        throw new AwsCallFailed('s3', operation, cause, { bucket, key });
      };
      const hash = createHash('sha256');
      const parts: CompletedPart[] = [];
      let pieces: Buffer[] = [];
      let [held, bytes] = [0, 0];
      let UploadId: string | undefined;

      const send = async (): Promise<void> => {
        const Body = Buffer.concat(pieces);
        [pieces, held] = [[], 0];
        UploadId ??= (
          await client
            .send(new s3.CreateMultipartUploadCommand({ ...named, ContentType: contentType }), within)
            .catch(failed('CreateMultipartUpload'))
        ).UploadId;
        const PartNumber = parts.length + 1;
        const answer = await client
          .send(new s3.UploadPartCommand({ ...named, UploadId, PartNumber, Body }), within)
          .catch(failed('UploadPart'));
        const { ETag, ChecksumCRC32 } = answer;
        parts.push({ PartNumber, ETag, ...(ChecksumCRC32 !== undefined && { ChecksumCRC32 }) });
      };

      try {
        for await (const text of body) {
          const piece = Buffer.from(text);
          hash.update(piece);
          pieces.push(piece);
          [held, bytes] = [held + piece.byteLength, bytes + piece.byteLength];
          if (held >= PART_BYTES) await send();
        }
        if (parts.length === 0) {
          const Body = Buffer.concat(pieces);
          await client
            .send(new s3.PutObjectCommand({ ...named, Body, ContentType: contentType }), within)
            .catch(failed('PutObject'));
        } else {
          if (held > 0) await send();
          await client
            .send(
              new s3.CompleteMultipartUploadCommand({ ...named, UploadId, MultipartUpload: { Parts: parts } }),
              within,
            )
            .catch(failed('CompleteMultipartUpload'));
        }
      } catch (error) {
        // Best effort: the bucket's lifecycle rule ends what is left.
        if (UploadId !== undefined)
          await client.send(new s3.AbortMultipartUploadCommand({ ...named, UploadId })).catch(() => {});
        throw error;
      }
      return { bytes, sha256: hash.digest('hex') };
    },
  };
}

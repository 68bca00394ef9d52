import type { S3Client } from '@aws-sdk/client-s3';
import type { Deadline } from '../runtime/deadline.ts';
import { once } from '../runtime/once.ts';
import { AwsCallFailed, errorName } from './errors.ts';

/** Reports and evidence: whole files by name. Every call throws AwsCallFailed once the SDK's own retries are spent. */
export interface Reports {
  /** Stores a file, over the one of that name if there is one. Safe to repeat. */
  put(key: string, body: string | Uint8Array, contentType: string, deadline: Deadline): Promise<void>;
  /** The whole file, or undefined. Without the permission to list, S3 answers "denied" for a file that is not there. */
  get(key: string, deadline: Deadline): Promise<Uint8Array | undefined>;
  /** The names that begin with `prefix`, in order of their bytes, page by page. */
  list(prefix: string, deadline: Deadline): AsyncIterable<string>;
}

/** What was not answered in ten seconds is tried again. */
const patience = { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true };

/** Reports in one S3 bucket. */
export function createReports(bucket: string, given?: S3Client): Reports {
  // A report comes at the end of a run: S3's client, the largest of all, stays out of the cold start.
  const connect = once(async () => {
    const { s3 } = await import('./s3.ts');
    // An endpoint of somebody's own has no host name for each bucket.
    const forcePathStyle = [process.env['AWS_ENDPOINT_URL_S3'], process.env['AWS_ENDPOINT_URL']].some(Boolean);
    return { s3, client: given ?? new s3.S3Client({ requestHandler: patience, forcePathStyle }) };
  });
  const within = (deadline: Deadline) => ({ abortSignal: deadline.signal });
  const failed = (operation: string, key: string, cause: unknown): AwsCallFailed =>
    new AwsCallFailed('s3', operation, cause, { bucket, key });

  return {
    async put(key, body, contentType, deadline) {
      const { s3, client } = await connect();
      await client
        .send(
          new s3.PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentType: contentType }),
          within(deadline),
        )
        .catch((cause: unknown) => {
          throw failed('PutObject', key, cause);
        });
    },

    async get(key, deadline) {
      const { s3, client } = await connect();
      try {
        const { Body } = await client.send(new s3.GetObjectCommand({ Bucket: bucket, Key: key }), within(deadline));
        return await Body?.transformToByteArray();
      } catch (cause) {
        if (errorName(cause) === 'NoSuchKey') return undefined;
        throw failed('GetObject', key, cause);
      }
    },

    async *list(prefix, deadline) {
      const { s3, client } = await connect();
      let ContinuationToken: string | undefined;
      do {
        const page = await client
          .send(new s3.ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken }), within(deadline))
          .catch((cause: unknown) => {
            throw failed('ListObjectsV2', prefix, cause);
          });
        for (const { Key } of page.Contents ?? []) if (Key !== undefined) yield Key;
        ContinuationToken = page.NextContinuationToken;
      } while (ContinuationToken);
    },
  };
}

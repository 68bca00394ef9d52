import type { ReportStreams } from '../../lib/aws/report-streams.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import type { OutputFile } from './report.ts';

export interface StoredFile {
  readonly key: string;
  readonly name: string;
  readonly contentType: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Stores a file of a report as it is written, and answers its hash. Safe to repeat. */
export async function storeFile(
  streams: ReportStreams,
  folder: string,
  { name, contentType, body, isLeft }: OutputFile,
  deadline: Deadline,
): Promise<StoredFile> {
  const stored = await streams.put(`${folder}/${name}`, body(), contentType, deadline, { compressLarge: !isLeft });
  return { name, contentType, ...stored };
}

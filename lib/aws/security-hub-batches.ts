/** Limits of one BatchImportFindings. Source: Security Hub user guide, BatchImportFindings for finding providers */
export const FINDINGS_A_BATCH = 100;
export const BYTES_A_FINDING = 240 * 1024;
/** A little less than the 6 MB a request may have: the rest of it wants room too. */
export const BYTES_A_BATCH = 6_000_000 - 64 * 1024;

/** Findings for one call, and those that no call could carry. */
export interface Batch<F> {
  readonly findings: readonly F[];
  readonly tooLarge: readonly F[];
}

/** Cuts a stream of findings into calls that keep the limits, in order. */
export async function* batchesOf<F extends object>(findings: AsyncIterable<F> | Iterable<F>): AsyncGenerator<Batch<F>> {
  let batch: F[] = [];
  let tooLarge: F[] = [];
  let bytes = 0;
  for await (const finding of findings) {
    const size = Buffer.byteLength(JSON.stringify(finding)) + 1;
    if (size > BYTES_A_FINDING) {
      tooLarge.push(finding);
      continue;
    }
    if (batch.length === FINDINGS_A_BATCH || bytes + size > BYTES_A_BATCH) {
      yield { findings: batch, tooLarge };
      batch = [];
      tooLarge = [];
      bytes = 0;
    }
    batch.push(finding);
    bytes += size;
  }
  if (batch.length > 0 || tooLarge.length > 0) yield { findings: batch, tooLarge };
}

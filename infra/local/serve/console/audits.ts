import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { parseJson } from '../../../../lib/runtime/json.ts';
import type { Host } from '../host.ts';

/** What a page waits for a report that is being read; it shows the one before meanwhile. */
const SOON_MS = 60;
/** How many findings that changed are kept of a report. */
const MOST_CHANGES = 500;

const Latest = z.object({
  finishedAt: z.string(),
  files: z.array(z.object({ name: z.string(), key: z.string() })),
});

const Count = z.record(z.string(), z.number());
const Head = z.object({
  runId: z.string(),
  organization: z.object({ id: z.string(), name: z.string().nullable() }),
  finishedAt: z.string(),
  previousRunId: z.string().nullable(),
  exitState: z.string(),
  policy: z.object({ name: z.string(), profile: z.string() }),
  coverage: z.object({ projects: z.number(), clusters: z.number(), percent: z.number() }),
  totals: z.object({ byStatus: Count, bySeverity: Count, byChange: Count, score: z.number() }),
});

const Changed = z.object({
  change: z.string(),
  status: z.string(),
  previousStatus: z.string().nullable(),
  severity: z.string(),
  rule: z.string(),
  title: z.string(),
  reason: z.string(),
  projectName: z.string().nullable(),
  clusterName: z.string().nullable(),
});
export type Changed = z.output<typeof Changed>;

/** The newest report of one organization, as far as the pages show it. */
export interface Audit extends z.output<typeof Head> {
  /** What is not as it was in the run before; `new` ones only where there was a run before. */
  readonly changed: readonly Changed[];
  readonly page: string | undefined;
}

/** Reads the reports the audit leaves. They are as large as the fleet, so each is read once, and no page waits for it. */
export class AuditReader {
  readonly #host: Host;
  #known: readonly Audit[] = [];
  #reading: Promise<void> | undefined;
  #seen: string | undefined;

  constructor(host: Host) {
    this.#host = host;
  }

  get known(): readonly Audit[] {
    return this.#known;
  }

  /** False until all there is was read once: what is not known then may be there all the same. */
  get isRead(): boolean {
    return this.#seen !== undefined;
  }

  /** The newest reports, those read so far where that takes longer than a page should. */
  async newest(): Promise<readonly Audit[]> {
    this.#reading ??= this.#read()
      .catch((error: unknown) => {
        this.#host.ledger.printed(`the console: the reports could not be read: ${String(error)}\n`, 'host');
      })
      .finally(() => (this.#reading = undefined));
    await Promise.race([this.#reading, sleep(SOON_MS)]);
    return this.#known;
  }

  /** The page of an organization's newest audit. */
  async pageOf(organization: string): Promise<string | undefined> {
    const key = this.#known.find((audit) => audit.organization.id === organization)?.page;
    return key === undefined ? undefined : this.file(key);
  }

  /** A whole file of the bucket; undefined where it is not there. */
  async file(Key: string): Promise<string | undefined> {
    return this.#with(async (client, Bucket) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      return Body?.transformToString();
    }).catch((error: unknown) => {
      if (error instanceof Error && error.name === 'NoSuchKey') return undefined;
      throw error;
    });
  }

  async #read(): Promise<void> {
    const organizations = await this.#with(async (client, Bucket) => {
      const { CommonPrefixes = [] } = await client.send(
        new ListObjectsV2Command({ Bucket, Prefix: 'audits/', Delimiter: '/' }),
      );
      return CommonPrefixes.flatMap(({ Prefix }) => Prefix ?? []);
    });
    const latest = await Promise.all(organizations.map((prefix) => this.file(`${prefix}latest.json`)));
    const seen = latest.join('\n');
    if (seen === this.#seen) return;
    const audits = await Promise.all(latest.map((text) => this.#audit(Latest.safeParse(parseJson(text ?? '')).data)));
    this.#known = audits
      .filter((audit) => audit !== undefined)
      .toSorted((a, b) => b.finishedAt.localeCompare(a.finishedAt));
    this.#seen = seen;
    this.#host.ledger.changed();
  }

  async #audit(latest: z.output<typeof Latest> | undefined): Promise<Audit | undefined> {
    const keyOf = (name: string): string | undefined => latest?.files.find((file) => file.name === name)?.key;
    const [report, findings] = [keyOf('report.json'), keyOf('findings.ndjson')];
    if (report === undefined) return undefined;
    // All but the lists of a report is its first line.
    for await (const line of this.#lines(report)) {
      const head = Head.safeParse(parseJson(`${line.replace(/,$/, '')}}`)).data;
      if (!head) return undefined;
      const changed = head.previousRunId === null || findings === undefined ? [] : await this.#changed(findings);
      return { ...head, changed, page: keyOf('report.html') };
    }
    return undefined;
  }

  async #changed(key: string): Promise<Changed[]> {
    const changed: Changed[] = [];
    for await (const line of this.#lines(key)) {
      if (line.includes('"change":"unchanged"')) continue;
      const finding = Changed.safeParse(parseJson(line)).data;
      if (finding && finding.change !== 'unchanged') changed.push(finding);
      if (changed.length === MOST_CHANGES) break;
    }
    return changed;
  }

  /** The lines of a file, while it comes. */
  async *#lines(Key: string): AsyncGenerator<string> {
    const client = this.#client();
    try {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: this.#host.machine.reportBucket, Key }));
      const decoder = new TextDecoder();
      let rest = '';
      const stored = Body?.transformToWebStream();
      // Large files of a report are stored compressed.
      const plain = Key.endsWith('.gz') ? stored?.pipeThrough(new DecompressionStream('gzip')) : stored;
      for await (const chunk of plain ?? []) {
        const [last = '', ...whole] = `${rest}${decoder.decode(chunk, { stream: true })}`.split('\n').toReversed();
        rest = last;
        yield* whole.toReversed();
      }
      if (rest !== '') yield rest;
    } finally {
      client.destroy();
    }
  }

  #client(): S3Client {
    return new S3Client({ ...this.#host.machine.sdk, forcePathStyle: true });
  }

  async #with<Result>(work: (client: S3Client, bucket: string) => Promise<Result>): Promise<Result> {
    const client = this.#client();
    try {
      return await work(client, this.#host.machine.reportBucket);
    } finally {
      client.destroy();
    }
  }
}

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseJson } from '../../../lib/runtime/json.ts';
import type { RealAws } from './real-aws.ts';

/** What `npm run serve` was asked for. */
export interface Asked {
  /** The origin of the real Atlas; undefined for the sandbox. */
  readonly atlas: string | undefined;
  /** The deployed stack it works on; undefined for the embedded services. */
  readonly aws?:
    | Pick<RealAws, 'account' | 'region' | 'endpoint' | 'hasFunctions' | 'table' | 'bucket' | 'queueUrl'>
    | undefined;
  readonly dryRun: boolean;
  /** The folder its state is kept in; a dry run keeps nothing. */
  readonly data: string;
}

/** In plain words: which parts are real, and which are on this machine. */
export function partsOf({ atlas, aws, dryRun, data }: Asked): string[] {
  const kept = aws ? 'when schedules are due, and the last runs' : 'secrets are in it';
  return [
    atlas === undefined
      ? 'Atlas: a sandbox on this machine, filled with an example.'
      : `Atlas: REAL, at ${atlas}, with the credentials ${aws ? 'its secrets in AWS hold' : 'in the data folder, or from the environment where it has none'}.`,
    ...(aws ? partsOfAws(aws) : EMBEDDED),
    dryRun
      ? `State: as it is in ${data}, and left as it is: what comes of this run is gone when it ends.`
      : `State: kept in ${data}, readable by you alone: ${kept}.`,
    ...(dryRun ? ['Dry run: schedules ask for dry runs; events, webhooks and the queue start nothing.'] : []),
  ];
}

const EMBEDDED = [
  'AWS: embedded in this process. For AWS itself, deploy the stack: npm run deploy.',
  'Ticket systems: a sandbox on this machine, whatever the settings say.',
];

const placeOf = ({ account, region, endpoint }: NonNullable<Asked['aws']>): string =>
  `the account ${account} in ${region}${endpoint === undefined ? '' : `, at ${endpoint}`}`;

const partsOfAws = (aws: NonNullable<Asked['aws']>): string[] => [
  `AWS: REAL, ${placeOf(aws)}: secrets, the table ${aws.table}, the bucket ${aws.bucket}, the queue ${aws.queueUrl}.`,
  'Ticket systems: REAL, those of the settings.',
  `Rotation and event rules: left to AWS${aws.hasFunctions ? '' : '; no functions are deployed there, so nothing is rotated'}.`,
  ...(aws.hasFunctions
    ? ['The functions deployed there go on as well: a schedule runs in both places, and both take from the queue.']
    : []),
];

/** What somebody has to agree to first; undefined where nothing real is changed. */
export function agreementFor({ atlas, aws, dryRun }: Asked): string | undefined {
  if (atlas === undefined || dryRun) return undefined;
  const there = aws
    ? `at ${atlas} and in ${placeOf(aws)}: it writes state and reports, makes tickets, acknowledges alerts`
    : `at ${atlas}: it acknowledges alerts whose ticket somebody takes`;
  return `This may change things ${there}, and carries out what you run by hand. Say --yes to go ahead (asked once for this data folder), or --dry-run to look first.`;
}

const agreements = (data: string): string => path.join(data, 'agreed.json');

/** Whether somebody said yes to the same words in this data folder before. */
export function isAgreed(data: string, agreement: string): boolean {
  try {
    const known = parseJson(readFileSync(agreements(data), 'utf8'));
    return Array.isArray(known) && known.includes(agreement);
  } catch {
    return false;
  }
}

/** Remembers it. Other words (another account, say) are asked for anew. */
export function agree(data: string, agreement: string): void {
  if (isAgreed(data, agreement)) return;
  let known: unknown;
  try {
    known = parseJson(readFileSync(agreements(data), 'utf8'));
  } catch {
    // Nothing was agreed to yet.
  }
  mkdirSync(data, { recursive: true, mode: 0o700 });
  writeFileSync(agreements(data), JSON.stringify([...(Array.isArray(known) ? known : []), agreement]), { mode: 0o600 });
}

import {
  type AwsSecurityFinding,
  BatchImportFindingsCommand,
  type ImportFindingsError,
  SecurityHubClient,
} from '@aws-sdk/client-securityhub';
import type { Clock } from '../runtime/clock.ts';
import type { Deadline } from '../runtime/deadline.ts';
import { AwsCallFailed } from './errors.ts';
import { batchesOf } from './security-hub-batches.ts';

export interface ImportOutcome {
  readonly imported: number;
  /** Refused for good, or still refused when there was no use in trying again. */
  readonly failed: readonly { readonly id: string; readonly code: string; readonly message: string }[];
  /** Left over when time ran out. */
  readonly notSent: number;
}

export interface SecurityHub {
  /**
   * Imports findings in batches, in order, at the rate an account has. Findings that fail within a batch are sent again
   * alone, while that can help. Safe to repeat. Rejects when a whole call is refused.
   */
  importFindings(
    findings: AsyncIterable<AwsSecurityFinding> | Iterable<AwsSecurityFinding>,
    deadline: Deadline,
  ): Promise<ImportOutcome>;
}

/** Calls a second an account has in a Region, and how many may come at once. Source: Security Hub API quotas */
const RATE = 10;
const BURST = 30;
/** Times a finding is sent at most, and the wait before the second; the wait doubles. */
const ATTEMPTS = 4;
const FIRST_WAIT_MS = 500;
/** What is kept for ending well. */
const MARGIN_MS = 2_000;

/** Wrong as they are: sending them again changes nothing. */
const hopeless = (code: string): boolean => /Invalid|Denied|NotFound|TooLarge/i.test(code);

export function createSecurityHub(clock: Clock, client: SecurityHubClient = new SecurityHubClient({})): SecurityHub {
  const pace = createPace(clock);

  async function send(Findings: AwsSecurityFinding[], deadline: Deadline): Promise<readonly ImportFindingsError[]> {
    await pace(deadline);
    const answer = await client
      .send(new BatchImportFindingsCommand({ Findings }), { abortSignal: deadline.signal })
      .catch((cause: unknown) => {
        throw new AwsCallFailed('securityhub', 'BatchImportFindings', cause, { findings: Findings.length });
      });
    return answer.FailedFindings ?? [];
  }

  return {
    async importFindings(findings, deadline) {
      const failed: ImportOutcome['failed'][number][] = [];
      let imported = 0;
      let notSent = 0;
      const enoughTime = (waitMs = 0): boolean => deadline.remainingMs() > MARGIN_MS + waitMs;

      for await (const batch of batchesOf(findings)) {
        for (const { Id = '' } of batch.tooLarge)
          failed.push({ id: Id, code: 'FindingTooLarge', message: 'over 240 KB, so it was not sent' });
        let waiting = batch.findings;
        for (let attempt = 1; waiting.length > 0; attempt++) {
          const waitMs = attempt === 1 ? 0 : FIRST_WAIT_MS * 2 ** (attempt - 2);
          if (!enoughTime(waitMs)) {
            notSent += waiting.length;
            break;
          }
          if (waitMs > 0) await clock.sleep(waitMs, deadline.signal);
          const errors = new Map((await send([...waiting], deadline)).map((error) => [error.Id, error]));
          imported += waiting.filter(({ Id }) => !errors.has(Id)).length;
          waiting = waiting.filter(({ Id }) => {
            const error = errors.get(Id);
            if (!error) return false;
            const { ErrorCode: code = 'Unknown', ErrorMessage: message = '' } = error;
            if (attempt < ATTEMPTS && !hopeless(code)) return true;
            failed.push({ id: Id ?? '', code, message });
            return false;
          });
        }
      }
      return { imported, failed, notSent };
    },
  };
}

/** Waits before a call until the account's rate allows it. */
function createPace(clock: Clock): (deadline: Deadline) => Promise<void> {
  let tokens = BURST;
  let at = clock.now().getTime();
  return async ({ signal }) => {
    for (;;) {
      const now = clock.now().getTime();
      tokens = Math.min(BURST, tokens + ((now - at) * RATE) / 1000);
      at = now;
      if (tokens >= 1) break;
      await clock.sleep(Math.ceil(((1 - tokens) * 1000) / RATE), signal);
    }
    tokens -= 1;
  };
}

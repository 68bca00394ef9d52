import { safe } from '../terminal/text.ts';
import type { Finding } from './finding.ts';

const PATIENCE_MS = 10_000;

/**
 * Sends an address of ours what nobody signed. A function that is there, and set up, answers 401 and keeps nothing of it;
 * whatever else comes says what is wrong.
 */
export async function checkWebhook(address: string, ask: typeof fetch = fetch): Promise<Finding> {
  const shown = safe(address, 120);
  const finding = (verdict: Finding['verdict'], text: string, fix?: string): Finding => ({
    area: 'webhook',
    verdict,
    text: `${shown} ${text}`,
    ...(fix !== undefined && { fix }),
  });
  try {
    const { status } = await ask(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"doctor": "is anybody there?"}',
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (status === 401) return finding('ok', 'answers, and refuses what is not signed');
    if (status >= 200 && status < 300)
      return finding(
        'fix',
        `took what nobody signed (${status})`,
        'this is not one of our functions: check the address',
      );
    if (status === 403)
      return finding(
        'note',
        'is there, and turns this machine away (403)',
        'webhooks.allowFrom may leave it out; Atlas must not be',
      );
    if (status === 404)
      return finding('fix', 'leads nowhere (404)', 'check the address: the outputs of the stack name it');
    if (status >= 500)
      return finding(
        'fix',
        `is there, and fails (${status})`,
        'look at the log of the function; is its webhook secret there?',
      );
    return finding('unknown', `answers ${status}`, 'check the address: the outputs of the stack name it');
  } catch (error) {
    const why =
      error instanceof Error && error.name === 'TimeoutError' ? 'no answer in ten seconds' : 'it is out of reach';
    return finding('fix', `does not answer: ${why}`, 'check the address, the network, and webhooks.allowFrom');
  }
}

/** One audit by the built bundle, in a process of its own: what it took, and how much memory it had at the most. */
import type { Measured } from './audit-size.ts';

const [bundle = '', event = '{}'] = process.argv.slice(2);
const { handler } = (await import(bundle)) as {
  handler(event: unknown, context: object): Promise<Pick<Measured, 'audits'>>;
};
const end = Date.now() + 890_000;
const began = performance.now();
let error: string | undefined;
const answer = await handler(JSON.parse(event), {
  awsRequestId: 'bench',
  functionName: 'audit-snapshot-schedules',
  getRemainingTimeInMillis: () => end - Date.now(),
}).catch((failed: unknown) => {
  error = failed instanceof Error ? `${failed.name}: ${failed.message}` : String(failed);
  return { audits: [] };
});
const measured: Measured = {
  ms: performance.now() - began,
  maxRssMb: process.resourceUsage().maxRSS / 1024,
  cpuSeconds: (process.resourceUsage().userCPUTime + process.resourceUsage().systemCPUTime) / 1e6,
  error,
  audits: answer.audits,
};
process.send?.(measured);
process.disconnect();

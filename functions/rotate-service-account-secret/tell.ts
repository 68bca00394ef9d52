import type { BundleEvent } from '../../lib/aws/events.ts';
import type { Step } from './rotation.ts';

/**
 * Tells the bus. Throws where that fails, so that whoever retries tells it then: a promotion is never kept quiet.
 * Repeats are harmless, by the version id in the detail.
 */
export async function tell(
  { services, log, deadline }: Pick<Step, 'services' | 'log' | 'deadline'>,
  event: BundleEvent,
): Promise<void> {
  const told = await services.events.publish(event, deadline);
  if (!told) log.warn('there is no EventBridge here: nobody was told', { facts: { detailType: event.detailType } });
}

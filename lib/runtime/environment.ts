import * as z from 'zod';

const isLoopback = (hostname: string): boolean => ['localhost', '127.0.0.1', '[::1]'].includes(hostname);

/**
 * `MONGODB_ATLAS_BASE_URL`, reduced to its origin. Credentials go there, so anything but https is refused unless it
 * is this machine.
 */
export const BaseUrl = z
  .url({ protocol: /^https?$/ })
  .default('https://cloud.mongodb.com')
  .transform((text) => new URL(text))
  .refine((url) => url.protocol === 'https:' || isLoopback(url.hostname), 'must be an https URL')
  .transform((url) => url.origin);

/** `EVENT_BUS`: name or ARN of the bus the bundle's events go to. */
export const EventBus = z.string().min(1).default('default');

import type { DestinationOf } from '../destination.ts';
import type { ParsedUpdate, UpdateRequest } from '../tickets.ts';
import { parseStandardUpdate } from './common.ts';

/**
 * ServiceNow has no webhooks of its own: a business rule of the customer's posts to us. It signs by Standard Webhooks,
 * which `GlideCertificateEncryption.generateMac(key, 'HmacSHA256', text)` can do.
 */
export const parseServiceNowUpdate = (
  destination: DestinationOf<'servicenow'>,
  request: UpdateRequest,
  secrets: readonly string[],
  now: Date,
): ParsedUpdate => parseStandardUpdate(destination, request, secrets, now);

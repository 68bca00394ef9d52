import type { DestinationOf } from '../destination.ts';
import type { ParsedUpdate, UpdateRequest } from '../tickets.ts';
import { parseStandardUpdate } from './common.ts';

/** What a receiver of our webhooks tells us, signed as we sign. */
export const parseWebhookUpdate = (
  destination: DestinationOf<'webhook'>,
  request: UpdateRequest,
  secrets: readonly string[],
  now: Date,
): ParsedUpdate => parseStandardUpdate(destination, request, secrets, now);

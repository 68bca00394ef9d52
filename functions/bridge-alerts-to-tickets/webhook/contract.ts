/**
 * What is called from outside, and what it takes to answer: nothing of the rest of the bridge, so that the function
 * Atlas waits for starts quickly, and takes alerts whatever else is wrong in the settings.
 */
import * as z from 'zod';
import { AlertQueueUrl, WebhookSecret } from '../../../lib/runtime/environment.ts';
import { Network } from '../../../lib/runtime/networks.ts';

/**
 * From which addresses webhooks may come, besides being signed; from everywhere where a list is not given. Atlas's are
 * those of its control plane, outbound, which MongoDB publishes and changes.
 */
export const CallerSettings = z.strictObject({
  /** Of Atlas, for its alerts. */
  atlas: z.array(Network).min(1).optional(),
  /** Of the trackers. */
  trackers: z.array(Network).min(1).optional(),
});

export const Webhooks = z.object({ allowFrom: CallerSettings.optional() }).prefault({});

/** Older news has to be confirmed by Atlas before it counts, in seconds. */
export const StaleAfterSeconds = z.int().min(0).max(604_800).default(86_400);

/** What `receive-atlas-alert` is told: of the tickets only what tells old news from new. */
export const ReceiveSettings = z.object({
  tickets: z.object({ policy: z.object({ staleAfterSeconds: StaleAfterSeconds }).prefault({}) }).prefault({}),
  webhooks: Webhooks,
});

/** The environment of `receive-atlas-alert`. It needs no state: what it takes in is in the queue or was not taken. */
export const ReceiveConfig = z.object({
  ALERT_QUEUE_URL: AlertQueueUrl,
  WEBHOOK_SECRET: WebhookSecret,
});

/**
 * A call of a function URL, or of an HTTP API with payload format 2.0. Loose on purpose: what a caller can influence is
 * judged, not refused by shape.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
 */
export const HttpEvent = z.object({
  headers: z.record(z.string(), z.string().optional()).default({}),
  rawPath: z.string().default('/'),
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().default(false),
  requestContext: z
    .object({ http: z.object({ method: z.string(), sourceIp: z.string().optional() }).optional() })
    .optional(),
});
export type HttpEvent = z.output<typeof HttpEvent>;

/** The answer to it. */
export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

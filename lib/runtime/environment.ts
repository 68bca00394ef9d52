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

/** `STATE_TABLE`: name or ARN of the DynamoDB table the bundle keeps its state in. */
export const StateTable = z.string().min(3).max(1024);

/** `REPORT_BUCKET`: the S3 bucket reports and evidence go to. */
export const ReportBucket = z.string().min(3).max(63);

/** `ALERT_QUEUE_URL`: the SQS FIFO queue between what receives alerts and what delivers tickets. */
export const AlertQueueUrl = z.url({ protocol: /^https?$/ }).endsWith('.fifo', 'must be the URL of a FIFO queue');

const SecretId = z.string().min(1).max(2048);

/** `WEBHOOK_SECRET`: name or ARN of the secret that holds `{"current": …, "previous": …}`, what Atlas signs webhooks with. */
export const WebhookSecret = SecretId;

/**
 * `ATLAS_CREDENTIALS_SECRET`: name or ARN of the secret that holds the automation's own credentials, `{clientId,
 * clientSecret}` or `{publicKey, privateKey}`.
 */
export const AtlasCredentialsSecret = SecretId;

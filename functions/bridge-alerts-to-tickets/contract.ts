import * as z from 'zod';
import {
  AlertQueueUrl,
  AtlasCredentialsSecret,
  BaseUrl,
  EventBus,
  StateTable,
  WebhookSecret,
} from '../../lib/runtime/environment.ts';
import { TicketSettings } from './settings.ts';

/** What the four functions are told: the part of the settings file they read. */
export const Settings = z.object({ tickets: TicketSettings.prefault({}) });
export type Settings = z.output<typeof Settings>;

/** The environment of `receive-atlas-alert`. It needs no state: what it takes in is in the queue or was not taken. */
export const ReceiveConfig = z.object({
  ALERT_QUEUE_URL: AlertQueueUrl,
  WEBHOOK_SECRET: WebhookSecret,
});

/** The environment of the other three. Without credentials for Atlas nothing is enriched, confirmed or acknowledged. */
export const Config = z.object({
  STATE_TABLE: StateTable,
  MONGODB_ATLAS_BASE_URL: BaseUrl,
  ATLAS_CREDENTIALS_SECRET: AtlasCredentialsSecret.optional(),
  EVENT_BUS: EventBus,
});

/** That of `deliver-tickets`: with the queue's address it puts what has to wait a moment back there. */
export const DeliverConfig = Config.extend({ ALERT_QUEUE_URL: AlertQueueUrl.optional() });

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
  requestContext: z.object({ http: z.object({ method: z.string() }).optional() }).optional(),
});
export type HttpEvent = z.output<typeof HttpEvent>;

/** The answer to it. */
export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One message of a batch from the FIFO queue. */
export const QueueRecord = z.object({
  messageId: z.string(),
  body: z.string(),
  attributes: z
    .object({
      MessageGroupId: z.string().default(''),
      ApproximateReceiveCount: z.coerce.number().default(1),
    })
    .prefault({}),
});
export type QueueRecord = z.output<typeof QueueRecord>;

/** A batch from the queue. */
const Batch = z
  .object({ Records: z.array(QueueRecord).min(1) })
  .transform(({ Records }) => ({ kind: 'batch' as const, records: Records }));

/** An event of the bundle's own bus. */
const OwnEvent = z
  .object({
    id: z.string().default(''),
    source: z.literal('atlas-automation'),
    'detail-type': z.string(),
    time: z.iso.datetime({ offset: true }).optional(),
    detail: z.record(z.string(), z.unknown()),
  })
  .transform((event) => ({
    kind: 'event' as const,
    id: event.id,
    detailType: event['detail-type'],
    time: event.time,
    detail: event.detail,
  }));
export type OwnEvent = z.output<typeof OwnEvent>;

/** What would come of these alerts, one after the other. Nothing is written anywhere. */
const DryRun = z
  .strictObject({
    dryRun: z.literal(true),
    /** Bodies as Atlas sends them, with the instant they came in where that was not now. */
    alerts: z
      .array(
        z.strictObject({
          body: z.record(z.string(), z.unknown()),
          event: z.string().optional(),
          at: z.iso.datetime({ offset: true }).optional(),
        }),
      )
      .max(10_000),
  })
  .transform(({ alerts }) => ({ kind: 'dry run' as const, alerts }));

export const DeliverEvent = z.union([Batch, OwnEvent, DryRun]);
export type DeliverEvent = z.output<typeof DeliverEvent>;

const Scheduled = z
  .object({ source: z.string(), 'detail-type': z.string() })
  .transform(() => ({ task: 'reconcile' as const, dryRun: false, projects: undefined, redrive: undefined }));

/** A call by hand, or a schedule's own input. Strict, so that a misspelt `dryRun` is no real run. */
const ByHand = z
  .strictObject({
    /** `reconcile`: look at Atlas, then do what is due. `due`: only what is due; cheap enough for every minute. */
    task: z.enum(['reconcile', 'due']).default('reconcile'),
    dryRun: z.boolean().default(false),
    /** Only these projects. */
    projects: z.array(z.string()).min(1).optional(),
    /** Takes up what was given up: `explain` says what would be done, `run` does it. */
    redrive: z.enum(['explain', 'run']).optional(),
  })
  .transform(({ task, dryRun, projects, redrive }) => ({ task, dryRun, projects, redrive }));

export const ReconcileEvent = z.union([Scheduled, ByHand]);
export type ReconcileEvent = z.output<typeof ReconcileEvent>;

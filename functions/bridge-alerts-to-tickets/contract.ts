import * as z from 'zod';
import { AlertQueueUrl, AtlasCredentialsSecret, BaseUrl, EventBus, StateTable } from '../../lib/runtime/environment.ts';
import { TicketSettings } from './settings.ts';
import { Webhooks } from './webhook/contract.ts';

/** What the four functions are told: the part of the settings file they read. */
export const Settings = z.object({ tickets: TicketSettings.prefault({}) });
export type Settings = z.output<typeof Settings>;

/** What `receive-ticket-update` is told. */
export const UpdateSettings = Settings.extend({ webhooks: Webhooks });

/** The environment of the other three. Without credentials for Atlas nothing is enriched, confirmed or acknowledged. */
export const Config = z.object({
  STATE_TABLE: StateTable,
  MONGODB_ATLAS_BASE_URL: BaseUrl,
  ATLAS_CREDENTIALS_SECRET: AtlasCredentialsSecret.optional(),
  EVENT_BUS: EventBus,
});

/** That of `deliver-tickets`: with the queue's address it puts what has to wait a moment back there. */
export const DeliverConfig = Config.extend({ ALERT_QUEUE_URL: AlertQueueUrl.optional() });

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

import * as z from 'zod';
import { BucketName, KmsKeyArn } from './stack-settings.ts';

/** A year and a month: what one audit wants to see of the last one. */
const KEEP_DAYS = 400;

/** What is decided about the data a deployment keeps. */
export const DataSettings = z
  .strictObject({
    /**
     * The customer-managed key everything is encrypted with; AWS's own keys unless given. Its policy must let this account's
     * roles use it.
     */
    kmsKeyArn: KmsKeyArn.optional(),
    /** Makes such a key: rotated every year, kept when the stack goes. */
    ownKey: z.boolean().default(false),
    /** Days the events of the own bus are kept, to be played again. */
    keepEventsDays: z.int().min(1).max(3_650).default(90),
    reports: z
      .strictObject({
        /** Days until a report is deleted. */
        keepDays: z.int().min(1).max(36_500).default(KEEP_DAYS),
        /** Days until a version that was overwritten or deleted is gone for good. */
        keepReplacedDays: z.int().min(1).max(36_500).default(90),
        /** Keeps every report from being changed or deleted by anybody (or by all but a few) for so long. */
        lock: z
          .strictObject({
            /** `governance` can be lifted by those who may; `compliance` by nobody, not even AWS. */
            mode: z.enum(['governance', 'compliance']),
            days: z.int().min(1).max(36_500),
          })
          .optional(),
        /** An existing bucket that access is logged to; it must let logging.s3.amazonaws.com write. */
        accessLogBucket: BucketName.optional(),
      })
      .refine(({ keepDays, lock }) => lock === undefined || lock.days <= keepDays, {
        path: ['lock', 'days'],
        message: 'must be at most keepDays: what is locked longer cannot be deleted when it is due',
      })
      .prefault({}),
  })
  .refine(({ kmsKeyArn, ownKey }) => kmsKeyArn === undefined || !ownKey, {
    path: ['ownKey'],
    message: 'is for when there is no kmsKeyArn',
  })
  .prefault({});
export type DataSettings = z.output<typeof DataSettings>;

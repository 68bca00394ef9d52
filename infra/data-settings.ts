import * as z from 'zod';

/** A year and a month: what one audit wants to see of the last one. */
const KEEP_DAYS = 400;

/** What is decided about the data a deployment keeps. */
export const DataSettings = z
  .strictObject({
    /**
     * The customer-managed key everything is encrypted with; AWS's own keys unless given. Its policy must let this account's
     * roles use it.
     */
    kmsKeyArn: z
      .string()
      .regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[a-z0-9-]+$/, 'must be the ARN of a KMS key (not of an alias)')
      .optional(),
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
        accessLogBucket: z
          .string()
          .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket')
          .optional(),
      })
      .refine(({ keepDays, lock }) => lock === undefined || lock.days <= keepDays, {
        path: ['lock', 'days'],
        message: 'must be at most keepDays: what is locked longer cannot be deleted when it is due',
      })
      .prefault({}),
  })
  .prefault({});
export type DataSettings = z.output<typeof DataSettings>;

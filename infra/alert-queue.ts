/** The queue between what receives alerts and what delivers tickets, the same in an account and on one machine. */
export const ALERT_QUEUE = {
  /** Timeout of the function that delivers, in seconds. */
  functionSeconds: 60,
  /** Six times that, as AWS asks for: Lambda may be throttled while it holds a batch. */
  visibilitySeconds: 360,
  /** Hand-outs before a message goes to the dead letters: an hour with the visibility above. */
  maxReceives: 10,
  /** Messages in one batch. */
  batchSize: 10,
} as const;

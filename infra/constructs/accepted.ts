import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Says of one finding of cdk-nag, on one construct, why it is meant to be so. A finding about a resource in a policy is
 * named with that resource, so that another one in the same policy is found still.
 */
export function accept(at: IConstruct, id: string, reason: string): void {
  Validations.of(at).acknowledge({ id, reason });
}

import { afterAll, beforeAll } from 'vitest';
import { createEmbeddedAws } from '../../../../infra/local/aws/embedded-aws.ts';
import type { Loopback } from '../../../../infra/local/loopback.ts';
import { secretsManagerConformance } from '../../../support/secrets-manager-conformance.ts';

let service: Loopback;
beforeAll(async () => {
  service = await createEmbeddedAws().listen();
});
afterAll(() => service[Symbol.asyncDispose]());

secretsManagerConformance(() => service.origin);

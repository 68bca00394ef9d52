/** In the place of `lib/aws/connection.ts`: what is called goes over the model's wire, as that of the SDK's clients. */
import { ModelClient } from './aws.ts';

export function connect(): { call(operation: string, input: object): Promise<unknown> } {
  const client = new ModelClient();
  return { call: (operation, input) => client.send({ operation, input }) };
}

import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { AwsCallFailed, errorName } from '../aws/errors.ts';
import type { Deadline } from '../runtime/deadline.ts';
import { type TargetOf, targetName } from './settings.ts';
import { FanOutFailed, type Target } from './target.ts';

/** One hung request must not use up the whole run: what was not answered in ten seconds is tried again. */
const patience = { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true };

/** What SSM says of a parameter it refuses may quote the value: of its answer only the name and the status are kept. */
function refusal(cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause;
  const metadata = '$metadata' in cause ? cause.$metadata : undefined;
  return Object.assign(new Error('not shown'), { name: cause.name, $metadata: metadata });
}

/** A SecureString of Systems Manager, created where it is not there. It is read back, decrypted. */
export function createSsmTarget(
  settings: TargetOf<'ssm'>,
  client: SSMClient = new SSMClient({
    requestHandler: patience,
    ...(settings.region !== undefined && { region: settings.region }),
  }),
): Target {
  const { parameter, kmsKeyArn } = settings;
  const name = targetName(settings);
  const facts = { target: name };

  async function read(deadline: Deadline): Promise<string | undefined> {
    try {
      const { Parameter } = await client.send(new GetParameterCommand({ Name: parameter, WithDecryption: true }), {
        abortSignal: deadline.signal,
      });
      if (Parameter?.Type === 'SecureString') return Parameter.Value;
    } catch (cause) {
      if (errorName(cause) === 'ParameterNotFound') return undefined;
      throw new AwsCallFailed('ssm', 'GetParameter', refusal(cause), facts);
    }
    // SSM can't change the type of a parameter: somebody has to take it away first.
    throw new FanOutFailed('FAN_OUT_REFUSED', `${name} is a parameter that is not encrypted: delete it`, facts);
  }

  const target: Target = {
    name,

    async holds({ value }, deadline) {
      return (await read(deadline)) === value;
    },

    async deliver(copy, deadline) {
      await client
        .send(
          new PutParameterCommand({
            Name: parameter,
            Value: copy.value,
            Type: 'SecureString',
            KeyId: kmsKeyArn,
            Overwrite: true,
          }),
          { abortSignal: deadline.signal },
        )
        .catch((cause: unknown) => {
          throw new AwsCallFailed('ssm', 'PutParameter', refusal(cause), facts);
        });
      if (await target.holds(copy, deadline)) return 'acknowledged';
      throw new FanOutFailed('FAN_OUT_NOT_READ_BACK', `${name} does not show the value that was just written`, {
        ...facts,
        versionId: copy.versionId,
      });
    },
  };
  return target;
}

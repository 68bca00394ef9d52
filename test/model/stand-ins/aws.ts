/**
 * In the place of every AWS SDK client: commands by their names, sent over the wire to the embedded services, and the
 * SDK's own retries (three attempts; of throttling, 5xx and silence). Input and output are the SDK's.
 */
import { theWire } from '../wire.ts';

const ATTEMPTS = 3;
const DATES = new Set([
  'CreatedDate',
  'LastRotatedDate',
  'LastChangedDate',
  'LastAccessedDate',
  'DeletedDate',
  'DeletionDate',
  'NextRotationDate',
]);

interface Command {
  readonly operation: string;
  readonly input: object;
}

/** What the service answers, with its dates as the SDK gives them. */
function revived(value: object = {}): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const inner = (value as Record<string, unknown>)[key];
    copy[key] = DATES.has(key) && typeof inner === 'number' ? new Date(inner * 1000) : inner;
    if (key === 'Versions') copy[key] = (inner as object[]).map(revived);
  }
  return copy;
}

const TOKENED = new Set(['CreateSecret', 'PutSecretValue', 'UpdateSecret', 'RotateSecret']);

const defined = (input: object): object =>
  Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));

export class ModelClient {
  async send(command: Command): Promise<unknown> {
    const { operation } = command;
    const wire = theWire();
    // The SDK fills it in by itself, once for all its attempts.
    const input = TOKENED.has(operation)
      ? { ClientRequestToken: wire.uuid(), ...defined(command.input) }
      : command.input;
    for (let attempt = 1; ; attempt++) {
      const outcome = await wire.meet(wire.aws(operation, input));
      if (outcome.kind === 'answer' && !('error' in outcome.value)) {
        return { ...revived(outcome.value.body), $metadata: { httpStatusCode: 200, requestId: 'request' } };
      }
      const error =
        outcome.kind === 'silence' || !('error' in outcome.value)
          ? Object.assign(new Error('no answer'), { name: 'TimeoutError' })
          : Object.assign(new Error(outcome.value.error.message), {
              name: outcome.value.error.type,
              $fault: 'client',
              $metadata: { httpStatusCode: outcome.value.error.status },
            });
      const again = outcome.kind === 'silence' || /Throttling|Internal/.test(error.name);
      if (!again || attempt === ATTEMPTS) throw error;
      await wire.sleep(100 * 2 ** attempt);
    }
  }

  destroy(): void {}
}

const commands = new Map<string, new (input: object) => Command>();

function commandNamed(name: string): new (input: object) => Command {
  const operation = name.slice(0, -'Command'.length);
  const known = commands.get(name);
  if (known) return known;
  const made = class implements Command {
    readonly operation = operation;
    readonly input: object;

    constructor(input: object) {
      this.input = input;
    }
  };
  commands.set(name, made);
  return made;
}

/**
 * An SDK package: whatever is asked of it by name. Its prototype answers, because that is where the bundler looks for
 * the exports of a module whose exports it can't see.
 */
export const awsPackage: object = Object.create(
  new Proxy(
    {},
    {
      get: (_, name) =>
        typeof name !== 'string'
          ? undefined
          : name.endsWith('Command')
            ? commandNamed(name)
            : name.endsWith('Client')
              ? ModelClient
              : undefined,
    },
  ),
);

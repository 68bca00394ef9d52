import { randomUUID } from 'node:crypto';
import { AwsCallFailed } from '../../../lib/aws/errors.ts';
import { AutomationError } from '../../../lib/errors.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';
import { createTickets } from '../../../lib/tickets/create-tickets.ts';
import type { Destination } from '../../../lib/tickets/destination.ts';
import type { Settings } from '../../settings.ts';
import { safe } from '../terminal/text.ts';
import type { Finding } from './finding.ts';
import type { SecretReader } from './secret-checks.ts';

const PATIENCE_MS = 20_000;

/**
 * Asks every ticket destination for a ticket that does not exist: whether it is there, takes our credentials and knows
 * the place. Opens nothing. Where a system can only be written to, that is said.
 */
export const checkDestinations = (
  { tickets }: Pick<Settings, 'tickets'>,
  manager: Pick<SecretReader, 'read'>,
): Promise<Finding[]> => Promise.all(tickets.destinations.map((destination) => checkOne(destination, manager)));

async function checkOne(destination: Destination, manager: Pick<SecretReader, 'read'>): Promise<Finding> {
  const { id, type } = destination;
  const name = `${id} (${type})`;
  const deadline = deadlineIn(PATIENCE_MS, systemClock);
  try {
    const system = await createTickets(destination, {
      credentials: async (secret) => {
        const value = await manager.read(secret, { stage: 'AWSCURRENT' }, deadline);
        if (value === undefined) throw new NoValue(`the secret ${safe(secret, 120)} has no value`);
        return value;
      },
    });
    if (!system.traits.reads) {
      const text = `${name} can only be written to: whether it takes our secret shows with the first ticket`;
      return { area: 'tickets', verdict: 'note', text };
    }
    await system.find(`doctor-${randomUUID()}`, new Date(0), deadline);
    return { area: 'tickets', verdict: 'ok', text: `${name} answers, and takes our credentials` };
  } catch (error) {
    if (error instanceof AwsCallFailed || error instanceof NoValue) {
      const text = `${name} was not tried: its secret could not be read`;
      return { area: 'tickets', verdict: 'unknown', text, fix: 'see what is said of its secret' };
    }
    if (!(error instanceof AutomationError)) throw error;
    const isRefused = error.disposition === 'give-up';
    return {
      area: 'tickets',
      verdict: isRefused ? 'fix' : 'unknown',
      text: `${name}: ${safe(error.message)}`,
      fix: isRefused
        ? 'mend its secret, or its place in tickets.destinations'
        : 'try again; check its baseUrl and the network',
    };
  }
}

class NoValue extends Error {
  override readonly name = 'NoValue';
}

import { BatchGetItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { createState, type State } from '../../../../lib/aws/state.ts';
import type { Machine } from '../../machine.ts';

/** What a page waits for the table at the most. */
export const PATIENCE_MS = 5_000;
/** What DynamoDB takes in one request. */
const BATCH = 100;

const Item = z.object({ pk: z.string(), value: z.unknown().optional() });

/** The functions' own state, to be read. */
export interface Table {
  readonly state: State;
  /** The values of these keys' items, by `pk`; what is not there is left out. */
  readMany(keys: readonly { readonly pk: string; readonly sk: string }[]): Promise<ReadonlyMap<string, unknown>>;
}

export function createTable({ sdk, stateTable, clock }: Pick<Machine, 'sdk' | 'stateTable' | 'clock'>): Table {
  const client = new DynamoDBClient(sdk);
  return {
    state: createState(stateTable, client, clock),
    async readMany(keys) {
      const found = new Map<string, unknown>();
      for (let at = 0; at < keys.length; at += BATCH) {
        const Keys = keys.slice(at, at + BATCH).map(({ pk, sk }) => ({ pk: { S: pk }, sk: { S: sk } }));
        const { Responses } = await client.send(new BatchGetItemCommand({ RequestItems: { [stateTable]: { Keys } } }));
        for (const each of Responses?.[stateTable] ?? []) {
          const { pk, value } = Item.parse(unmarshall(each));
          if (value !== undefined) found.set(pk, value);
        }
      }
      return found;
    },
  };
}

import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import * as z from 'zod';
import { once } from '../../../lib/runtime/once.ts';
import { type Durable, forgetful, type Shelf } from '../durable/durable.ts';
import { askInProcess } from './in-process.ts';
import { AwsError, type AwsService, type Operation } from './json-protocol.ts';

/** The operations the library behind this knows; everything else is refused as unknown. */
const OPERATIONS = [
  'BatchGetItem',
  'BatchWriteItem',
  'CreateTable',
  'DeleteItem',
  'DeleteTable',
  'DescribeTable',
  'DescribeTimeToLive',
  'GetItem',
  'ListTables',
  'PutItem',
  'Query',
  'Scan',
  'UpdateItem',
];
const VERSION = 'DynamoDB_20120810';

/** The library looks for a signature and does not check it; that there was one is checked before it is asked. */
const SIGNED = {
  authorization: 'AWS4-HMAC-SHA256 Credential=local, SignedHeaders=host, Signature=local',
  'x-amz-date': '20300101T000000Z',
};

const Text = z.object({ S: z.string() });
const KeyOf = z.object({ pk: Text, sk: Text });
/** What a write names: the table, and the item by its key or as a whole. */
const Write = z.object({ TableName: z.string(), Key: KeyOf.optional(), Item: KeyOf.optional() });
const Batch = z.object({
  RequestItems: z.record(
    z.string(),
    z.array(
      z.object({
        PutRequest: z.object({ Item: KeyOf }).optional(),
        DeleteRequest: z.object({ Key: KeyOf }).optional(),
      }),
    ),
  ),
});
type ItemKey = z.output<typeof KeyOf>;
const Item = z.record(z.string(), z.unknown());
const Got = z.object({ Item: Item.optional() });
const Expiring = z.object({ expiresAt: z.object({ N: z.coerce.number() }) });
/** What BatchWriteItem takes at once. */
const BATCH = 25;

/** An item by its table, as it is kept. */
interface KeptItem {
  readonly table: string;
  readonly item: Readonly<Record<string, unknown>>;
}

const Failure = z.looseObject({ __type: z.string(), message: z.string().optional() });
const Output = z.looseObject({});

/**
 * DynamoDB in this process, by dynalite, loaded at the first call; `tables` are there from then on, with the string
 * keys `pk` and `sk`. Time to live deletes nothing here: items past it stay until somebody writes over them, or until the
 * next start. What `durable` keeps are the items of `tables`: each is read back once it was written.
 */
export function createDynamoDb({
  tables = [],
  durable = forgetful,
}: {
  readonly tables?: readonly string[];
  readonly durable?: Durable | undefined;
} = {}): AwsService {
  const shelf = durable.shelf<KeptItem>('items');
  const keeps = durable !== forgetful;
  const start = once(async (): Promise<Server> => {
    const dynalite: (options: { createTableMs: number }) => Server = createRequire(import.meta.url)('dynalite');
    const server = dynalite({ createTableMs: 0 });
    for (const TableName of tables) {
      await call(server, 'CreateTable', {
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'S' },
        ],
      });
      await isActive(server, TableName);
    }
    await restore(server, shelf);
    return server;
  });
  const forward =
    (operation: string): Operation =>
    async (input) => {
      const server = await start();
      const output = await call(server, operation, input);
      if (keeps)
        for (const written of writtenBy(operation, input))
          if (tables.includes(written.table)) await keep(server, shelf, written);
      return output;
    };
  return {
    targetPrefix: VERSION,
    internalError: 'InternalServerError',
    messageField: 'message',
    operations: Object.fromEntries(OPERATIONS.map((operation) => [operation, forward(operation)])),
  };
}

/** The items that an operation may have changed. */
function writtenBy(operation: string, input: unknown): { readonly table: string; readonly key: ItemKey }[] {
  if (operation === 'BatchWriteItem')
    return Object.entries(Batch.parse(input).RequestItems).flatMap(([table, requests]) =>
      requests.flatMap(({ PutRequest, DeleteRequest }) => {
        const key = PutRequest?.Item ?? DeleteRequest?.Key;
        return key ? [{ table, key }] : [];
      }),
    );
  if (operation !== 'PutItem' && operation !== 'UpdateItem' && operation !== 'DeleteItem') return [];
  const { TableName: table, Key, Item } = Write.parse(input);
  const key = Key ?? Item;
  return key ? [{ table, key }] : [];
}

/** Reads what there is now, which may be a later write than the one that asked: that one is answered later still. */
async function keep(
  server: Server,
  shelf: Shelf<KeptItem>,
  { table, key: { pk, sk } }: { readonly table: string; readonly key: ItemKey },
): Promise<void> {
  const answer = await call(server, 'GetItem', { TableName: table, Key: { pk, sk }, ConsistentRead: true });
  const { Item: item } = Got.parse(answer);
  const place = JSON.stringify([table, pk.S, sk.S]);
  if (item) shelf.put(place, { table, item });
  else shelf.remove(place);
}

async function restore(server: Server, shelf: Shelf<KeptItem>): Promise<void> {
  const byTable = new Map<string, object[]>();
  for (const [place, { table, item }] of shelf.kept()) {
    const { expiresAt } = Expiring.safeParse(item).data ?? {};
    if (expiresAt && expiresAt.N * 1_000 < Date.now()) shelf.remove(place);
    else {
      const requests = byTable.get(table) ?? [];
      byTable.set(table, requests);
      requests.push({ PutRequest: { Item: item } });
    }
  }
  for (const [table, requests] of byTable)
    for (let at = 0; at < requests.length; at += BATCH)
      await call(server, 'BatchWriteItem', { RequestItems: { [table]: requests.slice(at, at + BATCH) } });
}

async function call(server: Server, operation: string, input: unknown): Promise<object> {
  const { status, text } = await askInProcess(server, {
    headers: { ...SIGNED, 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `${VERSION}.${operation}` },
    body: JSON.stringify(input),
  });
  const answer: unknown = JSON.parse(text);
  if (status < 300) return Output.parse(answer);
  const { __type, message = '' } = Failure.parse(answer);
  throw new AwsError(__type.split('#').at(-1) ?? __type, message, status);
}

const Described = z.looseObject({ Table: z.looseObject({ TableStatus: z.string() }) });

async function isActive(server: Server, TableName: string): Promise<void> {
  for (;;) {
    const { Table } = Described.parse(await call(server, 'DescribeTable', { TableName }));
    if (Table.TableStatus === 'ACTIVE') return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

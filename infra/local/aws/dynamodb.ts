import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import * as z from 'zod';
import { once } from '../../../lib/runtime/once.ts';
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

const Failure = z.looseObject({ __type: z.string(), message: z.string().optional() });
const Output = z.looseObject({});

/**
 * DynamoDB in this process, by dynalite, loaded at the first call; `tables` are there from then on, with the string
 * keys `pk` and `sk`. Time to live deletes nothing here: items past it stay until somebody writes over them.
 */
export function createDynamoDb({ tables = [] }: { readonly tables?: readonly string[] } = {}): AwsService {
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
    return server;
  });
  const forward =
    (operation: string): Operation =>
    async (input) =>
      call(await start(), operation, input);
  return {
    targetPrefix: VERSION,
    internalError: 'InternalServerError',
    messageField: 'message',
    operations: Object.fromEntries(OPERATIONS.map((operation) => [operation, forward(operation)])),
  };
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

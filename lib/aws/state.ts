import { randomInt, randomUUID } from 'node:crypto';
import type {
  AttributeValue,
  BatchGetItemCommandInput,
  BatchGetItemCommandOutput,
  GetItemCommandInput,
  GetItemCommandOutput,
  PutItemCommandInput,
  PutItemCommandOutput,
  QueryCommandInput,
  QueryCommandOutput,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { AutomationError } from '../errors.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import type { Deadline } from '../runtime/deadline.ts';
import { problemsOf, sentenceOf } from '../runtime/problems.ts';
import { connect, type Place } from './connection.ts';
import { AwsCallFailed, errorName } from './errors.ts';

/** Where an item lies: the partition, and its place in the order of that partition. */
export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** A value as it was read or written. `version` is for `replace` and `remove`; no two writes of a key share one. */
export interface Stored<Value> {
  readonly key: Key;
  readonly value: Value;
  readonly version: number;
}

export interface WriteOptions {
  /** From then on the item counts as absent; the table deletes it some time later. Whole seconds, rounded up. */
  readonly expiresAt?: Date;
}

export interface ListOptions {
  /** Only items whose `sk` begins so. */
  readonly prefix?: string;
  /** Goes on behind this `sk`, in the order of the list. */
  readonly after?: string;
  /** From the last `sk` to the first. */
  readonly newestFirst?: boolean;
}

/**
 * What the bundle remembers between invocations: versioned items that are never overwritten unseen.
 *
 * Every call throws AwsCallFailed once the retries or the deadline are spent. A write that threw may or may
 * not have been carried out: read again to know. Within one call, a repeat after a lost answer recognises its own write.
 */
export interface State {
  /**
   * The item as it is at this moment, or undefined. Throws StateUnreadable where the schema does not take the value.
   * An item past its `expiresAt` counts as absent.
   */
  read<S extends z.ZodType>(key: Key, schema: S, deadline: Deadline): Promise<Stored<z.output<S>> | undefined>;
  /** `read`, of many keys in few calls: what there is, in the order of the keys, and undefined where there is nothing. */
  readAll<S extends z.ZodType>(
    keys: readonly Key[],
    schema: S,
    deadline: Deadline,
  ): Promise<(Stored<z.output<S>> | undefined)[]>;
  /** Writes an item where there is none; undefined where there is one already. */
  create<V extends object>(
    key: Key,
    value: V,
    deadline: Deadline,
    options?: WriteOptions,
  ): Promise<Stored<V> | undefined>;
  /**
   * Writes over the version that was read; undefined where somebody else wrote or removed it meanwhile, or it has
   * expired. An `expiresAt` the item had is gone unless it is given again.
   */
  replace<V extends object>(
    stored: Pick<Stored<unknown>, 'key' | 'version'>,
    value: V,
    deadline: Deadline,
    options?: WriteOptions,
  ): Promise<Stored<V> | undefined>;
  /** Removes the version that was read; false where somebody else wrote or removed it meanwhile, or it has expired. */
  remove(stored: Pick<Stored<unknown>, 'key' | 'version'>, deadline: Deadline): Promise<boolean>;
  /**
   * The items of a partition in order of `sk`, page by page. Each page is as it is when it is read: an item written
   * meanwhile may or may not be among them. Throws StateUnreadable at an item the schema does not take.
   */
  list<S extends z.ZodType>(
    pk: string,
    schema: S,
    deadline: Deadline,
    options?: ListOptions,
  ): AsyncIterable<Stored<z.output<S>>>;
}

/** An item holds a value that is not what its reader expects. Names the fields, never what is in them. */
export class StateUnreadable extends AutomationError {
  override readonly name = 'StateUnreadable';
  readonly code = 'STATE_UNREADABLE';
  readonly disposition = 'give-up';

  constructor(key: Key, error: z.ZodError) {
    const problems = problemsOf(error);
    super(`the state of ${key.pk} ${key.sk} cannot be read: ${sentenceOf(problems)}`, { ...key, problems });
  }
}

const Item = z.object({
  pk: z.string(),
  sk: z.string(),
  version: z.int(),
  writer: z.string(),
  /** Missing in what `remove` leaves. */
  value: z.unknown().optional(),
  /** Epoch seconds. */
  expiresAt: z.number().optional(),
});
type Item = z.output<typeof Item>;

/** BatchGetItem takes no more keys. */
const AT_ONCE = 100;

/** First versions lie below it: far enough below the largest exact number for every life. */
const VERSIONS = 2 ** 47;

/** More writes than one life of an item ever sees. */
const LIFE = 2 ** 20;

/**
 * A version no earlier life of the key had: counted from one, an item that was removed and created anew would pass for
 * the one somebody read before.
 */
export const firstVersion = (): number => randomInt(1, VERSIONS);

/** The first second at which an item counts as absent. */
export const secondsOf = (instant: Date): number => Math.ceil(instant.getTime() / 1_000);

interface DynamoDb {
  readonly GetItem: readonly [GetItemCommandInput, GetItemCommandOutput];
  readonly BatchGetItem: readonly [BatchGetItemCommandInput, BatchGetItemCommandOutput];
  readonly PutItem: readonly [PutItemCommandInput, PutItemCommandOutput];
  readonly Query: readonly [QueryCommandInput, QueryCommandOutput];
}

/** The state in one DynamoDB table with the keys `pk` and `sk`, and `expiresAt` as its TTL attribute. */
export function createState(table: string, place?: Place, clock: Clock = systemClock): State {
  const dynamoDb = connect<DynamoDb>('dynamodb', place);
  const now = (): number => Math.floor(clock.now().getTime() / 1_000);
  const failed = (operation: string, facts: object) => (cause: unknown) => {
    throw new AwsCallFailed('dynamodb', operation, cause, { table, ...facts });
  };
  const isThere = ({ value, expiresAt }: Item): boolean =>
    value !== undefined && (expiresAt === undefined || expiresAt > now());

  const parse = <S extends z.ZodType>(item: Item, schema: S): Stored<z.output<S>> => {
    const key = { pk: item.pk, sk: item.sk };
    const parsed = schema.safeParse(item.value);
    if (!parsed.success) throw new StateUnreadable(key, parsed.error);
    return { key, value: parsed.data, version: item.version };
  };

  /** The item itself, expired and removed ones included. */
  async function find(key: Key, deadline: Deadline): Promise<Item | undefined> {
    const wanted = { TableName: table, Key: marshall(key), ConsistentRead: true };
    const { Item: found } = await dynamoDb.call('GetItem', wanted, deadline).catch(failed('GetItem', key));
    return found && itemIn(found, key);
  }

  /** The items of up to a hundred keys, by the key. What DynamoDB left out, as it does behind 16 MB, is asked for by itself. */
  async function findAll(keys: readonly Key[], deadline: Deadline): Promise<Map<string, Item>> {
    const wanted = new Map(keys.map((key) => [nameOf(key), key]));
    const Keys = [...wanted.values()].map((key) => marshall(key));
    const { Responses = {}, UnprocessedKeys = {} } = await dynamoDb
      .call('BatchGetItem', { RequestItems: { [table]: { Keys, ConsistentRead: true } } }, deadline)
      .catch(failed('BatchGetItem', { keys: Keys.length }));
    const found = new Map<string, Item>();
    for (const each of Responses[table] ?? []) {
      const key = keyIn(each);
      found.set(nameOf(key), itemIn(each, key));
    }
    for (const left of UnprocessedKeys[table]?.Keys ?? []) {
      const key = keyIn(left);
      const item = await find(key, deadline);
      if (item) found.set(nameOf(key), item);
    }
    return found;
  }

  /** True where the item is now what was to be written, false where the condition did not hold. */
  async function put(
    item: Omit<Item, 'writer'>,
    condition: Pick<
      PutItemCommandInput,
      'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
    >,
    deadline: Deadline,
  ): Promise<boolean> {
    const key = { pk: item.pk, sk: item.sk };
    const writer = randomUUID();
    const Item = marshall({ ...item, writer }, { removeUndefinedValues: true });
    try {
      await dynamoDb.call('PutItem', { TableName: table, Item, ...condition }, deadline);
      return true;
    } catch (cause) {
      if (errorName(cause) !== 'ConditionalCheckFailedException') return failed('PutItem', key)(cause);
      // A write whose answer was lost is repeated, and then what stands in its way may be that very write.
      return (await find(key, deadline))?.writer === writer;
    }
  }

  const ofVersion = (version: number) => ({
    // Spelled out without brackets, which cost the table's stand-in more than the write itself. NOT binds closest, then AND.
    ConditionExpression:
      '#version = :version AND attribute_not_exists(#expiresAt) OR #version = :version AND #expiresAt > :now',
    ExpressionAttributeNames: { '#version': 'version', '#expiresAt': 'expiresAt' },
    ExpressionAttributeValues: marshall({ ':version': version, ':now': now() }),
  });

  return {
    async read(key, schema, deadline) {
      const item = await find(key, deadline);
      return item && isThere(item) ? parse(item, schema) : undefined;
    },

    async readAll(keys, schema, deadline) {
      const found = new Map<string, Item>();
      for (let from = 0; from < keys.length; from += AT_ONCE)
        for (const [name, item] of await findAll(keys.slice(from, from + AT_ONCE), deadline)) found.set(name, item);
      return keys.map((key) => {
        const item = found.get(nameOf(key));
        return item && isThere(item) ? parse(item, schema) : undefined;
      });
    },

    async create(key, value, deadline, { expiresAt } = {}) {
      const version = firstVersion();
      const written = await put(
        { ...key, value, version, expiresAt: expiresAt && secondsOf(expiresAt) },
        {
          // Not over what this very write became: a repeat that comes late must not bring back what was removed since.
          ConditionExpression:
            'attribute_not_exists(#version) OR attribute_not_exists(#value) AND NOT #version BETWEEN :first AND :last OR #expiresAt <= :now AND NOT #version BETWEEN :first AND :last',
          ExpressionAttributeNames: { '#value': 'value', '#expiresAt': 'expiresAt', '#version': 'version' },
          ExpressionAttributeValues: marshall({ ':now': now(), ':first': version, ':last': version + LIFE }),
        },
        deadline,
      );
      return written ? { key, value, version } : undefined;
    },

    async replace({ key, version: seen }, value, deadline, { expiresAt } = {}) {
      const version = seen + 1;
      const item = { ...key, value, version, expiresAt: expiresAt && secondsOf(expiresAt) };
      return (await put(item, ofVersion(seen), deadline)) ? { key, value, version } : undefined;
    },

    async remove({ key, version: seen }, deadline) {
      // Not deleted but emptied, to be deleted by the table: an item that is gone could not say who removed it.
      return put({ ...key, version: seen + 1, expiresAt: now() }, ofVersion(seen), deadline);
    },

    async *list(pk, schema, deadline, { prefix = '', after, newestFirst = false } = {}) {
      let from: Record<string, AttributeValue> | undefined;
      if (after) {
        // DynamoDB refuses to start outside of what is asked for; behind such a place lies all of it, or nothing.
        const isBefore = Buffer.compare(Buffer.from(after), Buffer.from(prefix)) < 0;
        if (after.startsWith(prefix)) from = marshall({ pk, sk: after });
        else if (isBefore === newestFirst) return;
      }
      do {
        const asked = {
          TableName: table,
          ConsistentRead: true,
          KeyConditionExpression: prefix === '' ? 'pk = :pk' : 'pk = :pk AND begins_with(sk, :prefix)',
          ExpressionAttributeValues: marshall({ ':pk': pk, ...(prefix !== '' && { ':prefix': prefix }) }),
          ScanIndexForward: !newestFirst,
          ExclusiveStartKey: from,
        };
        const page = await dynamoDb.call('Query', asked, deadline).catch(failed('Query', { pk, prefix }));
        for (const found of page.Items ?? []) {
          const item = itemIn(found, keyIn(found));
          if (isThere(item)) yield parse(item, schema);
        }
        from = page.LastEvaluatedKey;
      } while (from);
    },
  };
}

const keyIn = (found: Record<string, AttributeValue>): Key => ({ pk: found['pk']?.S ?? '', sk: found['sk']?.S ?? '' });

const nameOf = ({ pk, sk }: Key): string => JSON.stringify([pk, sk]);

function itemIn(found: Record<string, AttributeValue>, key: Key): Item {
  const parsed = Item.safeParse(unmarshall(found));
  if (!parsed.success) throw new StateUnreadable(key, parsed.error);
  return parsed.data;
}

/**
 * Just enough of MongoDB's wire protocol for the driver to look at a cluster: OP_MSG and the handshake, and whatever
 * commands a test answers. An imitation: it proves what is asked and what is made of the answers, not how MongoDB answers.
 */

import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { BSON, type Document } from 'mongodb';

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const HEADER = 16;

/** Answers one command; `undefined` for one it does not know. */
export type Answers = (command: Document) => Document | undefined;

export interface WireServer extends AsyncDisposable {
  readonly uri: string;
  /** The names of the commands that came, in order. */
  readonly commands: readonly string[];
}

export async function startWireServer(answers: Answers): Promise<WireServer> {
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  const answer = (command: Document): Document => {
    const name = Object.keys(command)[0] ?? '';
    commands.push(name);
    return answers(command) ?? { ok: 0, code: 59, codeName: 'CommandNotFound', errmsg: `no such command: ${name}` };
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    let buffered = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      buffered = Buffer.concat([buffered, chunk]);
      while (buffered.length >= 4 && buffered.length >= buffered.readInt32LE(0)) {
        const message = buffered.subarray(0, buffered.readInt32LE(0));
        buffered = buffered.subarray(message.length);
        socket.write(reply(message, answer));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    uri: `mongodb://127.0.0.1:${port}/?directConnection=true`,
    commands,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function reply(message: Buffer, answer: (command: Document) => Document): Buffer {
  const requestId = message.readInt32LE(4);
  const opCode = message.readInt32LE(12);
  if (opCode === OP_QUERY) {
    // Flags, the name of the collection, two numbers, and then the command: only of a first handshake.
    const end = message.indexOf(0, HEADER + 4) + 1 + 8;
    const body = BSON.serialize(answer(BSON.deserialize(message.subarray(end))));
    const head = Buffer.alloc(20);
    head.writeInt32LE(1, 16);
    return framed(OP_REPLY, requestId, [head, body]);
  }
  if (opCode !== OP_MSG) throw new Error(`unknown operation ${opCode}`);
  const command = BSON.deserialize(message.subarray(HEADER + 5));
  return framed(OP_MSG, requestId, [Buffer.alloc(5), BSON.serialize(answer(command))]);
}

function framed(opCode: number, responseTo: number, parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const header = Buffer.alloc(HEADER);
  header.writeInt32LE(HEADER + body.length, 0);
  header.writeInt32LE(responseTo, 8);
  header.writeInt32LE(opCode, 12);
  return Buffer.concat([header, body]);
}

export interface ImitatedCluster {
  /** By database: its collections as listCollections tells them. */
  databases: Record<string, { name: string; type?: string; options?: Document }[]>;
  /** By `database.collection`. */
  indexes?: Record<string, { key: Document; unique?: boolean }[]>;
  roles?: string[];
  sharded?: boolean;
  standalone?: boolean;
  primary?: boolean;
  /** Hours between the oplog's first and last entry. */
  oplogHours?: number;
  /** What clients have written so far; grows by this at every look. */
  writesPerLook?: number;
}

/** The answers of a cluster that holds this. */
export function clusterAnswers(cluster: ImitatedCluster): Answers {
  let looks = 0;
  const cursor = (ns: string, firstBatch: Document[]): Document => ({
    ok: 1,
    cursor: { id: BSON.Long.ZERO, ns, firstBatch },
  });
  return (command) => {
    const db = String(command['$db'] ?? 'admin');
    if ('hello' in command || 'isMaster' in command || 'ismaster' in command) {
      return {
        ok: 1,
        helloOk: true,
        isWritablePrimary: true,
        ismaster: true,
        maxWireVersion: 25,
        minWireVersion: 0,
        maxBsonObjectSize: 16_777_216,
        maxMessageSizeBytes: 48_000_000,
        maxWriteBatchSize: 100_000,
        ...(cluster.sharded && { msg: 'isdbgrid' }),
        ...(!cluster.sharded &&
          !cluster.standalone && {
            setName: 'rs0',
            hosts: ['127.0.0.1'],
            secondary: false,
            ...(cluster.primary !== false && { primary: '127.0.0.1' }),
            ...(cluster.primary === false && { isWritablePrimary: false, ismaster: false, secondary: true }),
          }),
      };
    }
    if ('ping' in command || 'endSessions' in command) return { ok: 1 };
    if ('listDatabases' in command)
      return {
        ok: 1,
        databases: [...Object.keys(cluster.databases), 'admin', 'local', 'config'].map((name) => ({ name })),
      };
    if ('listCollections' in command)
      return cursor(
        `${db}.$cmd.listCollections`,
        (cluster.databases[db] ?? []).map(({ name, type = 'collection', options = {} }) => ({ name, type, options })),
      );
    if ('listIndexes' in command) {
      const name = `${db}.${command['listIndexes']}`;
      const indexes = cluster.indexes?.[name] ?? [{ key: { _id: 1 } }];
      return cursor(
        name,
        indexes.map((index, nth) => ({ v: 2, name: `index_${nth}`, ...index })),
      );
    }
    if ('connectionStatus' in command)
      return {
        ok: 1,
        authInfo: {
          authenticatedUsers: [{ user: 'mover', db: 'admin' }],
          authenticatedUserRoles: (cluster.roles ?? ['backup', 'readAnyDatabase']).map((role) => ({
            role,
            db: 'admin',
          })),
        },
      };
    if ('serverStatus' in command)
      return { ok: 1, opcounters: { insert: (cluster.writesPerLook ?? 0) * looks++, update: 0, delete: 0 } };
    if ('balancerStatus' in command) return { ok: 1, mode: 'full' };
    if ('find' in command && command['find'] === 'oplog.rs') {
      const isFirst = command['sort']?.['$natural'] === 1;
      const seconds = 1_700_000_000 + (isFirst ? 0 : (cluster.oplogHours ?? 48) * 3600);
      return cursor('local.oplog.rs', [{ ts: new BSON.Timestamp({ t: seconds, i: 1 }) }]);
    }
    return undefined;
  };
}

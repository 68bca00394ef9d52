import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { deserialize, serialize } from 'node:v8';
import { ConfigError } from '../../../lib/errors.ts';
import type { Durable, Shelf } from './durable.ts';

/** Changes when what an earlier version kept could be misread. */
const FORMAT = 1;
/** What nobody waits for is written this often, in milliseconds. */
const IDLE_COMMIT_MS = 50;

export interface DurableFile extends Durable, Disposable {
  readonly file: string;
  /** False where there was nothing before: the first start in this folder. */
  readonly existed: boolean;
}

/**
 * One SQLite file in `folder`, which is made, readable by its owner alone: secrets are in it. Held exclusively for as long
 * as it is open; throws ConfigError where another process has it, or where another version wrote it.
 *
 * A write-ahead log with `synchronous = NORMAL`: a commit hands the log to the operating system, so the end of this process,
 * `kill -9` too, loses nothing that was committed. A loss of power may lose the last commits, never the file.
 */
export function openDurable(folder: string): DurableFile {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const file = path.join(folder, 'state.sqlite');
  // Made here and not by SQLite, so that at no time anybody else may read it; its log takes over the mode.
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
  const database = new DatabaseSync(file, { timeout: 2_000 });
  try {
    // Exclusive first: then the log needs no shared memory, and a second host is refused at once.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    database.exec('BEGIN IMMEDIATE; COMMIT;');
  } catch (error) {
    database.close();
    if (error instanceof Error && /locked|busy/i.test(error.message))
      throw new ConfigError(`Another local host works in ${folder}: stop it, or choose another folder with --data.`);
    throw error;
  }
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  const existed = version !== 0;
  if (existed && version !== FORMAT) {
    database.close();
    throw new ConfigError(`${folder} was written by another version of this program: move it away, or choose --data.`);
  }
  database.exec(
    `CREATE TABLE IF NOT EXISTS kept (shelf TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
     PRIMARY KEY (shelf, key)) WITHOUT ROWID; PRAGMA user_version = ${FORMAT};`,
  );
  const select = database.prepare('SELECT key, value FROM kept WHERE shelf = ? ORDER BY key');
  const upsert = database.prepare(
    'INSERT INTO kept (shelf, key, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
  );
  const remove = database.prepare('DELETE FROM kept WHERE shelf = ? AND key = ?');

  /** What is to be written; a key that was removed holds nothing. */
  const dirty = new Map<string, Map<string, { readonly value: unknown } | undefined>>();
  let timer: NodeJS.Timeout | undefined;
  let open = true;

  const commit = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (dirty.size === 0 || !open) return;
    database.exec('BEGIN');
    try {
      for (const [shelf, changes] of dirty)
        for (const [key, change] of changes) {
          if (change) upsert.run(shelf, key, serialize(change.value));
          else remove.run(shelf, key);
        }
      database.exec('COMMIT');
    } catch (error) {
      database.exec('ROLLBACK');
      throw error;
    }
    dirty.clear();
  };
  let together: Promise<void> | undefined;
  const committed = (): Promise<void> => {
    together ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      together = undefined;
      commit();
    });
    return together;
  };
  const change = (shelf: string, key: string, to: { readonly value: unknown } | undefined): void => {
    const changes = dirty.get(shelf) ?? new Map<string, { readonly value: unknown } | undefined>();
    dirty.set(shelf, changes);
    changes.set(key, to);
    timer ??= setTimeout(commit, IDLE_COMMIT_MS);
  };
  const shelf = <Value>(name: string): Shelf<Value> => ({
    *kept() {
      for (const row of select.all(name)) {
        const bytes = row['value'];
        if (!(bytes instanceof Uint8Array)) continue;
        // Written by this program alone, in the format of this version.
        const value: Value = deserialize(bytes);
        yield [String(row['key']), value];
      }
    },
    put: (key, value) => change(name, key, { value }),
    remove: (key) => change(name, key, undefined),
  });
  return {
    file,
    existed,
    shelf,
    commit,
    committed,
    [Symbol.dispose]() {
      if (!open) return;
      commit();
      open = false;
      database.close();
    },
  };
}

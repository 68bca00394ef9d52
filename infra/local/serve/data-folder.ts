import path from 'node:path';
import type { AtlasSandbox } from '../atlas-sandbox/sandbox.ts';
import type { Durable } from '../durable/durable.ts';
import { type DurableFile, openDurable } from '../durable/sqlite.ts';
import type { DemoWorld } from './seed.ts';

/** What a host knows of the starts before it. */
export interface Facts {
  /** Counts the starts in this folder: ids that are made follow from it, and so do not come twice. */
  readonly starts: number;
  /** Where the ticket sandbox was: links to its tickets, and the settings of the functions, name it. */
  readonly ticketsPort?: number;
  /** What the webhooks of the sandbox of Atlas are signed with. */
  readonly webhookKey?: string;
  /** The secret that got the key of the webhooks from here. */
  readonly webhookSecret?: string;
  /** Secrets that got the credentials from the environment. */
  readonly credentials?: readonly string[];
  /** The ids of the demonstration. */
  readonly world?: { readonly org: string; readonly project: string };
}

/** The state in `folder`: what is true of the real Atlas, what is true of the real AWS, and what is played lie apart. */
export const openState = (folder: string, part: 'sandbox' | 'real-atlas' | 'real-aws'): DurableFile =>
  openDurable(path.join(folder, part));

export interface Memory {
  readonly facts: Facts;
  remember(facts: Partial<Facts>): void;
}

/** Reads what is known, and counts this start. */
export function recall(durable: Durable): Memory {
  const shelf = durable.shelf<Facts>('host');
  const [, before] = [...shelf.kept()][0] ?? [];
  let facts: Facts = { ...before, starts: (before?.starts ?? 0) + 1 };
  shelf.put('facts', facts);
  durable.commit();
  return {
    get facts() {
      return facts;
    },
    remember(more) {
      facts = { ...facts, ...more };
      shelf.put('facts', facts);
    },
  };
}

/** The demonstration of an earlier start, where the sandbox still has it. */
export function worldOf({ world: { orgs, projects } }: AtlasSandbox, { world }: Facts): DemoWorld | undefined {
  const org = orgs.get(world?.org ?? '');
  const project = projects.get(world?.project ?? '');
  return org && project && { org, project };
}

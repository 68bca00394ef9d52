import * as z from 'zod';
import type { Problem } from '../lib/runtime/problems.ts';
import { AwsAccount, AwsRegion, STACK_NAME } from './stack-settings.ts';

/** What the stages of a file are called; `all` stands for every one of them. */
const StageName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be lower-case letters, digits and hyphens, and start with a letter')
  .refine((name) => name !== 'all', 'means every stage');

/** One stage: where it is deployed to, and whatever it has other than the rest of the file. */
const Stage = z.looseObject({ account: AwsAccount, region: AwsRegion });

/** The stages of a settings file, by name. */
export const Stages = z
  .record(StageName, Stage)
  .refine((stages) => Object.keys(stages).length > 0, 'must have at least one stage');

type Tree = Readonly<Record<string, unknown>>;

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether a settings file is one for several stages. */
export const hasStages = (file: unknown): file is Tree & { readonly stages: unknown } =>
  isTree(file) && file['stages'] !== undefined;

/** Sections are put together key by key; lists and plain values are taken as a whole. A `null` takes a key away. */
function merged(below: Tree, above: Tree): Tree {
  const whole: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const before = whole[key];
    if (value === null) delete whole[key];
    else whole[key] = isTree(value) ? merged(isTree(before) ? before : {}, value) : value;
  }
  return whole;
}

/**
 * The settings of one stage: those of the whole file with the stage's own over them. The stacks of a stage carry its name
 * unless it says another one, so that two stages fit into one account.
 */
export function settingsOfStage(file: Tree, name: string, { account, region, ...own }: z.output<typeof Stage>): Tree {
  const { stages: _, ...shared } = file;
  const whole = merged(shared, own);
  const stack = isTree(whole['stack']) ? whole['stack'] : {};
  const ownStack = isTree(own['stack']) ? own['stack'] : {};
  const base = typeof stack['name'] === 'string' ? stack['name'] : STACK_NAME;
  return {
    ...whole,
    stack: {
      ...stack,
      name: typeof ownStack['name'] === 'string' ? ownStack['name'] : `${base}-${name}`,
      account,
      region,
    },
  };
}

/** Where the file says what is wrong in a stage: in that stage, or in what all of them share. */
export function pathInFile(stages: Tree, stage: string, path: string): string {
  if (path === 'stack.account' || path === 'stack.region') return `stages.${stage}.${path.slice('stack.'.length)}`;
  let inside: unknown = stages[stage];
  for (const key of path.split('.')) {
    // A list is the stage's as a whole.
    if (Array.isArray(inside)) break;
    if (!isTree(inside) || !(key in inside)) return path;
    inside = inside[key];
  }
  return `stages.${stage}.${path}`;
}

/** Stages that would be deployed onto each other. */
export function stagesInTheWay(
  all: readonly { readonly stage?: string; readonly settings: { readonly stack: StackPlace } }[],
): Problem[] {
  const placeOf = ({ stack }: { readonly stack: StackPlace }) => `${stack.account} ${stack.region} ${stack.name}`;
  return all.flatMap(({ stage, settings }, index) => {
    const other = all.slice(0, index).find((each) => placeOf(each.settings) === placeOf(settings));
    return other === undefined
      ? []
      : [
          {
            path: `stages.${stage}.stack.name`,
            problem: `is the same as in ${other.stage}, in one account and region`,
          },
        ];
  });
}

interface StackPlace {
  readonly name: string;
  readonly account?: string | undefined;
  readonly region?: string | undefined;
}

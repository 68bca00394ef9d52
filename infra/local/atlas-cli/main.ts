#!/usr/bin/env node
/**
 * `npm run atlas -- <operation> [options]`: any Atlas operation from the terminal. Prints what Atlas answered, whole, on
 * stdout and everything else on stderr. Exit status: 0 done, 1 refused by Atlas, 2 wrong usage, 3 out of reach.
 */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import yargs, { type Argv } from 'yargs';
import { hideBin } from 'yargs/helpers';
import * as z from 'zod';
import { catalogue } from '../../../lib/atlas/catalogue.ts';
import { type AtlasClient, createAtlasClient, prepare } from '../../../lib/atlas/client.ts';
import { AtlasInputInvalid, AtlasOutcomeUnknown, AtlasUnavailable } from '../../../lib/atlas/errors.ts';
import type { Operation } from '../../../lib/atlas/operations/define.ts';
import { page } from '../../../lib/atlas/operations/shapes.ts';
import { pages } from '../../../lib/atlas/pages.ts';
import { AutomationError, ConfigError } from '../../../lib/errors.ts';
import { sentenceOf } from '../../../lib/runtime/problems.ts';
import { accessFrom } from './credentials.ts';
import { type CommandOption, isList, optionsOf } from './options.ts';
import { type Format, render } from './output.ts';

const Flags = z.looseObject({
  body: z.string().optional(),
  all: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  yes: z.boolean().default(false),
  output: z.enum(['table', 'json', 'ndjson']),
});
type Flags = z.output<typeof Flags>;

interface Input {
  readonly params: Record<string, unknown>;
  readonly query: Record<string, unknown>;
  readonly body?: unknown;
}

/** The command line was wrong; nothing was sent. */
class UsageError extends AutomationError {
  override readonly name = 'UsageError';
  readonly code = 'USAGE';
  readonly disposition = 'give-up';
}

const print = (line: string): void => {
  process.stdout.write(line);
};
const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** What Atlas answers goes through whole: an operation's schema keeps only what our own code relies on. */
const whole = (op: Operation): Operation => ({ ...op, response: isList(op) ? page(z.unknown()).loose() : z.unknown() });

async function run(op: Operation, options: readonly CommandOption[], raw: unknown): Promise<void> {
  const flags = Flags.parse(raw);
  const input = await inputFrom(op, options, flags);
  const { path, body } = prepare(op, input);
  if (flags.dryRun) {
    const { origin } = accessFrom({
      ...process.env,
      MONGODB_ATLAS_CLIENT_ID: 'dry',
      MONGODB_ATLAS_CLIENT_SECRET: 'run',
    });
    print(`${op.method} ${origin}${path}\n${body === undefined ? '' : `${JSON.stringify(body, null, 2)}\n`}`);
    return;
  }
  const { origin, credentials } = accessFrom(process.env);
  const atlas = createAtlasClient({ origin, credentials });
  try {
    if (op.sunset !== undefined) say(`${op.id} is served until ${op.sunset}: expect 404 or 410 after that`);
    if (op.destructive && !flags.yes) throw await refuseToDestroy(atlas, op, input, path);
    if (op.destructive) await showVictim(atlas, op, input);
    await callAndPrint(atlas, op, input, flags);
  } catch (error) {
    if (error instanceof AtlasUnavailable || error instanceof AtlasOutcomeUnknown) say(`asked ${origin}`);
    throw error;
  } finally {
    await atlas.tokens.revoke();
  }
}

async function callAndPrint(atlas: AtlasClient, op: Operation, input: Input, flags: Flags): Promise<void> {
  const { output, all } = flags;
  if (!isList(op) || !all) {
    const answer = await atlas.call(whole(op), input);
    print(render(answer, output));
    if (isList(op) && hasNext(answer)) say('there is more: --all follows every page');
    return;
  }
  const items: unknown[] = [];
  for await (const item of pages(atlas, { ...op, response: page(z.unknown()) }, input)) {
    // Line by line nothing has to be kept: a list may be longer than memory.
    if (output === 'ndjson') print(`${JSON.stringify(item)}\n`);
    else items.push(item);
  }
  if (output !== 'ndjson') print(render({ results: items }, output));
}

const Linked = z.object({ links: z.array(z.object({ rel: z.string() })) });
const hasNext = (answer: unknown): boolean => {
  const parsed = Linked.safeParse(answer);
  return parsed.success && parsed.data.links.some(({ rel }) => rel === 'next');
};

async function refuseToDestroy(atlas: AtlasClient, op: Operation, input: Input, path: string): Promise<UsageError> {
  await showVictim(atlas, op, input);
  return new UsageError(`${op.method} ${path} can't be undone: say --yes to go ahead`);
}

/** Shows what an operation would take away, where the same path can be read. */
async function showVictim(atlas: AtlasClient, op: Operation, { params }: Input): Promise<void> {
  const reader = [...catalogue.values()].find(({ method, path }) => method === 'GET' && path === op.path);
  if (!reader) return;
  const input = { params, query: {} };
  say(`goes:\n${render(await atlas.call(whole(reader), input), 'table')}`);
}

async function inputFrom(op: Operation, options: readonly CommandOption[], flags: Flags): Promise<Input> {
  const part = (wanted: CommandOption['part']): Record<string, unknown> =>
    Object.fromEntries(
      options.filter((o) => o.part === wanted && flags[o.flag] !== undefined).map((o) => [o.field, flags[o.flag]]),
    );
  const body = flags.body === undefined ? undefined : await bodyFrom(flags.body);
  return { params: part('params'), query: part('query'), ...(op.body && { body: body ?? {} }) };
}

/** `@file`, `-` for standard input, or the JSON itself. */
async function bodyFrom(given: string): Promise<unknown> {
  const source =
    given === '-' ? await text(process.stdin) : given.startsWith('@') ? await fileText(given.slice(1)) : given;
  try {
    return JSON.parse(source);
  } catch {
    throw new UsageError('--body is not JSON (give @file, - for standard input, or the JSON itself)');
  }
}

const fileText = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch(() => {
    throw new UsageError(`--body: ${file} cannot be read`);
  });

/** 0 is not here: what fails is refused (1), wrongly asked for (2), or out of reach (3). */
function statusOf(error: unknown): number {
  if (error instanceof UsageError || error instanceof ConfigError || error instanceof AtlasInputInvalid) return 2;
  if (error instanceof AtlasUnavailable || error instanceof AtlasOutcomeUnknown) return 3;
  return 1;
}

function explain(error: unknown): string {
  if (!(error instanceof AutomationError)) return error instanceof Error ? error.message : String(error);
  const problems = error instanceof ConfigError && error.problems.length > 0 ? `: ${sentenceOf(error.problems)}` : '';
  return `${error.message}${problems}`;
}

const withOptions = (command: Argv, op: Operation, options: readonly CommandOption[]): Argv => {
  for (const { flag, type, required, description, choices } of options) {
    command.option(flag, {
      type,
      ...(type === 'string' && { nargs: 1 }),
      demandOption: required,
      describe: description,
      ...(choices && { choices }),
    });
  }
  if (op.body)
    command.option('body', {
      type: 'string',
      nargs: 1,
      demandOption: true,
      describe: 'JSON, @file, or - for standard input',
    });
  if (isList(op)) command.option('all', { type: 'boolean', describe: 'follow every page' });
  if (op.destructive) command.option('yes', { type: 'boolean', describe: 'go ahead: it cannot be undone' });
  return command.epilogue(`${op.method} ${op.path}${op.version ? `, version ${op.version}` : ''}`);
};

const formats: readonly Format[] = ['table', 'json', 'ndjson'];
const cli = yargs(hideBin(process.argv))
  .scriptName('atlas-automation')
  .usage('$0 <operation> [options]\n\nCalls one operation of the Atlas Administration API. `list` names them all.')
  .parserConfiguration({ 'camel-case-expansion': true, 'parse-numbers': false, 'parse-positional-numbers': false })
  .option('output', {
    choices: formats,
    default: process.stdout.isTTY ? 'table' : 'json',
    describe: 'how to print the answer',
  })
  .option('dry-run', { type: 'boolean', describe: 'print the request and send nothing' })
  .command(
    'list [words..]',
    'the operations, or those whose name or summary has all these words',
    (command) => command.positional('words', { type: 'string', array: true, default: [] }),
    ({ words }) => {
      const wanted = (words ?? []).map((word) => String(word).toLowerCase());
      const found = [...catalogue.values()].filter(({ id, summary }) =>
        wanted.every((word) => `${id} ${summary}`.toLowerCase().includes(word)),
      );
      const width = Math.max(0, ...found.map(({ id }) => id.length));
      for (const { id, summary, destructive } of found)
        print(`${id.padEnd(width)}  ${summary}${destructive ? ' (destructive)' : ''}\n`);
    },
  )
  .completion('completion', 'a script that completes operations and options in your shell')
  .demandCommand(1, 1, 'name an operation, or `list`')
  .strict()
  .recommendCommands()
  .help()
  .version(false)
  .fail((message, error) => {
    // Thrown, or the command would run all the same.
    throw error ?? new UsageError(message);
  });
for (const op of catalogue.values()) {
  const options = optionsOf(op);
  cli.command(
    op.id,
    op.summary,
    (command) => withOptions(command, op, options),
    (flags) => run(op, options, flags),
  );
}

try {
  await cli.parseAsync();
} catch (error) {
  say(explain(error));
  process.exitCode = statusOf(error);
}

#!/usr/bin/env node
/**
 * `npm run atlas -- <operation> [options]`: every Atlas operation, from the terminal. Prints what Atlas answered, whole, on
 * stdout and everything else on stderr. Exit status: 0 done, 1 refused by Atlas, 2 wrong usage, 3 out of reach; 130 and
 * 143 after SIGINT and SIGTERM.
 */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import yargs, { type Argv } from 'yargs';
import { hideBin } from 'yargs/helpers';
import * as z from 'zod';
import { catalogue } from '../../../lib/atlas/catalogue.ts';
import { type AtlasClient, createAtlasClient, prepare } from '../../../lib/atlas/client.ts';
import { AtlasInputInvalid, AtlasOutcomeUnknown, AtlasRejected, AtlasUnavailable } from '../../../lib/atlas/errors.ts';
import type { Operation } from '../../../lib/atlas/operations/define.ts';
import { page } from '../../../lib/atlas/operations/shapes.ts';
import { pages } from '../../../lib/atlas/pages.ts';
import { AutomationError, ConfigError } from '../../../lib/errors.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { type Deadline, deadlineIn } from '../../../lib/runtime/deadline.ts';
import { errorCode } from '../../../lib/runtime/error-code.ts';
import { problemsOf, sentenceOf } from '../../../lib/runtime/problems.ts';
import { redact } from '../../../lib/runtime/redact.ts';
import { accessFrom, CredentialsOutOfReach } from './credentials.ts';
import { nearest } from './nearest.ts';
import { type CommandOption, isList, optionsOf } from './options.ts';
import { type Format, jsonText, printable, render } from './output.ts';
import { Interrupted, patienceFor } from './patience.ts';
import { paramsFor, readerFor } from './reader.ts';

const formats = ['table', 'json', 'ndjson'] as const satisfies readonly Format[];
const yesOrNo = z.boolean('takes no value').default(false);
const Flags = z.looseObject({
  body: z.string('must be text').optional(),
  all: yesOrNo,
  dryRun: yesOrNo,
  yes: yesOrNo,
  output: z.enum(formats, `must be one of ${formats.join(', ')}`),
  timeout: z.number('must be a number of seconds').positive('must be above 0').max(86_400, 'must be a day at most'),
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

/** Nobody reads stdout any more, as after `| head -1`. */
let unread = false;

/** Resolves once the text is out, or nobody wants it. */
const print = (text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    if (unread || text === '') return resolve();
    process.stdout.write(text, (error) => {
      if (error && errorCode(error) !== 'EPIPE') return reject(error);
      unread ||= Boolean(error);
      resolve();
    });
  });
// Whoever writes is told; as events these would end the process with a token in hand.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

/** Newlines in it are ours: text from outside goes through `printable` before it gets here. */
const say = (lines: string): void => {
  process.stderr.write(`${lines.split('\n').map(printable).join('\n')}\n`);
};

/**
 * The same operation with its answer whole, since its own schema keeps only what our code relies on. What that schema
 * refuses is refused all the same. `heard` is told of every answer first.
 */
function whole(op: Operation, heard: (answer: unknown) => void = () => {}): Operation {
  const asDeclared = (answer: unknown, context: z.core.$RefinementCtx): void => {
    heard(answer);
    const { error } = op.response.safeParse(answer);
    for (const { path, message } of error?.issues ?? []) context.addIssue({ code: 'custom', path, message });
  };
  return { ...op, response: z.unknown().superRefine(asDeclared) };
}

/** One page of a list, whole in the same way. */
const wholePage = (op: Operation) => ({ ...op, response: whole(op).response.pipe(page(z.unknown())) });

async function run(op: Operation, options: readonly CommandOption[], raw: Record<string, unknown>): Promise<void> {
  const flags = flagsFrom(options, raw);
  const input = await inputFrom(op, options, flags);
  const request = prepare(op, input);
  if (flags.dryRun) {
    const { origin } = accessFrom({
      ...process.env,
      MONGODB_ATLAS_CLIENT_ID: 'dry',
      MONGODB_ATLAS_CLIENT_SECRET: 'run',
    });
    const body = request.body === undefined ? '' : `${jsonText(request.body, 2)}\n`;
    return print(`${op.method} ${origin}${request.path}\n${body}`);
  }
  const { origin, credentials } = accessFrom(process.env);
  const atlas = createAtlasClient({ origin, credentials });
  using patience = patienceFor(flags.timeout);
  const { deadline } = patience;
  try {
    if (op.sunset !== undefined) say(`${op.id} is served until ${op.sunset}: expect 404 or 410 after that`);
    if (op.destructive) {
      await showVictim(atlas, op, input, request, deadline);
      if (!flags.yes) throw new UsageError(`${op.method} ${request.path} can't be undone: say --yes to go ahead`);
    }
    await callAndPrint(atlas, op, input, flags, deadline);
  } catch (error) {
    if (error instanceof AtlasUnavailable || error instanceof AtlasOutcomeUnknown) {
      say(`asked ${origin}`);
      if (!patience.interrupted() && deadline.signal.aborted) say(`the ${flags.timeout} s of --timeout are over`);
    }
    if (patience.interrupted() && !(error instanceof Interrupted)) say(explain(error));
    throw patience.interrupted() ?? error;
  } finally {
    await atlas.tokens.revoke(deadlineIn(3_000, systemClock));
  }
}

async function callAndPrint(
  atlas: AtlasClient,
  op: Operation,
  input: Input,
  { output, all }: Flags,
  deadline: Deadline,
): Promise<void> {
  if (!isList(op) || !all) {
    const answer = await callOnce(atlas, op, input, output, deadline);
    await print(render(answer, output));
    if (isList(op) && hasNext(answer)) say('there is more: --all follows every page');
    return;
  }
  const items: unknown[] = [];
  for await (const item of pages(atlas, wholePage(op), input, deadline)) {
    deadline.signal.throwIfAborted();
    // Line by line nothing has to be kept: a list may be longer than memory.
    if (output === 'ndjson') await print(render(item, 'ndjson'));
    else items.push(item);
    if (unread) return;
  }
  if (output !== 'ndjson') await print(render({ results: items }, output));
}

/** What must not be asked twice is printed even where it is not what was expected: a secret may be in it. */
async function callOnce(
  atlas: AtlasClient,
  op: Operation,
  input: Input,
  output: Format,
  deadline: Deadline,
): Promise<unknown> {
  let heard: unknown;
  const asked = whole(op, (answer) => {
    heard = answer;
  });
  try {
    return await atlas.call(asked, input, deadline);
  } catch (error) {
    if (op.repeat === 'never') await print(render(heard, output));
    throw error;
  }
}

const Linked = z.object({ links: z.array(z.object({ rel: z.string() })) });
const hasNext = (answer: unknown): boolean => {
  const parsed = Linked.safeParse(answer);
  return parsed.success && parsed.data.links.some(({ rel }) => rel === 'next');
};

/** Shows what an operation would change. Where that can't be read it says so, and leaves it to the caller. */
async function showVictim(
  atlas: AtlasClient,
  op: Operation,
  { params }: Input,
  { path, body }: ReturnType<typeof prepare>,
  deadline: Deadline,
): Promise<void> {
  const reader = readerFor(op);
  if (!reader) {
    say(`no operation shows what it touches; the request is\n${op.method} ${path}`);
    if (body !== undefined) say(jsonText(body, 2, redact));
    return;
  }
  try {
    const input = { params: paramsFor(reader.op, params), query: {} };
    const answer = await atlas.call(whole(reader.op), input, deadline);
    say(`${reader.exact ? 'what it touches' : 'what it is part of'}, as ${reader.op.id} shows it:`);
    say(render(answer, 'table').trimEnd());
  } catch (error) {
    deadline.signal.throwIfAborted();
    say(`could not be read: ${explain(error)}`);
  }
}

/** What yargs made of the command line, checked: it makes a list of whatever is given twice. */
function flagsFrom(options: readonly CommandOption[], raw: Record<string, unknown>): Flags {
  const single = [
    ...Object.keys(Flags.shape),
    ...options.filter(({ type }) => type !== 'array').map(({ flag }) => flag),
  ];
  for (const flag of single) if (Array.isArray(raw[flag])) throw new UsageError(`--${kebab(flag)} is given twice`);
  for (const { flag } of options) {
    const value = raw[flag];
    if (Array.isArray(value) && value.length === 0) throw new UsageError(`--${flag} needs a value`);
  }
  const parsed = Flags.safeParse(raw);
  if (parsed.success) return parsed.data;
  const problems = problemsOf(parsed.error).map(({ path, problem }) => ({ path: `--${kebab(path)}`, problem }));
  throw new UsageError(sentenceOf(problems));
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

/** 0 is not here: what fails is refused (1), wrongly asked for (2), out of reach (3), or was stopped by a signal. */
function statusOf(error: unknown): number {
  if (error instanceof Interrupted) return error.status;
  if (error instanceof UsageError || error instanceof ConfigError || error instanceof AtlasInputInvalid) return 2;
  if (error instanceof AtlasUnavailable || error instanceof AtlasOutcomeUnknown) return 3;
  return error instanceof CredentialsOutOfReach ? 3 : 1;
}

const Unreadable = z.object({ fields: z.array(z.string()).catch([]) });

function explain(error: unknown): string {
  if (!(error instanceof AutomationError)) return printable(error instanceof Error ? error.message : String(error));
  if (error instanceof UsageError) return error.message;
  if (error instanceof ConfigError)
    return error.problems.length > 0 ? `${error.message}: ${sentenceOf(error.problems)}` : error.message;
  const where = [...new Set(Unreadable.parse(error.facts).fields)]
    .slice(0, 10)
    .map((field) => field || 'the whole of it');
  const more = [
    where.length > 0 ? `unreadable: ${where.join(', ')}` : undefined,
    error instanceof AtlasRejected ? error.detail : undefined,
  ];
  return printable([error.message, ...more.filter((words) => words !== undefined)].join(': '));
}

const withOptions = (command: Argv, op: Operation, options: readonly CommandOption[]): Argv => {
  for (const { flag, type, required, description, choices } of options) {
    command.option(flag, {
      type,
      ...(type !== 'array' && type !== 'boolean' && { nargs: 1 }),
      demandOption: required,
      describe: description,
      ...(choices && { choices }),
    });
  }
  if (op.body)
    command.option('body', {
      type: 'string',
      nargs: 1,
      demandOption: !op.body.safeParse({}).success,
      describe: 'JSON, @file, or - for standard input',
    });
  if (isList(op)) command.option('all', { type: 'boolean', describe: 'follow every page' });
  if (op.destructive) command.option('yes', { type: 'boolean', describe: 'go ahead: it cannot be undone' });
  return command.epilogue(epilogueOf(op));
};

const epilogueOf = (op: Operation): string =>
  [
    `${op.method} ${op.path}${op.version ? `, version ${op.version}` : ''}`,
    op.destructive && 'Destructive: what it takes away the API cannot bring back.',
    op.repeat === 'never' && 'Never sent twice: look what became of it when its answer is lost.',
    op.sunset && `Served until ${op.sunset}.`,
  ]
    .filter((line) => typeof line === 'string')
    .join('\n');

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const LIST = 'list';
const COMPLETION = 'completion';

/** Thrown for whatever yargs does not understand, in the words of whoever typed it. */
function usageError(message: string): UsageError {
  const name = cli.parsed ? String(cli.parsed.argv._[0] ?? '') : '';
  if (name === '' || catalogue.has(name) || [LIST, COMPLETION].includes(name)) return new UsageError(message);
  const names = nearest(name, catalogue.keys());
  const hint = names.length > 0 ? `Did you mean ${names.join(' or ')}?` : `\`${LIST}\` names them all.`;
  return new UsageError(`there is no operation ${printable(name)}. ${hint}`);
}

const cli = yargs(hideBin(process.argv))
  .scriptName('atlas-automation')
  .usage('$0 <operation> [options]\n\nCalls one operation of the Atlas Administration API. `list` names them all.')
  .parserConfiguration({ 'camel-case-expansion': true, 'parse-numbers': false, 'parse-positional-numbers': false })
  .option('output', {
    type: 'string',
    nargs: 1,
    choices: formats,
    default: process.stdout.isTTY ? 'table' : 'json',
    describe: 'how to print the answer',
  })
  .option('dry-run', { type: 'boolean', describe: 'print the request and send nothing' })
  .option('timeout', { type: 'number', nargs: 1, default: 300, describe: 'give up after this many seconds' })
  .command(
    `${LIST} [words..]`,
    'the operations, or those whose name or summary has all these words',
    (command) => command.positional('words', { type: 'string', array: true, default: [] }),
    ({ words }) => {
      const wanted = (words ?? []).map((word) => String(word).toLowerCase());
      const found = [...catalogue.values()].filter(({ id, summary }) =>
        wanted.every((word) => `${id} ${summary}`.toLowerCase().includes(word)),
      );
      const width = Math.max(0, ...found.map(({ id }) => id.length));
      const lines = found.map(
        ({ id, summary, destructive }) => `${id.padEnd(width)}  ${summary}${destructive ? ' (destructive)' : ''}\n`,
      );
      return print(lines.join(''));
    },
  )
  .completion(COMPLETION, 'a script that completes operations and options in your shell')
  .demandCommand(1, 1, 'name an operation, or `list`')
  .strict()
  .help()
  .version(false)
  .fail((message, error) => {
    // Thrown, or the command would run all the same.
    throw message ? usageError(message) : error;
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
  // At once: a request nobody waits for any more would keep the process alive.
  process.exit(statusOf(error));
}

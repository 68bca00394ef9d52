/**
 * `npm run doctor`: whether this machine, the settings and the account of the environment are ready, and what to do where
 * they are not. Changes nothing anywhere; a token that is minted is given back. Exit status: 0 nothing to do, 1 something
 * to do or not known, 2 wrong arguments.
 */
import path from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { checkAtlas } from './doctor/atlas-checks.ts';
import { type Finding, isWell } from './doctor/finding.ts';
import { checkBundles, checkNode, checkSettings, checkTickets } from './doctor/machine-checks.ts';
import { DIST } from './machine.ts';

const USAGE = `npm run doctor                                    look at everything
npm run doctor -- --settings settings.json        with these settings
npm run doctor -- --json                          the findings as JSON on stdout`;

const COLOURS = { ok: 'green', note: 'blue', unknown: 'yellow', fix: 'red' } as const;

const line = ({ area, verdict, text, fix }: Finding): string =>
  [
    `${styleText(COLOURS[verdict], verdict.padEnd(8))}${area.padEnd(12)} ${text}`,
    ...(fix === undefined ? [] : [`${' '.repeat(21)}→ ${fix}`]),
  ].join('\n');

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      settings: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const file = path.resolve(values.settings ?? 'settings.json');
  const { settings, findings } = checkSettings(file, values.settings !== undefined);
  const all: Finding[] = [
    checkNode(process.version),
    ...findings,
    checkBundles(DIST),
    ...(settings ? checkTickets(settings) : []),
    ...(await checkAtlas(process.env)),
  ];
  const well = isWell(all);
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ well, findings: all }, null, 2)}\n`
      : `${all.map(line).join('\n')}\n${well ? 'Nothing to fix.' : 'Something is to fix, or not known.'}\n`,
  );
  return well ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
  const isUsage = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  process.exitCode = isUsage ? 2 : 1;
}

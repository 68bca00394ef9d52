import { readFileSync } from 'node:fs';
import path from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { ConfigError } from '../lib/errors.ts';

const unusable = (file: string, problem: string): ConfigError =>
  new ConfigError(`The settings file ${file} ${problem}.`, [{ path: '(the whole)', problem }]);

function readText(file: string): string {
  try {
    // Editors on Windows may put a byte order mark first.
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw unusable(file, code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`);
  }
}

/** A parser's own message quotes the file: of it, only the place is passed on, and it is not kept as the cause. */
function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const place = /\(line \d+ column \d+\)/.exec(error instanceof Error ? error.message : '')?.[0];
    throw unusable(file, `is not valid JSON${place === undefined ? '' : ` ${place}`}`);
  }
}

function parseYaml(file: string, text: string): unknown {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const [wrong] = [...document.errors, ...document.warnings];
  const at = (offset: number): string => {
    const { line, col } = lineCounter.linePos(offset);
    return `(line ${line} column ${col})`;
  };
  if (wrong) throw unusable(file, `is not valid YAML ${at(wrong.pos[0])}`);
  try {
    // Aliases that grow without end are refused by the parser itself.
    return document.toJS();
  } catch {
    throw unusable(file, 'is not valid YAML');
  }
}

/** What stands in a settings file: YAML by its name, JSON otherwise. Throws ConfigError; the file is never quoted. */
export function readSettingsFile(file: string): unknown {
  const text = readText(file);
  return /^\.ya?ml$/i.test(path.extname(file)) ? parseYaml(file, text) : parseJson(file, text);
}

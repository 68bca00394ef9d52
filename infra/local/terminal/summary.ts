import path from 'node:path';
import { styleText } from 'node:util';
import type { RotationProof, Verdict } from '../rotate-and-prove.ts';
import type { Stop } from '../tour/stop.ts';
import { padded, safe, widthOf, wrapped } from './text.ts';

export interface Summary {
  readonly proofs: readonly RotationProof[];
  readonly stops: readonly Stop[];
  readonly seconds: number;
  /** Columns it may take; 80 unless there are more, and never above 100. */
  readonly columns?: number | undefined;
  readonly colours: boolean;
}

const NAMES: Readonly<Record<string, string>> = {
  'alert-to-ticket bridge': 'Tickets',
  'snapshot-schedule audit': 'Backups',
  'live migration': 'Migration',
};

interface Row {
  readonly isWell: boolean;
  readonly name: string;
  readonly lines: readonly string[];
  readonly seconds: number;
}

const many = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

function rotationRow(proofs: readonly RotationProof[]): Row[] {
  if (proofs.length === 0) return [];
  const failed = proofs.filter(({ problem }) => problem !== null);
  const until = proofs.flatMap(({ overlapUntil }) => overlapUntil ?? []).toSorted()[0];
  const calls = proofs.reduce((sum, { calls: made }) => sum + (made ? made.atlas + made.aws : 0), 0);
  const lines =
    failed.length > 0
      ? [`${failed.length} of ${many(proofs.length, 'secret')} were not rotated`]
      : [
          `${many(proofs.length, 'secret')} rotated; the old values work${until === undefined ? ' still' : ` until ${until.slice(0, 10)}`}`,
          ...(calls > 0 ? [`${calls} calls to Atlas and AWS; AWSCURRENT moved`] : []),
        ];
  const seconds = proofs.reduce((sum, proof) => sum + proof.seconds, 0);
  return [
    {
      isWell: failed.length === 0,
      name: 'Rotation',
      lines: [...lines, ...failed.map(({ secret, problem }) => `${safe(secret, 80)}: ${safe(problem ?? '')}`)],
      seconds,
    },
  ];
}

const stopRow = ({ capability, did, problem, seconds }: Stop): Row => ({
  isWell: problem === null,
  name: NAMES[capability] ?? capability,
  lines: [...(problem === null ? [] : [safe(problem)]), ...did.map((line) => safe(line))],
  seconds,
});

const WORDS: Readonly<Record<Verdict, string>> = { yes: 'works', no: 'FAILS', unknown: 'not known' };

/** The outcome on one screen, the worst first, for whoever looks at it for ten seconds. Ends with a newline. */
export function summaryScreen({ proofs, stops, seconds, columns = 80, colours }: Summary): string {
  const width = Math.min(100, Math.max(60, columns));
  const style = (name: 'green' | 'red' | 'bold' | 'dim', text: string): string =>
    colours ? styleText(name, text, { validateStream: false }) : text;
  const rows = [...rotationRow(proofs), ...stops.map(stopRow)].toSorted((a, b) => Number(a.isWell) - Number(b.isWell));
  const bad = rows.filter(({ isWell }) => !isWell).length;
  const title = bad === 0 ? 'Everything worked' : `${bad} of ${rows.length} did not work`;
  const took = `${seconds.toFixed(1)} s`;
  const head = `${style('bold', style(bad === 0 ? 'green' : 'red', title))}${' '.repeat(Math.max(1, width - widthOf(title) - took.length))}${style('dim', took)}`;

  const [verdictWidth, nameWidth] = [7, 11];
  const body = rows.flatMap(({ isWell, name, lines, seconds: own }) => {
    const time = `${own.toFixed(1)} s`;
    const room = width - verdictWidth - nameWidth - 7;
    const [first = '', ...rest] = lines.flatMap((line) => wrapped(line, room));
    const begin = `${padded(isWell ? style('green', 'ok') : style('red', 'FAILED'), verdictWidth)}${padded(style('bold', name), nameWidth)}`;
    return [
      `${begin}${padded(first, room)}${time.padStart(7)}`,
      ...rest.map((line) => `${' '.repeat(verdictWidth + nameWidth)}${line}`),
    ];
  });

  const nameRoom = Math.min(40, width - 50);
  const secrets = proofs.map(({ secret, scope, mode, newWorks, oldWorks }) => {
    const whose = `${scope ?? '?'}, ${mode === 'admin' ? 'by admin' : 'by itself'}`;
    return `  ${padded(safe(secret, nameRoom), nameRoom)} ${padded(whose, 18)} new ${WORDS[newWorks]}, old ${WORDS[oldWorks]}`;
  });
  const pages = stops.flatMap((stop) => stop.pages).map((page) => safe(path.relative(process.cwd(), page)));
  const where = [
    ...pages.map((page, at) => `${padded(at === 0 ? 'Reports' : '', 10)}${page}`),
    ...(stops.length > 0 ? [`${padded('Console', 10)}npm run serve prints its address`] : []),
  ];
  const parts = [[head], body, secrets.length > 0 ? ['Secrets', ...secrets] : [], where].filter(
    (part) => part.length > 0,
  );
  return `\n${parts.map((part) => part.join('\n')).join('\n\n')}\n`;
}

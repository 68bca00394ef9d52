import { html, type Markup } from '../../../../lib/html/markup.ts';

/** A stretch of time on one line. */
export interface Bar {
  readonly kind: 'life' | 'life soon' | 'life over' | 'grace';
  readonly from: number;
  readonly to: number;
}

export interface TimelineRow {
  readonly bars: readonly Bar[];
  /** When something is planned to happen. */
  readonly dueAt: number | undefined;
}

export interface Scale {
  readonly from: number;
  readonly to: number;
  readonly now: number;
}

const WIDTH = 600;
const HEIGHT = 22;

/** What all rows are drawn on: from a while ago until the last thing that ends, epoch milliseconds. */
export function scaleOf(rows: readonly TimelineRow[], now: number): Scale {
  const day = 86_400_000;
  const begins = rows.flatMap(({ bars }) => bars.map(({ from }) => from));
  const ends = rows.flatMap(({ bars, dueAt }) => [
    ...bars.map(({ to }) => to),
    ...(dueAt === undefined ? [] : [dueAt]),
  ]);
  // A life of years would make a day of grace invisible.
  const from = Math.max(now - 60 * day, Math.min(now - day, ...begins));
  const to = Math.min(now + 400 * day, Math.max(now + 7 * day, ...ends));
  return { from, to, now };
}

const place =
  ({ from, to }: Scale) =>
  (at: number): number =>
    Math.round(((Math.min(Math.max(at, from), to) - from) / (to - from)) * WIDTH);

/** One line of the timeline. What it shows stands in the text beside it as well. */
export function timelineRow({ bars, dueAt }: TimelineRow, scale: Scale): Markup {
  const x = place(scale);
  const drawn = bars.map(({ kind, from, to }) => {
    const [left, right] = [x(from), x(to)];
    const [y, height] = kind === 'grace' ? [15, 5] : [5, 8];
    return html`<rect class="${kind}" x="${left}" y="${y}" width="${Math.max(2, right - left)}" height="${height}"/>`;
  });
  const due = dueAt === undefined ? undefined : html`<path class="due" d="M${x(dueAt)} 2v14"/>`;
  return html`<svg class="life-line" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">${drawn}${due}<path class="now" d="M${x(scale.now)} 0v${HEIGHT}"/></svg>`;
}

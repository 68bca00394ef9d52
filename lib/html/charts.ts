import { html, type Markup } from './markup.ts';
import { grouped } from './time.ts';

/** The roles that colours have; see the theme. */
export type Tone = 'fail' | 'unknown' | 'warn' | 'exempt' | 'pass' | 'none';

export interface Part {
  readonly tone: Tone;
  readonly value: number;
  readonly name: string;
}

const round = (value: number): number => Math.round(value * 10) / 10;

/** Parts of a whole, side by side. Says its numbers to those who cannot see it unless a table beside it does. */
export const shares = (parts: readonly Part[], label?: string): Markup => {
  const total = parts.reduce((sum, { value }) => sum + value, 0);
  let x = 0;
  const bars = parts.flatMap(({ tone, value }) => {
    if (value === 0) return [];
    const from = x;
    x += (value / total) * 100;
    return [html`<rect class="fill-${tone}" x="${round(from)}%" width="${round(x - from)}%" height="10"/>`];
  });
  return html`<svg class="shares" width="100%" height="10" ${spoken(label)}><rect class="fill-sunken" width="100%" height="10"/>${bars}</svg>`;
};

export interface Column {
  readonly name: string;
  readonly parts: readonly Part[];
}

/** Columns of stacked parts, each with its sum on top and its name below. */
export const columns = (of: readonly Column[], label: string): Markup => {
  const [width, height, foot, head] = [92, 120, 24, 20];
  const sums = of.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0));
  const most = Math.max(1, ...sums);
  const drawn = of.map(({ name, parts }, at) => {
    const middle = at * width + width / 2;
    let y = head + height;
    const bars = parts.flatMap(({ tone, value }) => {
      if (value === 0) return [];
      // Something that is there is seen, however little it is beside the rest.
      const tall = Math.max(2, (value / most) * height);
      y -= tall;
      return [html`<rect class="fill-${tone}" x="${middle - 26}" y="${round(y)}" width="52" height="${round(tall)}"/>`];
    });
    return html`${bars}<text class="value" x="${middle}" y="${round(y - 6)}" text-anchor="middle">${grouped(sums[at] ?? 0)}</text><text x="${middle}" y="${head + height + 17}" text-anchor="middle">${name}</text>`;
  });
  const box = `0 0 ${of.length * width} ${head + height + foot}`;
  return html`<svg class="columns" viewBox="${box}" ${spoken(label)}>${drawn}<path class="axis" d="M0 ${head + height}.5H${of.length * width}"/></svg>`;
};

export interface Mark {
  readonly at: number;
  readonly kind: string;
}

export interface Timeline {
  readonly from: number;
  readonly to: number;
  readonly marks: readonly Mark[];
  readonly spans: readonly { readonly from: number; readonly to: number }[];
}

/** Marks on a stretch of time, and the spans where they are missed; epoch seconds. Text beside it must say the same. */
export const timeline = ({ from, to, marks, spans }: Timeline): Markup => {
  const x = (at: number): number => Math.round(((Math.min(Math.max(at, from), to) - from) / (to - from)) * 500);
  const holes = spans.flatMap((span) => {
    const [left, right] = [x(span.from), x(span.to)];
    return right > left ? [html`<rect class="hole" x="${left}" width="${right - left}" height="20"/>`] : [];
  });
  const ticks = [...Map.groupBy(marks, ({ kind }) => kind)].map(
    ([kind, of]) => html`<path class="mark ${kind}" d="${of.map(({ at }) => `M${x(at)} 4v12`).join('')}"/>`,
  );
  return html`<svg class="timeline" viewBox="0 0 500 20" preserveAspectRatio="none" aria-hidden="true">${holes}${ticks}</svg>`;
};

/** A length on a logarithmic scale up to `most`, with a notch at what is usual. Text beside it must say the same. */
export const reach = (value: number, most: number, tone: Tone, notch?: number): Markup => {
  const x = (of: number): number => round(Math.min(1, Math.log1p(Math.max(0, of)) / Math.log1p(most)) * 100);
  const mark = notch === undefined ? undefined : html`<rect class="notch" x="${x(notch)}%" width="2" height="12"/>`;
  return html`<svg class="reach" width="100%" height="12" aria-hidden="true"><rect class="fill-sunken" y="3" width="100%" height="6"/><rect class="fill-${tone}" y="3" width="${x(value)}%" height="6"/>${mark}</svg>`;
};

export interface Curve {
  /** In order of time; epoch seconds. */
  readonly points: readonly { readonly at: number; readonly value: number }[];
  /** Drawn as a line of its own: what the value is to stay under. */
  readonly limit: number;
  readonly label: string;
}

/** A value over time on a logarithmic scale. */
export const curve = ({ points, limit, label }: Curve): Markup => {
  const [width, height] = [720, 160];
  const [from, to] = [points[0]?.at ?? 0, points.at(-1)?.at ?? 0];
  const most = Math.max(limit, 1, ...points.map(({ value }) => value));
  const x = (at: number): number => round(((at - from) / Math.max(1, to - from)) * width);
  const y = (value: number): number =>
    round(height - (Math.log1p(Math.max(0, value)) / Math.log1p(most)) * (height - 8));
  const d = points.map(({ at, value }, nth) => `${nth === 0 ? 'M' : 'L'}${x(at)} ${y(value)}`).join('');
  return html`<svg class="curve" viewBox="0 0 ${width} ${height + 1}" ${spoken(label)}><path class="limit" d="M0 ${y(limit)}H${width}"/><path class="axis" d="M0 ${height}.5H${width}"/><path class="line" d="${d}"/></svg>`;
};

const spoken = (label: string | undefined): Markup =>
  label === undefined ? html`aria-hidden="true"` : html`role="img" aria-label="${label}"`;

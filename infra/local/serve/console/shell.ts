import { createHash } from 'node:crypto';
import { html, type Markup } from '../../../../lib/html/markup.ts';
import { page } from '../../../../lib/html/page.ts';
import { theme } from '../../../../lib/html/theme.ts';
import { styles } from './styles.ts';

export const PAGES = [
  ['/', 'Overview'],
  ['/functions', 'Functions'],
  ['/secrets', 'Rotation'],
  ['/backups', 'Backups'],
  ['/migrations', 'Migrations'],
  ['/tickets', 'Incidents'],
  ['/queue', 'Queue'],
  ['/events', 'Events'],
] as const;

/**
 * Takes in what is new, without moving anything under the hands of whoever types. The page is read without it, too:
 * then reloading does the same.
 */
const LIVE = `
const main = () => document.querySelector('main');
const typing = () => main().contains(document.activeElement) && document.activeElement.matches('input, textarea, select, button, summary');
const changed = (field) => field.type === 'checkbox' ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
const touched = () => [...main().querySelectorAll('textarea, input')].some(changed) || main().querySelector('.problem[role=alert]') !== null;
/* What somebody is about to press stays where it is. */
const pressing = () => main().querySelector(':is(a, button, summary, label):hover') !== null;
const note = document.getElementById('live');
let waiting = false;
const refresh = async () => {
  if (typing() || touched() || pressing() || document.querySelector('main details[open]')) { note.textContent = 'there is news: reload'; return; }
  if (waiting) return;
  waiting = true;
  try {
    const scrolled = [...main().querySelectorAll('.scroll')].map((each) => each.scrollLeft);
    const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
    if (!answer.ok) { note.textContent = 'reload the page'; return; }
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('main');
    if (fresh && !typing() && !touched() && !pressing()) {
      main().replaceWith(document.adoptNode(fresh));
      main().querySelectorAll('.scroll').forEach((each, nth) => { each.scrollLeft = scrolled[nth] ?? 0; });
    }
    note.textContent = 'live';
  } catch { note.textContent = 'not connected'; } finally { waiting = false; }
};
const source = new EventSource('/live');
source.onopen = () => { note.textContent = 'live'; };
source.onmessage = refresh;
source.onerror = () => { note.textContent = 'not connected'; };
addEventListener('pagehide', () => source.close());
/* What is left of a time grows less while nothing happens. */
setInterval(() => { if (!document.hidden && document.querySelector('[data-passes]')) refresh(); }, 30000);
`;

export interface Shell {
  readonly title: string;
  readonly path: string;
  /** What is real here, in a few words. */
  readonly mode: string;
  readonly body: Markup;
}

/** One page of the console. */
export const shell = ({ title, path, mode, body }: Shell): string =>
  page({
    title: `${title} · Atlas Automation`,
    styles: [theme, styles],
    script: LIVE,
    served: true,
    body: html`<a class="skip" href="#content">Skip to the content</a>
<header class="top"><div class="frame">
<p class="brand"><b>Atlas Automation</b> <span class="tag">${mode}</span> <span class="quiet small" id="live" role="status"></span></p>
<nav aria-label="Pages"><ul>${PAGES.map(
      ([to, name]) => html`<li><a href="${to}" ${isUnder(path, to) && html`aria-current="page"`}>${name}</a></li>`,
    )}</ul></nav>
</div></header>
<main id="content" class="frame" tabindex="-1"><h1>${title}</h1>
${body}</main>`,
  });

const isUnder = (path: string, to: string): boolean => (to === '/' ? path === '/' : path.startsWith(to));

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** The policy as a header: what the page says itself, and that nobody may put it into a frame. */
export const POLICY = [
  "default-src 'none'",
  `style-src ${hashOf([theme, styles].join('\n'))}`,
  `script-src ${hashOf(LIVE)}`,
  'img-src data:',
  "connect-src 'self'",
  "form-action 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

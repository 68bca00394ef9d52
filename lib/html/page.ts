import { createHash } from 'node:crypto';
import { html, type Markup, trusted } from './markup.ts';

export interface Page {
  readonly title: string;
  /** Style sheets of the project's own making, in order. */
  readonly styles: readonly string[];
  /** A script of the project's own making; the page must be readable without it. */
  readonly script?: string;
  /** For a page a server of ours serves: it may send forms there and ask it for more, and nobody else for anything. */
  readonly served?: boolean;
  readonly body: Markup;
}

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** The only ones that run are the style and the script of this page; nothing is fetched, framed from or sent anywhere. */
const policy = (style: string, script: string, served: boolean): string =>
  [
    "default-src 'none'",
    `style-src ${hashOf(style)}`,
    `script-src ${script === '' ? "'none'" : hashOf(script)}`,
    'img-src data:',
    "base-uri 'none'",
    ...(served ? ["connect-src 'self'", "form-action 'self'", "frame-src 'self'"] : ["form-action 'none'"]),
  ].join('; ');

/** A whole page in one file: opens from a disk, asks nobody for anything, and cannot be made to. */
export const page = ({ title, styles, script = '', served = false, body }: Page): string => {
  const style = styles.join('\n');
  // Either would end the element early; both are ours, so this is a mistake in the sources.
  if (/<\/(style|script)/i.test(style + script)) throw new Error('a style or script must not close its own element');
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(style, script, served)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="${served ? 'same-origin' : 'no-referrer'}">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${trusted(style)}</style>
</head>
<body>
${body}
${script !== '' && html`<script>${trusted(script)}</script>`}
</body>
</html>
`.toString();
};

/** Values for a page's own script. Read with JSON.parse(element.textContent); never run. */
export const dataBlock = (id: string, value: unknown): Markup =>
  html`<script type="application/json" id="${id}">${trusted(
    JSON.stringify(value).replaceAll(
      /[<>&\u2028\u2029]/g,
      (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  )}</script>`;

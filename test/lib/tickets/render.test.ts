import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import MarkdownIt from 'markdown-it';
import { Lexer, type Token, type Tokens } from 'marked';
import { type DefaultTreeAdapterTypes, parseFragment } from 'parse5';
import { describe, expect, it } from 'vitest';
import { toAdf, wordsOfAdf } from '../../../lib/tickets/render/adf.ts';
import { toHtml } from '../../../lib/tickets/render/html.ts';
import { cut, safeHref, titleOf } from '../../../lib/tickets/render/inert.ts';
import { toMarkdown } from '../../../lib/tickets/render/markdown.ts';
import { toPlain } from '../../../lib/tickets/render/plain.ts';
import { toMrkdwn, toRichText } from '../../../lib/tickets/render/slack.ts';
import { code, facts, link, list, paragraph, strong, type Text } from '../../../lib/tickets/text.ts';
import { assertProperty } from '../../support/properties.ts';
import { attacks, document, essence, hostile, MEANT, wordsOf } from './hostile.ts';

const LONG = 1_000_000;
const meant = safeHref(MEANT)!;

/** One document with every attack at every place. */
const everywhere: Text = attacks.flatMap((text) => [
  paragraph(text, strong(text), { text, style: 'code' }, link(text, MEANT), link(text, 'javascript:alert(1)')),
  list([[text], [strong(text)]]),
  facts({ [text]: text }),
  code(text),
]);

type HtmlNode = DefaultTreeAdapterTypes.ChildNode;

function walkHtml(html: string): { elements: DefaultTreeAdapterTypes.Element[]; text: string; comments: number } {
  const elements: DefaultTreeAdapterTypes.Element[] = [];
  let text = '';
  let comments = 0;
  const visit = (node: HtmlNode): void => {
    if (node.nodeName === '#text' && 'value' in node) text += node.value;
    if (node.nodeName === '#comment') comments += 1;
    if ('tagName' in node) elements.push(node);
    if ('childNodes' in node) node.childNodes.forEach(visit);
  };
  parseFragment(html).childNodes.forEach(visit);
  return { elements, text, comments };
}

const hrefsOf = (elements: readonly DefaultTreeAdapterTypes.Element[]): (string | undefined)[] =>
  elements
    .filter(({ tagName }) => tagName === 'a')
    .map(({ attrs }) => attrs.find(({ name }) => name === 'href')?.value);

/** What a tracker looks for in finished text. */
const ALIVE = [/@[\p{L}\p{N}_[<-]|[\p{L}\p{N}]@/u, /#\d/, /\bGH-\d/i, /\/\//, /\bwww\./i, /\{\{|\{%/, /\[\/?code\]/i];
const expectNothingAlive = (text: string): void => {
  for (const pattern of ALIVE) expect(text).not.toMatch(pattern);
};

describe('Atlassian Document Format', () => {
  // Of the package @atlaskit/adf-schema, version 57.7.22 (Apache-2.0), whose code would bring fifty packages along.
  const schema = JSON.parse(readFileSync(path.join(import.meta.dirname, 'adf-schema.json'), 'utf8'));
  const valid = new Ajv({ strict: false }).compile({ ...schema, $schema: undefined });
  const nodesOf = (node: unknown): { type?: string; marks?: { type: string; attrs?: { href?: string } }[] }[] => {
    if (typeof node !== 'object' || node === null) return [];
    const children = 'content' in node && Array.isArray(node.content) ? node.content : [];
    return [node, ...children.flatMap(nodesOf)];
  };
  const expectInert = (text: Text): void => {
    const adf = toAdf(text, LONG);
    expect(valid(adf), JSON.stringify(valid.errors?.slice(0, 3))).toBe(true);
    for (const node of nodesOf(adf)) {
      expect([
        'doc',
        'paragraph',
        'bulletList',
        'listItem',
        'table',
        'tableRow',
        'tableHeader',
        'tableCell',
        'codeBlock',
        'text',
      ]).toContain(node.type);
      for (const mark of node.marks ?? []) {
        expect(['strong', 'code', 'link']).toContain(mark.type);
        if (mark.type === 'link') expect(mark.attrs?.href).toBe(meant);
      }
    }
    expect(essence(wordsOfAdf(adf))).toBe(essence(wordsOf(text)));
  };

  it('is valid by Atlassian’s own schema, has no mention, and keeps every word', () => {
    expectInert(everywhere);
    assertProperty(fc.property(document, expectInert), { numRuns: 150 });
  });

  it('is refused by that schema where it should be', () => {
    expect(
      valid({ type: 'doc', version: 1, content: [{ type: 'paragraph', content: [{ type: 'text', text: '' }] }] }),
    ).toBe(false);
  });
});

describe('Markdown', () => {
  const github = (markdown: string) => {
    const links: string[] = [];
    const raw: string[] = [];
    const visit = (token: Token): void => {
      if (token.type === 'link' || token.type === 'image') links.push((token as Tokens.Link).href);
      if (token.type === 'html') raw.push(token.raw);
      if ('tokens' in token) (token.tokens ?? []).forEach(visit);
      if (token.type === 'list') (token as Tokens.List).items.forEach(visit);
      if (token.type === 'table')
        [...(token as Tokens.Table).header, ...(token as Tokens.Table).rows.flat()]
          .flatMap(({ tokens }) => tokens)
          .forEach(visit);
    };
    new Lexer({ gfm: true }).lex(markdown).forEach(visit);
    return { links, raw };
  };
  const commonMark = new MarkdownIt({ html: true, linkify: true });
  commonMark.linkify.set({ fuzzyLink: false, fuzzyEmail: true });

  const expectInert = (text: Text): void => {
    const markdown = toMarkdown(text, LONG);
    const seen = github(markdown);
    expect(seen.raw).toEqual([]);
    expect(new Set([...seen.links, meant])).toEqual(
      new Set([meant, ...seen.links.map(() => meant.replace('|', '%7C'))]),
    );
    const { elements, text: words, comments } = walkHtml(commonMark.render(markdown));
    expect(comments).toBe(0);
    const allowed = ['p', 'ul', 'li', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'pre', 'code', 'strong', 'a'];
    for (const { tagName } of elements) expect(allowed).toContain(tagName);
    for (const href of hrefsOf(elements)) expect(href).toBe(meant.replace('|', '%7C'));
    const outside = walkHtml(commonMark.render(markdown).replaceAll(/<code[\s\S]*?<\/code>/g, '')).text;
    expectNothingAlive(outside);
    // A link without words gets some, an empty item a dash, and nothing else is added or lost.
    expect(essence(words).replaceAll('link', '')).toBe(essence(wordsOf(text)).replaceAll('link', ''));
  };

  it('makes no link, mention, reference or tag that was not meant, and keeps every word', () => {
    expectInert(everywhere);
    assertProperty(fc.property(document, expectInert), { numRuns: 200 });
  });
});

describe('HTML', () => {
  const expectInert = (text: Text): void => {
    const { elements, text: words, comments } = walkHtml(toHtml(text, LONG));
    expect(comments).toBe(0);
    for (const { tagName, attrs } of elements) {
      expect(['p', 'ul', 'li', 'table', 'tbody', 'tr', 'th', 'td', 'pre', 'b', 'code', 'a']).toContain(tagName);
      expect(attrs.map(({ name }) => name)).toEqual(tagName === 'a' ? ['href'] : []);
    }
    for (const href of hrefsOf(elements)) expect(href).toBe(meant);
    expectNothingAlive(words);
    expect(essence(words).replaceAll('link', '')).toBe(essence(wordsOf(text)).replaceAll('link', ''));
  };

  it('has no element, attribute or address that was not meant, and keeps every word', () => {
    expectInert(everywhere);
    assertProperty(fc.property(document, expectInert), { numRuns: 200 });
  });
});

describe('plain text', () => {
  it('holds nothing alive, even read as HTML', () => {
    const expectInert = (text: Text): void => {
      const plain = toPlain(text, LONG);
      expect(walkHtml(plain).elements).toEqual([]);
      expectNothingAlive(plain.replaceAll(meant, ''));
    };
    expectInert(everywhere);
    assertProperty(fc.property(document, expectInert), { numRuns: 200 });
  });
});

describe('Slack', () => {
  it('is rich text whose elements are text and the links that were meant', () => {
    const visit = (element: unknown): void => {
      const { type, elements, url, text } = element as {
        type: string;
        elements?: unknown[];
        url?: string;
        text?: string;
      };
      expect(['rich_text', 'rich_text_section', 'rich_text_list', 'rich_text_preformatted', 'text', 'link']).toContain(
        type,
      );
      if (type === 'link') expect(url).toBe(meant);
      if (type === 'text') expect(text).not.toBe('');
      if (elements) expect(elements.length).toBeGreaterThan(0);
      elements?.forEach(visit);
    };
    visit(toRichText(everywhere));
    assertProperty(fc.property(document, (text) => visit(toRichText(text))));
  });

  it('is mrkdwn without commands, links and styles in notifications', () => {
    const expectInert = (text: string): void => {
      const mrkdwn = toMrkdwn(text);
      expect(mrkdwn).not.toMatch(/[<>\n]/);
      expect(mrkdwn).not.toMatch(/(^|[\s\p{P}])[*_~`](?=\S)/u);
      expect(mrkdwn.replaceAll(/&(amp|lt|gt);/g, '')).not.toContain('&');
      expectNothingAlive(mrkdwn);
    };
    for (const text of attacks) expectInert(text);
    assertProperty(fc.property(hostile, expectInert));
  });
});

describe('limits', () => {
  const renderers = {
    adf: toAdf,
    markdown: toMarkdown,
    html: toHtml,
    plain: toPlain,
  } as const;
  const sizeOf = (rendered: unknown): number =>
    (typeof rendered === 'string' ? rendered : JSON.stringify(rendered)).length;

  it.each(Object.entries(renderers))('are kept by %s, with a mark where something is missing', (_, render) => {
    assertProperty(
      fc.property(document, fc.integer({ min: 250, max: 3_000 }), (text, limit) => {
        const rendered = render(text, limit);
        expect(sizeOf(rendered)).toBeLessThanOrEqual(limit);
        if (sizeOf(render(text, LONG)) > limit) expect(JSON.stringify(rendered)).toContain('Shortened');
        expect(JSON.stringify(rendered)).not.toMatch(/\\ud[89a-f]/i);
      }),
      { numRuns: 200 },
    );
  });

  it('cut titles between characters, on one line, and never to nothing', () => {
    assertProperty(
      fc.property(hostile, fc.integer({ min: 20, max: 300 }), (text, limit) => {
        const title = titleOf(text, limit);
        expect(title.length).toBeLessThanOrEqual(limit);
        expect([...title].length).toBeGreaterThan(0);
        expect(title.isWellFormed()).toBe(true);
        expect(title).not.toMatch(/[\r\n\u202a-\u202e\u2066-\u2069]/);
        expectNothingAlive(title);
      }),
      { numRuns: 200 },
    );
    expect(titleOf('', 100)).toBe('(no title)');
    expect(titleOf('x'.repeat(10_000), 255)).toHaveLength(255);
    expect(cut('👨‍👩‍👧‍👦👨‍👩‍👧‍👦', 14)).toBe('👨‍👩‍👧‍👦…');
    expect(cut('🇩🇪🇫🇷', 6)).toBe('🇩🇪…');
  });
});

import fc from 'fast-check';
import type { Block, Line, Span, Text } from '../../../lib/tickets/text.ts';

/** Where the documents' own links lead: nothing else may. */
export const MEANT = 'https://cloud.mongodb.com/v2/5f1b6e6b8f4b2c0001a1b2c3?x=1&y=(2)_*|%20#/alerts/@me';

/** What people and machines have tried on ticket systems. */
export const attacks: readonly string[] = [
  '@here @channel @everyone <!here> <!channel|here> <@U0123> <#C012|general>',
  '@octocat please see #42, GH-7 and octo/ops#3; cc @octo/team-a',
  '[~accountid:5b10a2844c20165700ede21g] [~admin] {code}x{code} {panel}y{panel} !image.png|width=1!',
  '<script>alert(1)</script><img src=x onerror=alert(1)><svg/onload=alert(1)>',
  '</pre></code></td></table><h1>out</h1><!-- --><![CDATA[x]]><?php ?>',
  '"><a href="javascript:alert(1)">x</a>',
  '[x](javascript:alert(1)) ![y](https://evil.example/a.png) [z]: https://evil.example',
  'https://evil.example/login http://evil.example www.evil.example mailto:a@evil.example ada@evil.example',
  '//evil.example/login //www.evil.example ///evil.example',
  '<https://evil.example|MongoDB Atlas> <https://evil.example>',
  '<!-- atlas-incident: abcdef0123456789 -->',
  '# heading\n## another\n- list\n1. one\n> quote\n---\n===\n```js\nx\n```\n~~~\ny',
  '| a | b |\n| --- | --- |\n| c | d |',
  '**bold** __bold__ *em* _em_ ~~strike~~ `code` ``co`de`` \\*escaped\\* &lt;b&gt; &amp; &#64;here',
  '{{ticket.requester.email}} {% include x %} [code]<b>raw</b>[/code]',
  '$x^2$ $$\\href{javascript:alert(1)}{x}$$ :tada: [^1]',
  '\u202egnp.exe\u202c \u2066x\u2069 \u0000\u0007\u001b[31mred \ufeff\u2028line\u2029para',
  '\ud800 lone \udc00 surrogates 😀👨‍👩‍👧‍👦🇩🇪 e\u0301 שלום مرحبا',
  '   \t\r\n  ',
  '',
  'x'.repeat(10_000),
];

const word = fc.oneof(
  fc.constantFrom(...attacks),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.stringMatching(/^[@#<>[\]()`*_~|\\!&:/.a-z0-9 \n-]{0,30}$/),
  fc.constantFrom('@', '<', '`', '``', '|', '\\', 'http://', 'www.', '#', '-', '1.', '&', '*', '_', '[', ']('),
);
/** Hostile text, in many mixtures. */
export const hostile: fc.Arbitrary<string> = fc
  .array(word, { minLength: 1, maxLength: 6 })
  .map((words) => words.join(''));

const span: fc.Arbitrary<Span> = fc.oneof(
  hostile,
  fc.record({ text: hostile, style: fc.constantFrom('strong' as const, 'code' as const) }),
  fc.record({
    text: hostile,
    href: fc.constantFrom(
      MEANT,
      'javascript:alert(1)',
      'https://user:pw@evil.example/',
      'data:text/html,x',
      'not a url',
      '',
    ),
  }),
);
const line: fc.Arbitrary<Line> = fc.array(span, { maxLength: 4 });
const block: fc.Arbitrary<Block> = fc.oneof(
  line.map((spans) => ({ kind: 'paragraph' as const, spans })),
  fc.array(line, { maxLength: 4 }).map((items) => ({ kind: 'list' as const, items })),
  fc
    .array(fc.record({ name: hostile, value: line }), { maxLength: 4 })
    .map((rows) => ({ kind: 'facts' as const, rows })),
  hostile.map((text) => ({ kind: 'code' as const, text })),
);
export const document: fc.Arbitrary<Text> = fc.array(block, { minLength: 1, maxLength: 6 });

const ofLine = (spans: Line): string => spans.map((each) => (typeof each === 'string' ? each : each.text)).join('');

function ofBlock(each: Block): string {
  switch (each.kind) {
    case 'paragraph':
      return ofLine(each.spans);
    case 'list':
      return each.items.map(ofLine).join(' ');
    case 'facts':
      return each.rows.map(({ name, value }) => `${name} ${ofLine(value)}`).join(' ');
    case 'code':
      return each.text;
  }
}

/** Every word of a document, as it should reach people. */
export const wordsOf = (text: Text): string => text.map(ofBlock).join(' ');

/** Letters and digits alone: what is left whatever the markup, the breaks and the white space. */
export const essence = (text: string): string => text.toWellFormed().replace(/[^\p{L}\p{N}]+/gu, '');

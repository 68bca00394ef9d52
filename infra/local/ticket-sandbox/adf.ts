/** Nodes this sandbox knows, with what may stand in each. Source: https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/ */
const INLINE = ['text', 'hardBreak', 'mention', 'emoji', 'inlineCard', 'date', 'status'];
const BLOCKS = [
  'paragraph',
  'bulletList',
  'orderedList',
  'codeBlock',
  'blockquote',
  'heading',
  'panel',
  'rule',
  'table',
];
const CHILDREN: Readonly<Record<string, readonly string[]>> = {
  doc: BLOCKS,
  paragraph: INLINE,
  heading: INLINE,
  bulletList: ['listItem'],
  orderedList: ['listItem'],
  listItem: ['paragraph', 'bulletList', 'orderedList', 'codeBlock'],
  codeBlock: ['text'],
  blockquote: ['paragraph'],
  panel: ['paragraph', 'bulletList', 'orderedList', 'heading'],
  table: ['tableRow'],
  tableRow: ['tableHeader', 'tableCell'],
  tableHeader: BLOCKS,
  tableCell: BLOCKS,
};
const NEEDS_CONTENT = new Set([
  'bulletList',
  'orderedList',
  'listItem',
  'table',
  'tableRow',
  'tableCell',
  'tableHeader',
]);
const MARKS = new Set(['strong', 'em', 'code', 'link', 'strike', 'underline', 'subsup', 'textColor']);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether Jira would take this as a document. */
export const isAdf = (value: unknown): boolean =>
  isObject(value) &&
  value['type'] === 'doc' &&
  value['version'] === 1 &&
  Array.isArray(value['content']) &&
  isNode(value);

function isNode(node: Record<string, unknown>): boolean {
  const type = String(node['type']);
  if (type === 'text')
    return (
      typeof node['text'] === 'string' &&
      node['text'] !== '' &&
      (node['marks'] === undefined || areMarks(node['marks']))
    );
  const allowed = Object.hasOwn(CHILDREN, type) ? CHILDREN[type] : undefined;
  if (!allowed) return INLINE.includes(type) || type === 'rule';
  const content = node['content'] ?? [];
  if (!Array.isArray(content)) return false;
  if (NEEDS_CONTENT.has(type) && content.length === 0) return false;
  return content.every((child) => isObject(child) && allowed.includes(String(child['type'])) && isNode(child));
}

const areMarks = (marks: unknown): boolean =>
  Array.isArray(marks) &&
  marks.every((mark) => {
    if (!isObject(mark) || !MARKS.has(String(mark['type']))) return false;
    return mark['type'] !== 'link' || (isObject(mark['attrs']) && typeof mark['attrs']['href'] === 'string');
  });

/** The characters of all text in a document. */
export function textOf(node: unknown): string {
  if (!isObject(node)) return '';
  const own = typeof node['text'] === 'string' ? node['text'] : '';
  return own + (Array.isArray(node['content']) ? node['content'].map(textOf).join('') : '');
}

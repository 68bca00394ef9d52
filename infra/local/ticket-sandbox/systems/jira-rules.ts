import { isAdf, textOf } from '../adf.ts';
import { type Before, type Doing, isObject, objectAt, type Ticket, textAt, textsAt } from '../tracker.ts';

/** Statuses with their categories. */
export const CATEGORY: Readonly<Record<string, 'new' | 'indeterminate' | 'done'>> = {
  'To Do': 'new',
  'In Progress': 'indeterminate',
  Done: 'done',
  "Won't Do": 'done',
};
export const TRANSITIONS = [
  { id: '11', name: 'To Do', to: 'To Do' },
  { id: '21', name: 'In Progress', to: 'In Progress' },
  { id: '31', name: "Won't Do", to: "Won't Do" },
  { id: '41', name: 'Done', to: 'Done' },
];
const PRIORITIES = ['Highest', 'High', 'Medium', 'Low', 'Lowest'];
const KNOWN = new Set(['project', 'issuetype', 'summary', 'description', 'labels', 'priority']);

/** What is wrong with the fields of an issue, by field. `offScreen`: those that may not be set. */
export function problemsOf(
  fields: Record<string, unknown>,
  creating: boolean,
  offScreen: ReadonlySet<string>,
): Record<string, string> {
  const found: Record<string, string> = {};
  const notThere = (field: string) =>
    `Field '${field}' cannot be set. It is not on the appropriate screen, or unknown.`;
  for (const field of Object.keys(fields)) {
    if (!(KNOWN.has(field) || field.startsWith('customfield_')) || offScreen.has(field)) found[field] = notThere(field);
  }
  if (creating && textAt(objectAt(fields, 'project'), 'key') !== 'OPS') found['project'] = 'valid project is required';
  if (creating && !['Bug', 'Task', 'Incident'].includes(textAt(objectAt(fields, 'issuetype'), 'name') ?? ''))
    found['issuetype'] = 'The issue type selected is invalid.';
  const summary = textAt(fields, 'summary');
  if (creating ? !summary?.trim() : 'summary' in fields && !summary?.trim())
    found['summary'] = 'You must specify a summary of the issue.';
  else if (summary && summary.length > 255) found['summary'] = 'Summary must be less than 255 characters.';
  else if (summary && /[\r\n]/.test(summary))
    found['summary'] = 'The summary is invalid because it contains newline characters.';
  if ('description' in fields && !isAdf(fields['description']))
    found['description'] = 'Operation value must be an Atlassian Document (see the Atlassian Document Format)';
  else if (textOf(fields['description']).length > 32_767)
    found['description'] = 'The entered text is too long. It exceeds the allowed limit of 32,767 characters.';
  for (const label of textsAt(fields, 'labels')) {
    if (/\s/.test(label)) found['labels'] = `The label '${label}' contains spaces which is invalid.`;
    else if (label.length > 255) found['labels'] = 'The label is longer than 255 characters.';
  }
  const priority = fields['priority'];
  if (isObject(priority) && !offScreen.has('priority') && !PRIORITIES.includes(textAt(priority, 'name') ?? ''))
    found['priority'] = 'The priority selected is invalid.';
  return found;
}

/** What a webhook says has changed. */
export function changelogOf(ticket: Ticket, doing: Doing, before: Before): object[] {
  const items: object[] = [];
  if (before.assignee !== ticket.assignee)
    items.push({
      field: 'assignee',
      from: before.assignee,
      to: ticket.assignee === null ? null : `user-${ticket.assignee}`,
    });
  if (before.status !== ticket.status) {
    const was = CATEGORY[before.status] === 'done';
    items.push({ field: 'status', from: '1', fromString: before.status, to: '2', toString: ticket.status });
    if (was) items.push({ field: 'resolution', from: '1', fromString: 'Done', to: null, toString: null });
  }
  if (before.key !== ticket.key)
    items.push({ field: 'Key', from: null, fromString: before.key, to: null, toString: ticket.key });
  if (doing === 'edited') items.push({ field: 'summary', from: null, to: null });
  return items;
}

import { code, facts, type Line, link, list, paragraph, strong, type Text } from '../../lib/tickets/text.ts';
import type { Severity } from '../../lib/tickets/tickets.ts';
import { type Incident, leadOf, type Member, openMembers } from './core/incident.ts';
import { count, iso, nameOf } from './core/observe.ts';
import { isFlapping } from './core/plan.ts';
import type { TicketSettings } from './settings.ts';
import { fill } from './template.ts';

const TITLE = '[{severity}] {type} {metric} on {scope} {count}';

export interface RenderContext {
  readonly settings: TicketSettings;
  readonly isInhibitor: (type: string) => boolean;
  readonly now: number;
}

/** The most severe alert decides; severity a route sets is in the alerts already. */
export function severityOf(incident: Incident, { isInhibitor }: Pick<RenderContext, 'isInhibitor'>): Severity {
  return leadOf(incident, isInhibitor)?.[1].severity ?? 'warning';
}

/** The title of an incident's ticket, by the template of its route, the settings' or our own. */
export function titleOf(incident: Incident, { settings, isInhibitor }: RenderContext): string {
  const lead = leadOf(incident, isInhibitor)?.[1];
  if (!lead) return `${incident.scope.title ?? 'Alert'} on ${placeOf(incident)}`;
  const others = Object.keys(incident.members).length - 1;
  const template = settings.routes.find(({ name }) => name === incident.route)?.title ?? settings.title ?? TITLE;
  const { cluster, projectId } = incident.scope;
  return fill(template, {
    severity: lead.severity,
    type: incident.scope.title ?? lead.type,
    metric: lead.metric ?? '',
    host: lead.host ?? '',
    value: readingOf(lead),
    cluster: cluster ?? '',
    project: projectId ?? '',
    scope: placeOf(incident),
    count: others > 0 ? `(+${others})` : '',
  });
}

const placeOf = ({ scope: { cluster, projectId, source } }: Incident): string =>
  cluster ?? (projectId ? `project ${projectId}` : source === 'bundle' ? 'Atlas Automation' : 'the organization');

const readingOf = ({ value, units }: Member): string =>
  value === undefined ? '' : `${Number(value.toPrecision(6))}${units && units !== 'RAW' ? ` ${units}` : ''}`;

/** Where people look at an alert in Atlas. Made of ids alone, so nothing anybody wrote leads anywhere. */
export function atlasLink({ scope: { projectId } }: Incident): string | undefined {
  return projectId && /^[0-9a-f]{24}$/.test(projectId)
    ? `https://cloud.mongodb.com/v2/${projectId}#/alerts`
    : undefined;
}

/** The body: what it is about, every alert as far as the settings let them be listed, and what Atlas added. */
export function bodyOf(incident: Incident, context: RenderContext): Text {
  const { settings, now } = context;
  const { scope } = incident;
  const lead = leadOf(incident, context.isInhibitor)?.[1];
  const open = openMembers(incident).length;
  const members = Object.entries(incident.members).toSorted(
    ([, a], [, b]) => Number(b.state === 'open') - Number(a.state === 'open') || a.createdAt - b.createdAt,
  );
  const listed = members.slice(0, settings.policy.listedAlerts);
  const left = members.length - listed.length;
  const address = atlasLink(incident) ?? scope.link;
  const runbook = settings.runbooks[lead?.type ?? ''];
  return [
    paragraph(
      strong(`${count(open, 'alert')} open`),
      members.length > open ? ` of ${members.length}. ` : '. ',
      ...(incident.late ? ['Found by looking at Atlas: no webhook told of it. '] : []),
      ...(incident.flaps.length > 0 ? [`It came back ${count(incident.flaps.length, 'time')}. `] : []),
      ...(isFlapping(incident, { policy: settings.policy, now }) ? [strong('Flapping.')] : []),
    ),
    ...(lead?.sentence ? [code(lead.sentence)] : []),
    facts({
      ...(scope.cluster && { Cluster: scope.cluster }),
      ...(scope.projectId && { Project: scope.projectId }),
      Severity: severityOf(incident, context),
      ...(lead?.metric && { Metric: `${lead.metric} ${readingOf(lead)}`.trim() }),
      Since: iso(Math.min(...members.map(([, { createdAt }]) => createdAt), incident.firstHeardAt)),
      ...incident.facts,
    }),
    list(listed.map(([id, member]) => lineOf(id, member))),
    ...(left > 0 ? [paragraph(`and ${count(left, 'more alert')}.`)] : []),
    ...(address || runbook
      ? [
          paragraph(
            ...(address ? [link('Alerts in Atlas', address), ' '] : []),
            ...(runbook ? [link('Runbook', runbook)] : []),
          ),
        ]
      : []),
  ];
}

function lineOf(id: string, member: Member): Line {
  const value = readingOf(member);
  const state = member.state === 'open' ? '' : ` — ${member.state === 'closed' ? 'over' : 'cancelled'}`;
  return [
    strong(member.severity),
    ` ${nameOf(member)}${value ? ` = ${value}` : ''}, since ${iso(member.createdAt)}${state} (`,
    { text: id, style: 'code' },
    ')',
  ];
}

/** The lines that are owed, as one comment. */
export const commentOf = (lines: readonly string[]): Text =>
  lines.length === 1 ? [paragraph(lines[0] ?? '')] : [list(lines.map((line) => [line]))];

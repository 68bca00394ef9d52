import { reach, timeline } from '../../../../lib/html/charts.ts';
import { type Content, html, type Markup } from '../../../../lib/html/markup.ts';
import { counted, duration, moment } from '../../../../lib/html/time.ts';
import { allWords, words } from '../../../../lib/html/untrusted.ts';
import type { ClusterSummary, Status } from '../../report.ts';
import { freshness, inOrder, states, tag, tierName } from './states.ts';
import { foundList, type Told } from './told.ts';

/** The stretch that histories are drawn over: 14 days. */
const SPAN_SECONDS = 14 * 24 * 3_600;
const SPAN_HOURS = SPAN_SECONDS / 3_600;
/** Failing rules named in the line of a cluster; the rest is behind it. */
const NAMED = 4;
/** Characters of a name in the line of a cluster. */
const NAME = 72;

/** One cluster: a line with all that matters, and behind it what was found, why, and what is scheduled. */
export function clusterRow(cluster: ClusterSummary, told: readonly Told[], end: number): Markup {
  const worst = inOrder.find((status) => Object.values(cluster.statuses).includes(status)) ?? 'NOT_APPLICABLE';
  return html`<li class="cluster ${states[worst].tone}"><details><summary>
<span class="who"><span class="name">${words(cluster.clusterName, NAME)}</span><span class="where">${words(cluster.projectName, 56)}</span></span>
<span class="what">${describe(cluster)}</span>
<span class="age">${age(cluster)}</span>
<span class="history">${timeline({ from: end - SPAN_SECONDS, to: end, marks: cluster.snapshots, spans: cluster.gaps })}<span class="unseen">${historyText(cluster)}</span></span>
<span class="verdict">${verdict(cluster, told)}</span>
<span class="score"><span class="unseen">Score </span>${Math.floor(cluster.score)}</span>
</summary><div class="more">${foundList(told)}${facts(cluster)}</div></details></li>`;
}

const describe = (cluster: ClusterSummary): Content => [
  tierName(cluster.tier),
  ` · ${cluster.kind === 'dedicated' ? (cluster.instanceSize ?? 'dedicated') : cluster.kind}`,
  cluster.shards > 1 && ` · ${cluster.shards} shards`,
  cluster.paused && ' · paused',
  cluster.migrationId !== null && ' · migrating',
  cluster.kind === 'deleted' && ' · backups kept',
];

function age(cluster: ClusterSummary): Markup {
  const seconds = cluster.newestSnapshotAgeSeconds;
  const status = freshness(cluster);
  const { tone } = states[status];
  const bar = reach(
    seconds === null ? SPAN_HOURS : seconds / 3_600,
    SPAN_HOURS,
    tone,
    cluster.intervalHours ?? undefined,
  );
  const text = seconds === null ? 'none known' : duration(seconds);
  return html`<span class="unseen">Newest snapshot: </span><span class="told ${tone}">${text}</span>${seconds !== null && bar}`;
}

const historyText = ({ snapshots, gaps }: ClusterSummary): string => {
  const longest = Math.max(0, ...gaps.map(({ from, to }) => to - from));
  const holes = gaps.length === 0 ? 'no gap' : `${counted(gaps.length, 'gap')}, the longest ${duration(longest)}`;
  return `Last 14 days: ${counted(snapshots.length, 'snapshot')}, ${holes}.`;
};

/** Failing rules by name, the gravest first, and the rest in numbers. Nothing judged is never "all pass". */
function verdict({ statuses }: ClusterSummary, told: readonly Told[]): Content {
  const count = (wanted: Status): number => Object.values(statuses).filter((status) => status === wanted).length;
  const failing = told.filter(({ status }) => status === 'FAIL');
  const more = count('FAIL') - Math.min(failing.length, NAMED);
  const others = (['UNKNOWN', 'WARN', 'EXEMPT'] as const).filter((status) => count(status) > 0);
  if (count('FAIL') === 0 && others.length === 0)
    return count('PASS') > 0 ? tag('PASS', 'all pass') : tag('NOT_APPLICABLE', 'nothing applies');
  return [
    failing.slice(0, NAMED).map(({ rule }) => [tag('FAIL', rule), ' ']),
    more > 0 && html`<span class="tag fail">+${more}</span> `,
    others.map((status) => [tag(status, `${count(status)} ${states[status].name.toLowerCase()}`), ' ']),
  ];
}

function facts(cluster: ClusterSummary): Markup {
  const yes = (value: boolean | null): string => (value === null ? 'unknown' : value ? 'on' : 'off');
  const fact = (name: string, value: Content): Markup => html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  return html`<dl class="facts">${[
    fact('Backup', yes(cluster.backupEnabled)),
    fact('Continuous', yes(cluster.pitEnabled)),
    fact('Newest snapshot', cluster.newestSnapshotAt === null ? 'none known' : moment(cluster.newestSnapshotAt)),
    fact(
      'Schedule',
      cluster.schedule.length === 0
        ? 'none known'
        : html`<ul>${cluster.schedule.map((item) => html`<li>${itemText(item)}</li>`)}</ul>`,
    ),
    cluster.gaps.length > 0 &&
      fact(
        'Gaps in 14 days',
        html`<ul>${cluster.gaps.slice(0, 10).map(({ from, to }) => html`<li>${duration(to - from)} from ${moment(new Date(from * 1000).toISOString())}</li>`)}</ul>`,
      ),
    fact('Regions', words([...cluster.providers, ...cluster.regions].join(' ') || 'unknown', 200)),
    cluster.migrationId !== null && fact('Migration', words(cluster.migrationId)),
    cluster.clusterName.length > NAME && fact('Name', allWords(cluster.clusterName, NAME)),
    fact('Project', allWords(cluster.projectName, NAME)),
    fact('Cluster id', html`<span class="mono">${cluster.clusterId}</span>`),
  ]}</dl>`;
}

/** `hourly, every 6 h, kept 7 days`. The interval of the rarer items is a day of the week or month, not a distance. */
const itemText = ({
  frequencyType,
  frequencyInterval,
  retentionValue,
  retentionUnit,
}: ClusterSummary['schedule'][number]): string =>
  [
    frequencyType,
    ...(frequencyType === 'hourly' && frequencyInterval !== null ? [`every ${frequencyInterval} h`] : []),
    ...(retentionValue !== null ? [`kept ${retentionValue} ${retentionUnit ?? ''}`.trim()] : []),
  ].join(', ');

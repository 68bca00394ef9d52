import type { TagFact } from '../facts.ts';
import type { Exception, PolicyDocument } from './document.ts';
import { fits } from './glob.ts';
import { compareStrictness, type Direction, type OptionValue, type RuleId, ruleOptions, type Tier } from './options.ts';
import { profiles } from './profiles.ts';

/** What a policy is asked about: a project, or a cluster in it. */
export interface Subject {
  readonly projectId: string;
  readonly projectName: string;
  readonly clusterId?: string | undefined;
  readonly clusterName?: string | undefined;
  /** The project's and the cluster's own. */
  readonly tags: readonly TagFact[];
}

/** One section of a document, in the order they are merged. */
export interface Layer {
  /** Where it stands in the document. */
  readonly path: readonly (string | number)[];
  readonly tier?: Tier | undefined;
  readonly rules: Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;
  readonly exception?: string | undefined;
  matches(subject: Subject): boolean;
}

export const fitsProject = (pattern: string, { projectId, projectName }: Subject): boolean =>
  fits(pattern, projectId) || fits(pattern, projectName);

const carries = (match: { key: string; value: string }, { tags }: Subject): boolean =>
  tags.some(({ key, value }) => fits(match.key, key) && fits(match.value, value));

/** Organization, then projects, then tags, then clusters; within each in the order of the document. */
export function layersOf({ organization, projects = [], tags = [], clusters = [] }: PolicyDocument): Layer[] {
  const base = ({ tier, rules = {}, exception }: NonNullable<PolicyDocument['organization']>) => ({
    tier,
    rules,
    exception,
  });
  return [
    ...(organization ? [{ ...base(organization), path: ['organization'], matches: () => true }] : []),
    ...projects.map(({ match, ...each }, at) => ({
      ...base(each),
      path: ['projects', at],
      matches: (subject: Subject) =>
        (match.id === undefined || fits(match.id, subject.projectId)) &&
        (match.name === undefined || fits(match.name, subject.projectName)),
    })),
    ...tags.map(({ match, ...each }, at) => ({
      ...base(each),
      path: ['tags', at],
      matches: (subject: Subject) => carries(match, subject),
    })),
    ...clusters.map(({ match, ...each }, at) => ({
      ...base(each),
      path: ['clusters', at],
      matches: (subject: Subject) =>
        subject.clusterName !== undefined &&
        (match.project === undefined || fitsProject(match.project, subject)) &&
        (match.id === undefined || fits(match.id, subject.clusterId ?? '')) &&
        (match.name === undefined || fits(match.name, subject.clusterName)),
    })),
  ];
}

/** Whether an exception exempts findings of this project or cluster. */
export const exempts = ({ match }: Exception, subject: Subject): boolean =>
  match !== undefined &&
  (match.project === undefined || fitsProject(match.project, subject)) &&
  (match.cluster === undefined ||
    (subject.clusterName !== undefined &&
      (fits(match.cluster, subject.clusterName) || fits(match.cluster, subject.clusterId ?? '')))) &&
  (match.tag === undefined || carries(match.tag, subject));

/** Every setting of a rule: the two that all have, and its own options. */
export const settingsOf = (rule: RuleId): [name: string, direction: Direction | 'severity'][] => [
  ['enabled', 'demand'],
  ['severity', 'severity'],
  ...Object.entries(ruleOptions[rule]).map(([name, { direction }]): [string, Direction] => [name, direction]),
];

const isValue = (value: unknown): value is OptionValue =>
  typeof value === 'number' ||
  typeof value === 'boolean' ||
  typeof value === 'string' ||
  (Array.isArray(value) && value.every((each) => typeof each === 'string'));

/** What a layer or a profile says of one setting in one tier; undefined where it says nothing. */
export function saidOf(rules: Layer['rules'], rule: RuleId, setting: string, tier: Tier): OptionValue | undefined {
  const said = rules[rule]?.[setting];
  if (isValue(said)) return said;
  if (typeof said !== 'object' || said === null) return undefined;
  const inTier = Object.entries(said).find(([key]) => key === tier)?.[1];
  return isValue(inTier) ? inTier : undefined;
}

/** What the profile says; it says something of every setting in every tier. */
export function profileSays(
  profile: PolicyDocument['profile'],
  rule: RuleId,
  setting: string,
  tier: Tier,
): OptionValue {
  const said = saidOf(profiles[profile], rule, setting, tier);
  if (said === undefined) throw new Error(`the profile ${profile} says nothing of ${rule} ${setting} in tier ${tier}`);
  return said;
}

/** Whether `value` asks for less than `inherited`, or for something else than it. */
export const isWeaker = (direction: Direction | 'severity', value: OptionValue, inherited: OptionValue): boolean =>
  !(compareStrictness(direction, value, inherited) >= 0);

/** How strict a tier is: 1 most of all. */
export const tierStrictness = (tier: Tier): number => ({ '1': 3, '2': 2, '3': 1, dev: 0 })[tier];

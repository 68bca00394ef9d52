import type { Severity } from '../report.ts';
import type { Exception, PolicyDocument } from './document.ts';
import {
  exempts,
  fitsProject,
  isWeaker,
  type Layer,
  layersOf,
  profileSays,
  type Subject,
  saidOf,
  settingsOf,
  tierStrictness,
} from './layers.ts';
import { type Options, type OptionValue, type RuleId, ruleIds, ruleOptions, type Tier } from './options.ts';
import { defaultTier, tiersByTag } from './profiles.ts';

/** Where a setting's value came from, for `explain`. */
export interface Origin {
  readonly value: OptionValue;
  /** `profile atlas-recommended`, `organization`, `projects.0`, … */
  readonly from: string;
  /** Layers that asked for less and were not followed. */
  readonly kept: readonly string[];
}

export interface ResolvedRule {
  readonly enabled: boolean;
  readonly severity: Severity;
  readonly settings: Readonly<Record<string, Origin>>;
  /** An exception that lowered a setting once and has ended. */
  readonly ended: Exception | undefined;
}

/** What the policy asks of one project or cluster. */
export interface Resolved {
  readonly tier: Tier;
  readonly tierFrom: string;
  rule(id: RuleId): ResolvedRule;
  options<Id extends RuleId>(id: Id): Options<Id>;
  /** Whether a restore into the project with this id may count as a test. */
  isRestoreTarget(targets: readonly string[], projectId: string): boolean;
  /** Exceptions that exempt findings here, by rule; those that have ended included. */
  exemptions(id: RuleId): readonly Exception[];
}

export interface Policy {
  readonly name: string;
  readonly profile: string;
  /** SHA-256 of the whole policy, the profile's values included, in hexadecimal. */
  readonly digest: string;
  resolve(subject: Subject): Resolved;
  /** The tier alone. */
  tierOf(subject: Subject): Tier;
}

const severities = ['critical', 'high', 'medium', 'low', 'info'] as const;

/** A checked document as something that answers; what it answers depends on nothing but the document, `now` and the subject. */
export function policyOf(
  document: PolicyDocument,
  digest: string,
  now: number,
  projectNames: ReadonlyMap<string, string> = new Map(),
): Policy {
  const layers = layersOf(document);
  const exceptions = document.exceptions ?? [];
  const named = new Map(exceptions.map((each) => [each.name, each]));
  const isRunning = (exception: Exception): boolean => Date.parse(exception.expires) > now;
  const cache = new Map<string, { readonly tier: Tier; readonly rules: ReadonlyMap<RuleId, ResolvedRule> }>();

  function tierFor(subject: Subject, matching: readonly Layer[]): { tier: Tier; tierFrom: string } {
    let { tier, from: tierFrom } = classified(document, subject);
    for (const layer of matching) {
      if (layer.tier === undefined || layer.tier === tier) continue;
      const exception = layer.exception === undefined ? undefined : named.get(layer.exception);
      const isLower = tierStrictness(layer.tier) < tierStrictness(tier);
      // The organization says what its untagged clusters are; a tag knows better.
      if (layer.path[0] === 'organization' && tierFrom !== 'profile') continue;
      if (isLower && layer.path[0] !== 'organization' && !(exception && isRunning(exception))) continue;
      [tier, tierFrom] = [layer.tier, layer.path.join('.')];
    }
    return { tier, tierFrom };
  }

  function rulesFor(tier: Tier, matching: readonly Layer[]): ReadonlyMap<RuleId, ResolvedRule> {
    return new Map(ruleIds.map((rule) => [rule, ruleFor(rule, tier, matching)]));
  }

  function ruleFor(rule: RuleId, tier: Tier, matching: readonly Layer[]): ResolvedRule {
    let ended: Exception | undefined;
    const settings: Record<string, Origin> = {};
    for (const [setting, direction] of settingsOf(rule)) {
      let value = profileSays(document.profile, rule, setting, tier);
      let from = `profile ${document.profile}`;
      const kept: string[] = [];
      for (const layer of matching) {
        const said = saidOf(layer.rules, rule, setting, tier);
        if (said === undefined || JSON.stringify(said) === JSON.stringify(value)) continue;
        const exception = layer.exception === undefined ? undefined : named.get(layer.exception);
        const path = layer.path.join('.');
        if (isWeaker(direction, said, value)) {
          const covers = exception?.rules.includes(rule) ?? false;
          if (!(exception && covers && isRunning(exception))) {
            kept.push(path);
            if (exception && covers) ended = exception;
            continue;
          }
        }
        [value, from] = [said, path];
      }
      settings[setting] = { value, from, kept };
    }
    const asked = settings['severity']?.value;
    return {
      enabled: settings['enabled']?.value === true,
      severity: severities.find((each) => each === asked) ?? 'medium',
      settings,
      ended,
    };
  }

  return {
    name: document.name,
    profile: document.profile,
    digest,
    tierOf: (subject) =>
      tierFor(
        subject,
        layers.filter((layer) => layer.matches(subject)),
      ).tier,
    resolve(subject) {
      const matching = layers.filter((layer) => layer.matches(subject));
      const { tier, tierFrom } = tierFor(subject, matching);
      const key = [tier, ...matching.map(({ path }) => path.join('.'))].join(' ');
      const held = cache.get(key) ?? { tier, rules: rulesFor(tier, matching) };
      cache.set(key, held);
      const rule = (id: RuleId): ResolvedRule => {
        const found = held.rules.get(id);
        if (!found) throw new Error(`there is no rule ${id}`);
        return found;
      };
      return {
        tier,
        tierFrom,
        rule,
        options: (id) => optionsOf(id, rule(id)),
        isRestoreTarget: (targets, projectId) =>
          targets.some((pattern) =>
            fitsProject(pattern, { projectId, projectName: projectNames.get(projectId) ?? projectId, tags: [] }),
          ),
        exemptions: (id) => exceptions.filter((each) => each.rules.includes(id) && exempts(each, subject)),
      };
    },
  };
}

/** By the strictest tag that says something: the document's first, then the profile's; else what untagged ones are. */
function classified({ organization }: PolicyDocument, { tags }: Subject): { tier: Tier; from: string } {
  const strictest = (found: readonly Tier[]): Tier | undefined =>
    found.toSorted((a, b) => tierStrictness(b) - tierStrictness(a))[0];
  const own = strictest(
    (organization?.tiersByTag ?? [])
      .filter((each) => tags.some(({ key, value }) => key === each.key && value === each.value))
      .map(({ tier }) => tier),
  );
  if (own) return { tier: own, from: 'organization.tiersByTag' };
  const usual = strictest(
    tiersByTag
      .filter(({ keys, values }) =>
        tags.some(({ key, value }) => keys.includes(key.toLowerCase()) && values.includes(value.toLowerCase())),
      )
      .map(({ tier }) => tier),
  );
  return usual ? { tier: usual, from: 'tags' } : { tier: defaultTier, from: 'profile' };
}

/** The one typed boundary: the document was checked against the same table the type comes from. */
function optionsOf<Id extends RuleId>(id: Id, { settings }: ResolvedRule): Options<Id>;
function optionsOf(id: RuleId, { settings }: ResolvedRule): Record<string, OptionValue | undefined> {
  return Object.fromEntries(Object.keys(ruleOptions[id]).map((name) => [name, settings[name]?.value]));
}

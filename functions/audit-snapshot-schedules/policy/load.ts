import { createHash } from 'node:crypto';
import { LineCounter, parseDocument } from 'yaml';
import { AutomationError } from '../../../lib/errors.ts';
import { problemsOf } from '../../../lib/runtime/problems.ts';
import { type Exception, PolicyDocument } from './document.ts';
import { fits, isPattern } from './glob.ts';
import { isWeaker, type Layer, layersOf, profileSays, saidOf, settingsOf, tierStrictness } from './layers.ts';
import { type OptionValue, type RuleId, ruleIds, type Tier, tiers } from './options.ts';
import { defaultTier, profiles, tiersByTag } from './profiles.ts';
import { type Policy, policyOf } from './resolve.ts';

const DAY_MS = 86_400_000;
/** No exception may reach further than this. */
export const LONGEST_EXCEPTION_MS = 180 * DAY_MS;
/**
 * An exception that has ended makes findings fail again, and they say so. Once it has been over for this long it is
 * taken for one that nobody looks after, and the policy is refused.
 */
export const STALE_AFTER_MS = 30 * DAY_MS;

export interface PolicyProblem {
  readonly path: string;
  /** In the YAML text, from 1 on; null where the policy came as a value. */
  readonly line: number | null;
  readonly problem: string;
}

/** The policy can't be used: every problem, by path and line. Nothing was audited. */
export class PolicyInvalid extends AutomationError {
  override readonly name = 'PolicyInvalid';
  readonly code = 'POLICY_INVALID';
  readonly disposition = 'give-up';
  readonly problems: readonly PolicyProblem[];

  constructor(problems: readonly PolicyProblem[]) {
    const said = problems.map(
      ({ path, line, problem }) => `${path}${line === null ? '' : ` (line ${line})`} ${problem}`,
    );
    super(`the backup policy cannot be used: ${said.join('; ')}`, { problems });
    this.problems = problems;
  }
}

type Path = readonly PropertyKey[];
type Found = { readonly path: Path; readonly problem: string };

/** Reads a policy: YAML (or JSON) text, or a value that is one already. Throws PolicyInvalid with every problem there is. */
export function loadPolicy(source: unknown, now: number, projectNames?: ReadonlyMap<string, string>): Policy {
  const { value, lineOf, problems } = parse(source);
  if (problems.length > 0) throw new PolicyInvalid(problems);
  const tell = (found: readonly Found[]): PolicyProblem[] =>
    found
      .map(({ path, problem }) => ({ path: path.map(String).join('.') || '(the whole)', line: lineOf(path), problem }))
      .toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));

  const parsed = PolicyDocument.safeParse(value ?? {});
  if (!parsed.success) {
    const shape = problemsOf(parsed.error).map(({ path, problem }) => ({ path: path.split('.'), problem }));
    // All problems at once: what is left without the broken parts is looked at even so.
    const left = PolicyDocument.safeParse(without(value, shape));
    const inherited = left.success ? layerProblems(left.data) : [];
    throw new PolicyInvalid(tell([...shape, ...exceptionProblems(looseExceptions(value), now), ...inherited]));
  }
  const found = [...exceptionProblems(parsed.data.exceptions ?? [], now), ...layerProblems(parsed.data)];
  if (found.length > 0) throw new PolicyInvalid(tell(found));
  return policyOf(parsed.data, digestOf(parsed.data), now, projectNames);
}

interface Parsed {
  readonly value: unknown;
  readonly lineOf: (path: Path) => number | null;
  readonly problems: readonly PolicyProblem[];
}

function parse(source: unknown): Parsed {
  if (typeof source !== 'string') return { value: source, lineOf: () => null, problems: [] };
  const counter = new LineCounter();
  const document = parseDocument(source, { lineCounter: counter, uniqueKeys: true });
  const problems = document.errors.map(({ message, pos }) => ({
    path: '(the whole)',
    line: counter.linePos(pos[0]).line,
    problem: message.split('\n')[0]?.replace(/ at line .*$/, '') ?? 'is not YAML',
  }));
  const lineOf = (path: Path): number | null => {
    for (let length = path.length; length >= 0; length -= 1) {
      const at = path.slice(0, length).map((each) => (/^\d+$/.test(String(each)) ? Number(each) : each));
      const node = document.getIn(at, true);
      if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)) {
        return counter.linePos(Number(node.range[0])).line;
      }
    }
    return 1;
  };
  return { value: problems.length === 0 ? document.toJS({ maxAliasCount: 100 }) : undefined, lineOf, problems };
}

/** A copy without what stands at these paths. */
function without(value: unknown, found: readonly Found[]): unknown {
  const copy: unknown = structuredClone(value);
  for (const { path } of found) {
    const last = path.at(-1);
    const parent = path
      .slice(0, -1)
      .reduce<unknown>((each, key) => (isObject(each) ? each[String(key)] : undefined), copy);
    if (isObject(parent) && last !== undefined) delete parent[String(last)];
  }
  return copy;
}

interface LooseException {
  readonly name?: unknown;
  readonly expires?: unknown;
}

function looseExceptions(value: unknown): readonly LooseException[] {
  if (typeof value !== 'object' || value === null || !('exceptions' in value)) return [];
  return Array.isArray(value.exceptions) ? value.exceptions.map((each: unknown) => (isObject(each) ? each : {})) : [];
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function exceptionProblems(exceptions: readonly LooseException[], now: number): Found[] {
  const names = exceptions.map(({ name }) => name);
  return exceptions.flatMap(({ name, expires }, at) => {
    const path = ['exceptions', at];
    const end = typeof expires === 'string' && /(Z|[+-]\d\d:\d\d)$/.test(expires) ? Date.parse(expires) : Number.NaN;
    const found: Found[] = [];
    if (name !== undefined && names.indexOf(name) !== at) {
      found.push({ path: [...path, 'name'], problem: 'is the name of another exception' });
    }
    if (end > now + LONGEST_EXCEPTION_MS) {
      found.push({ path: [...path, 'expires'], problem: 'is more than 180 days ahead' });
    }
    if (end < now - STALE_AFTER_MS) {
      found.push({ path: [...path, 'expires'], problem: 'has been over for more than 30 days: remove the exception' });
    }
    return found;
  });
}

/** Layers that ask for less than they inherit, contradict each other, or name an exception that is not there. */
function layerProblems(document: PolicyDocument): Found[] {
  const exceptions = new Map((document.exceptions ?? []).map((each) => [each.name, each]));
  const layers = layersOf(document);
  return layers.flatMap((layer) => {
    const exception = layer.exception === undefined ? undefined : exceptions.get(layer.exception);
    const found: Found[] = [];
    if (layer.exception !== undefined && !exception) {
      found.push({ path: [...layer.path, 'exception'], problem: 'is not the name of an exception of this policy' });
    }
    const above = layers.slice(0, layers.indexOf(layer)).filter((other) => surelyAbove(document, other, layer));
    return [...found, ...tierProblems(layer, above, exception), ...ruleProblems(document, layer, above, exception)];
  });
}

function tierProblems(layer: Layer, above: readonly Layer[], exception: Exception | undefined): Found[] {
  if (layer.tier === undefined || exception) return [];
  const inherited = above.findLast(({ tier }) => tier !== undefined)?.tier ?? defaultTier;
  if (tierStrictness(layer.tier) >= tierStrictness(inherited)) return [];
  const problem = `is a weaker tier than the ${inherited} it inherits: name an exception that allows it`;
  return [{ path: [...layer.path, 'tier'], problem }];
}

function ruleProblems(
  document: PolicyDocument,
  layer: Layer,
  above: readonly Layer[],
  exception: Exception | undefined,
): Found[] {
  return ruleIds.flatMap((rule) =>
    settingsOf(rule).flatMap(([setting, direction]): Found[] => {
      const weaker = tiers.filter((tier) => {
        const said = saidOf(layer.rules, rule, setting, tier);
        if (said === undefined || (layer.tier !== undefined && layer.tier !== tier)) return false;
        return isWeaker(direction, said, inheritedBy(document, above, rule, setting, tier));
      });
      if (weaker.length === 0 || exception?.rules.includes(rule)) return [];
      const inherited = weaker.map(
        (tier) => `${JSON.stringify(inheritedBy(document, above, rule, setting, tier))} in tier ${tier}`,
      );
      const allowed = exception
        ? `the exception ${exception.name} does not cover ${rule}`
        : 'name an exception that allows it';
      const problem = `asks for less than is inherited (${inherited.join(', ')}): ${allowed}`;
      return [{ path: [...layer.path, 'rules', rule, setting], problem }];
    }),
  );
}

function inheritedBy(
  { profile }: PolicyDocument,
  above: readonly Layer[],
  rule: RuleId,
  setting: string,
  tier: Tier,
): OptionValue {
  const direction = settingsOf(rule).find(([name]) => name === setting)?.[1] ?? 'name';
  return above.reduce(
    (value, layer) => {
      const said = saidOf(layer.rules, rule, setting, tier);
      return said === undefined || isWeaker(direction, said, value) ? value : said;
    },
    profileSays(profile, rule, setting, tier),
  );
}

/**
 * Whether everything `layer` is about certainly lies below `other`. Where two sections merely may meet, the stricter of
 * the two counts when they do.
 */
function surelyAbove(document: PolicyDocument, other: Layer, layer: Layer): boolean {
  const [section, at] = other.path;
  if (section === 'organization') return true;
  const [below, index] = layer.path;
  if (section === below) {
    const list = section === 'projects' ? document.projects : section === 'tags' ? document.tags : document.clusters;
    return JSON.stringify(list?.[Number(at)]?.match) === JSON.stringify(list?.[Number(index)]?.match);
  }
  if (section !== 'projects' || below !== 'clusters') return false;
  const match = document.projects?.[Number(at)]?.match;
  const project = document.clusters?.[Number(index)]?.match.project;
  const pattern = match?.id ?? match?.name;
  if (pattern === undefined || project === undefined) return pattern === '*';
  return pattern === project || (!isPattern(project) && fits(pattern, project));
}

/** What the digest is of: everything that decides a verdict, in one order. */
function digestOf({ $schema: _, ...document }: PolicyDocument): string {
  const whole = { document, profile: profiles[document.profile], defaultTier, tiersByTag };
  return createHash('sha256')
    .update(JSON.stringify(sorted(whole)))
    .digest('hex');
}

/** The same with every object's keys in order. */
export const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sorted)
    : isObject(value)
      ? Object.fromEntries(
          Object.keys(value)
            .toSorted()
            .map((key) => [key, sorted(value[key])]),
        )
      : value;

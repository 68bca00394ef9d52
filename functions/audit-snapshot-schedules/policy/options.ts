/** What can be asked of each rule, and which way is stricter. */

export const tiers = ['1', '2', '3', 'dev'] as const;
/** A recovery tier; 1 asks for most. */
export type Tier = (typeof tiers)[number];

type Value = number | boolean | string | readonly string[];
/**
 * `least`: a minimum, more is stricter. `most`: a maximum, less is stricter. `demand`: true is stricter. `allowed`: a list
 * of what counts, a shorter one is stricter. `required`: a list of what has to be there, a longer one is stricter.
 * `name` and `names`: neither.
 */
export type Direction = 'least' | 'most' | 'demand' | 'allowed' | 'required' | 'name' | 'names';

interface Option {
  readonly direction: Direction;
  readonly unit: string;
}

const least = (unit: string) => ({ direction: 'least', unit }) as const;
const most = (unit: string) => ({ direction: 'most', unit }) as const;
const demand = (unit: string) => ({ direction: 'demand', unit }) as const;
const allowed = (unit: string) => ({ direction: 'allowed', unit }) as const;
const required = (unit: string) => ({ direction: 'required', unit }) as const;
const name = (unit: string) => ({ direction: 'name', unit }) as const;
const names = (unit: string) => ({ direction: 'names', unit }) as const;

export const ruleOptions = {
  'BK-01': {},
  'BK-02': {
    minWindowDays: least('days'),
    effectiveWindow: demand('judge the window that is left after oplog losses'),
  },
  'BK-03': {},
  'BK-04': { maxIntervalHours: most('hours') },
  'BK-05': { minDays: least('days') },
  'BK-06': {
    minWeeklyDays: least('days; 0 asks for nothing'),
    minMonthlyDays: least('days; 0 asks for nothing'),
    minYearlyDays: least('days; 0 asks for nothing'),
  },
  'BK-07': {},
  'BK-08': {
    warnIntervals: most('schedule intervals'),
    failIntervals: most('schedule intervals'),
    graceHours: most('hours'),
    capHours: most('hours'),
  },
  'BK-09': { failIntervals: most('schedule intervals'), windowDays: least('days') },
  'BK-10': { stuckHours: most('hours'), lateMinutes: most('minutes'), silentIntervals: most('schedule intervals') },
  'BK-11': { windowHours: most('hours') },
  'BK-12': { toleranceHours: most('hours') },
  'BK-13': {
    outsideElectableRegions: demand('a copy beside an electable node does not count'),
    maxIntervalHours: most('hours'),
  },
  'BK-14': { withinHours: most('hours') },
  'BK-15': { customerKey: demand('encryption with a key of one’s own') },
  'BK-16': {
    copyProtection: demand('copies are protected too'),
    contactDomains: allowed('mail domains of the contact; * is every one'),
    changingHours: most('hours in ENABLING or UPDATING'),
  },
  'BK-17': { keptAfterDeletion: demand('backups outlive their cluster') },
  'BK-18': { maxAgeDays: most('days'), targets: names('projects a test may restore into, by id or name') },
  'BK-19': { maxMinutes: most('minutes') },
  'BK-20': { types: required('alert types') },
  'BK-21': { forbidden: demand('no Flex cluster in this tier'), maxAgeHours: most('hours') },
  'BK-22': {},
  'BK-23': { maxAgeDays: most('days') },
  'BK-24': { ownerTag: name('the tag that names an owner') },
  'BK-25': { minPercent: least('percent of clusters') },
} as const satisfies Record<string, Record<string, Option>>;

export type RuleId = keyof typeof ruleOptions;
export const ruleIds = Object.keys(ruleOptions).filter((id): id is RuleId => id in ruleOptions);

type ValueOf<Kind extends Direction> = Kind extends 'least' | 'most'
  ? number
  : Kind extends 'demand'
    ? boolean
    : Kind extends 'name'
      ? string
      : readonly string[];

/** The options of one rule, resolved. */
export type Options<Id extends RuleId> = {
  readonly [Key in keyof (typeof ruleOptions)[Id]]: (typeof ruleOptions)[Id][Key] extends {
    direction: infer Kind extends Direction;
  }
    ? ValueOf<Kind>
    : never;
};

export type OptionValue = Value;

const severityOrder = ['info', 'low', 'medium', 'high', 'critical'];

/** Less than 0 where `a` asks for less than `b`, 0 where they ask the same, NaN where neither is stricter. */
export function compareStrictness(direction: Direction | 'severity', a: Value, b: Value): number {
  switch (direction) {
    case 'least':
      return Number(a) - Number(b);
    case 'most':
      return Number(b) - Number(a);
    case 'demand':
      return Number(a) - Number(b);
    case 'severity':
      return severityOrder.indexOf(String(a)) - severityOrder.indexOf(String(b));
    case 'name':
    case 'names':
      return 0;
    case 'required':
      return compareSets(listOf(a), listOf(b));
    case 'allowed': {
      const [anyA, anyB] = [listOf(a).includes('*'), listOf(b).includes('*')];
      return anyA || anyB ? Number(anyB) - Number(anyA) : -compareSets(listOf(a), listOf(b));
    }
  }
}

const listOf = (value: Value): readonly string[] => (Array.isArray(value) ? value.map(String) : [String(value)]);

/** 1 where `a` holds everything of `b` and more, NaN where each has something the other has not. */
function compareSets(a: readonly string[], b: readonly string[]): number {
  const more = a.some((each) => !b.includes(each));
  const less = b.some((each) => !a.includes(each));
  return more && less ? Number.NaN : Number(more) - Number(less);
}

import * as z from 'zod';
import { Severity } from '../report.ts';
import { type Direction, ruleOptions, tiers } from './options.ts';

export const Tier = z.enum(tiers).describe('a recovery tier: 1 asks for most, dev for next to nothing');

/** One value for all tiers, or one for each that is named. */
const byTier = <Value extends z.ZodType>(value: Value) =>
  z.union([value, z.partialRecord(Tier, value)], 'must be one value, or one by tier (1, 2, 3, dev)');

const valueSchema = (direction: Direction): z.ZodType => {
  switch (direction) {
    case 'least':
    case 'most':
      return z.number().min(0).max(100_000);
    case 'demand':
      return z.boolean();
    case 'name':
      return z.string().min(1);
    case 'allowed':
    case 'required':
    case 'names':
      return z.array(z.string().min(1)).max(500);
  }
};

const RuleSettings = Object.fromEntries(
  Object.entries(ruleOptions).map(([id, options]) => [
    id,
    z
      .strictObject({
        enabled: byTier(z.boolean()).optional().describe('whether the rule is judged at all'),
        severity: Severity.optional(),
        ...Object.fromEntries(
          Object.entries(options).map(([name, { direction, unit }]) => [
            name,
            byTier(valueSchema(direction)).optional().describe(unit),
          ]),
        ),
      })
      .optional(),
  ]),
);

const Rules = z.strictObject(RuleSettings).describe('what is asked of each rule here; the rest is inherited');

const Pattern = z.string().min(1).max(200);
const TagMatch = z.strictObject({ key: Pattern, value: Pattern });

const layer = {
  tier: Tier.optional(),
  rules: Rules.optional(),
  exception: z.string().min(1).optional().describe('the exception that allows this layer to ask for less'),
};

const ProjectMatch = z
  .strictObject({ id: Pattern.optional(), name: Pattern.optional() })
  .refine(({ id, name }) => (id === undefined) !== (name === undefined), 'must have one of id and name');

const ClusterMatch = z.strictObject({
  project: Pattern.optional().describe('the project, by its id or name'),
  id: Pattern.optional(),
  name: Pattern.optional(),
});
const oneCluster = ClusterMatch.refine(
  ({ id, name }) => id !== undefined || name !== undefined,
  'must have an id or a name',
);

const ExceptionMatch = z
  .strictObject({ project: Pattern.optional(), cluster: Pattern.optional(), tag: TagMatch.optional() })
  .refine((match) => Object.keys(match).length > 0, 'must name a project, a cluster or a tag; * is every one');

export const Exception = z.strictObject({
  name: z.string().min(1).max(100),
  owner: z.string().min(1).max(200).describe('who answers for it'),
  reason: z.string().min(1).max(1000),
  expires: z.iso
    .datetime({ offset: true, error: 'must be an instant with its zone, such as 2026-03-01T00:00:00-08:00' })
    .describe('an instant with its zone, at most 180 days ahead'),
  rules: z.array(z.enum(Object.keys(ruleOptions))).min(1),
  match: ExceptionMatch.optional().describe(
    'whose findings it exempts; without it, it only allows layers that name it',
  ),
});
export type Exception = z.output<typeof Exception>;

/**
 * What backups have to be like. Everything a document does not say comes from its profile. Patterns are whole names, in
 * which * stands for any run of characters and ? for one; case counts.
 */
export const PolicyDocument = z.strictObject({
  $schema: z.string().optional(),
  name: z.string().min(1).max(100).default('policy'),
  profile: z.enum(['atlas-recommended', 'aws-backup-audit']).default('atlas-recommended'),
  organization: z
    .strictObject({
      ...layer,
      tiersByTag: z
        .array(TagMatch.extend({ tier: Tier }))
        .optional()
        .describe('the tier of whatever carries a tag; the strictest that fits counts, before the profile’s own'),
    })
    .optional(),
  projects: z.array(z.strictObject({ match: ProjectMatch, ...layer })).optional(),
  tags: z.array(z.strictObject({ match: TagMatch, ...layer })).optional(),
  clusters: z.array(z.strictObject({ match: oneCluster, ...layer })).optional(),
  exceptions: z.array(Exception).optional(),
});
export type PolicyDocument = z.output<typeof PolicyDocument>;

/** The published schema of a policy document. */
export const policySchema = (): object => ({
  ...z.toJSONSchema(PolicyDocument, { io: 'input', unrepresentable: 'any' }),
  $id: 'https://atlas-automation.example/policy.schema.json',
  title: 'Backup policy',
});

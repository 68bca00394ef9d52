import * as z from 'zod';
import { matcherOf } from './pattern.ts';
import type { Resource, Resources } from './synthesis.ts';

/** Where the stand-in for the account is. */
const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': 'us-east-1',
  'AWS::AccountId': '000000000000',
  'AWS::URLSuffix': 'amazonaws.com',
};

export interface FunctionWiring {
  readonly lambda: string;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  /** Variables whose value the template says outright; and all names it sets. */
  readonly environment: Readonly<Record<string, string>>;
  readonly variables: readonly string[];
  /** What stands in its settings file. */
  readonly settings: string;
}

export interface ScheduleWiring {
  readonly name: string;
  readonly lambda: string;
  readonly expression: string;
  /** Whose clock the expression means. */
  readonly timeZone: string;
  /** What the function gets instead of the event of a schedule. */
  readonly input: Readonly<Record<string, unknown>> | undefined;
}

export interface RuleWiring {
  readonly name: string;
  readonly matches: (event: object) => boolean;
  readonly lambdas: readonly string[];
  /** Functions in whose dead letters the event is kept, until somebody has taken it out. */
  readonly keptFor: readonly string[];
}

/** How the stack puts the functions together. */
export interface Wiring {
  readonly functions: ReadonlyMap<string, FunctionWiring>;
  readonly schedules: readonly ScheduleWiring[];
  readonly rules: readonly RuleWiring[];
  /** Functions with an address of their own. */
  readonly urls: ReadonlySet<string>;
  /** Functions that a queue invokes. */
  readonly queues: ReadonlySet<string>;
  readonly rotations: readonly { readonly secret: string; readonly lambda: string; readonly schedule: string }[];
}

const Ref = z.strictObject({ Ref: z.string() });
const Join = z.strictObject({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) });
const Attribute = z.strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) });

/** A text of the template, with the account's own facts put in; undefined where only a deployment knows it. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  const ref = Ref.safeParse(value);
  if (ref.success) return PSEUDO[ref.data.Ref];
  const join = Join.safeParse(value);
  if (!join.success) return undefined;
  const [between, parts] = join.data['Fn::Join'];
  const texts = parts.map(textOf);
  return texts.every((text) => text !== undefined) ? texts.join(between) : undefined;
}

/** The same for everything inside. */
function resolved(value: unknown): unknown {
  const text = textOf(value);
  if (text !== undefined) return text;
  if (Array.isArray(value)) return value.map(resolved);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, below]) => [key, resolved(below)]));
}

/** The id of the resource a value speaks of. */
const idIn = (value: unknown): string | undefined =>
  Attribute.safeParse(value).data?.['Fn::GetAtt'][0] ?? Ref.safeParse(value).data?.Ref;

const FunctionProperties = z.object({
  Timeout: z.number().default(3),
  MemorySize: z.number().default(128),
  DeadLetterConfig: z.object({ TargetArn: z.unknown().optional() }).optional(),
  Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }),
});
const RuleProperties = z.object({
  Description: z.string().optional(),
  EventPattern: z.unknown().optional(),
  State: z.string().optional(),
  Targets: z.array(z.object({ Arn: z.unknown() })).default([]),
});
const ScheduleProperties = z.object({
  Description: z.string().optional(),
  ScheduleExpression: z.string(),
  ScheduleExpressionTimezone: z.string().default('UTC'),
  State: z.string().optional(),
  Target: z.object({ Arn: z.unknown(), Input: z.string().optional() }),
});
/** What a schedule's target gets; undefined where that is the event of a schedule, which the host puts together. */
const Input = z
  .record(z.string(), z.unknown())
  .transform((input) => (input['detail-type'] === 'Scheduled Event' ? undefined : input));

/** Reads it from the template, so that this machine and AWS are wired alike. Throws for what is not understood here. */
export function wiringOf(resources: Resources): Wiring {
  const of = (type: string): [string, Resource][] => Object.entries(resources).filter(([, { Type }]) => Type === type);
  const lambdas = new Map<string, string>();
  const deadLetters = new Map<string, string>();
  const functions = new Map<string, FunctionWiring>();
  for (const [id, { Properties, Settings = '{}' }] of of('AWS::Lambda::Function')) {
    const { Timeout, MemorySize, Environment, DeadLetterConfig } = FunctionProperties.parse(Properties);
    const { Variables } = Environment;
    const lambda = z.string().parse(Variables['POWERTOOLS_SERVICE_NAME']);
    const said = Object.entries(Variables).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
    lambdas.set(id, lambda);
    const queue = idIn(DeadLetterConfig?.TargetArn);
    if (queue !== undefined) deadLetters.set(queue, lambda);
    functions.set(lambda, {
      lambda,
      timeoutMs: Timeout * 1_000,
      memoryMb: MemorySize,
      environment: Object.fromEntries(said),
      variables: Object.keys(Variables),
      settings: Settings,
    });
  }
  const target = (id: string, value: unknown): string => {
    const lambda = lambdas.get(idIn(value) ?? '');
    if (lambda === undefined) throw new Error(`${id} leads to something that is not known here`);
    return lambda;
  };

  const rules: RuleWiring[] = [];
  for (const [id, { Properties }] of of('AWS::Events::Rule')) {
    const { Description: name = id, EventPattern, State, Targets } = RuleProperties.parse(Properties);
    if (State === 'DISABLED') continue;
    const ids = Targets.map(({ Arn }) => idIn(Arn) ?? '');
    const keptFor = ids.flatMap((target) => deadLetters.get(target) ?? []);
    const toLambdas = Targets.filter((_, nth) => !deadLetters.has(ids[nth] ?? ''));
    rules.push({
      name,
      matches: matcherOf(resolved(EventPattern)),
      lambdas: toLambdas.map(({ Arn }) => target(id, Arn)),
      keptFor,
    });
  }
  const schedules = of('AWS::Scheduler::Schedule').flatMap(([id, { Properties }]): ScheduleWiring[] => {
    const schedule = ScheduleProperties.parse(Properties);
    if (schedule.State === 'DISABLED') return [];
    const { Arn, Input: input } = schedule.Target;
    return [
      {
        name: schedule.Description ?? id,
        lambda: target(id, Arn),
        expression: schedule.ScheduleExpression,
        timeZone: schedule.ScheduleExpressionTimezone,
        input: input === undefined ? undefined : Input.parse(JSON.parse(input)),
      },
    ];
  });

  return {
    functions,
    schedules,
    rules,
    urls: new Set(of('AWS::Lambda::Url').map(([id, { Properties }]) => target(id, Properties['TargetFunctionArn']))),
    queues: new Set(
      of('AWS::Lambda::EventSourceMapping').map(([id, { Properties }]) => target(id, Properties['FunctionName'])),
    ),
    rotations: of('AWS::SecretsManager::RotationSchedule').map(([id, { Properties }]) => ({
      secret: z.string().parse(Properties['SecretId']),
      lambda: target(id, Properties['RotationLambdaARN']),
      schedule: z.object({ ScheduleExpression: z.string() }).parse(Properties['RotationRules']).ScheduleExpression,
    })),
  };
}

/** What the functions asked of AWS while tests ran, one deployment after the other: see infra/local/aws/recorder.ts. */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { LAMBDAS } from '../../infra/build.ts';

const Line = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('deployment'),
    deployment: z.string(),
    settings: z.record(z.string(), z.record(z.string(), z.unknown())),
    environment: z.record(z.string(), z.string()),
  }),
  z.object({ kind: z.literal('made'), deployment: z.string(), secret: z.string() }),
  z.object({
    kind: z.literal('managed'),
    deployment: z.string(),
    secret: z.string(),
    adminSecret: z.string().optional(),
    kmsKey: z.string().optional(),
  }),
  z.object({
    kind: z.literal('call'),
    deployment: z.string(),
    caller: z.string(),
    action: z.string(),
    resource: z.string(),
    context: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
  }),
]);
type Line = z.output<typeof Line>;
export type Call = Extract<Line, { kind: 'call' }>;
export type Managed = Extract<Line, { kind: 'managed' }>;

export interface Recorded {
  readonly settings: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly environment: Readonly<Record<string, string>>;
  /** Secrets whose rotation was set up, each once. */
  readonly managed: readonly Managed[];
  /** Names of the secrets whoever deploys has made. */
  readonly secrets: readonly string[];
  /** Calls of our functions, each once however often it was made. */
  readonly calls: readonly Call[];
}

const functions = new Set(Object.values(LAMBDAS));

/** The deployments of a record in which a function of ours made a call, and how many calls that were. */
export function readRecord(file: string): { deployments: Recorded[]; made: number } {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => Line.parse(JSON.parse(line)));
  const made = lines.filter((line) => line.kind === 'call' && functions.has(line.caller)).length;
  const deployments = [...Map.groupBy(lines, ({ deployment }) => deployment).values()].flatMap((own): Recorded[] => {
    const placed = own.find((line) => line.kind === 'deployment');
    const once = new Map<string, Call>();
    const secrets: string[] = [];
    const managed = new Map<string, Managed>();
    for (const line of own) {
      if (line.kind === 'made') secrets.push(line.secret);
      if (line.kind === 'managed') managed.set(line.secret, { ...managed.get(line.secret), ...line });
      if (line.kind !== 'call') continue;
      if (functions.has(line.caller)) once.set(JSON.stringify(line), line);
      else if (line.action === 'secretsmanager:CreateSecret') secrets.push(nameOf(line.resource));
    }
    if (!placed || once.size === 0) return [];
    const { settings, environment } = placed;
    return [{ settings, environment, managed: [...managed.values()], secrets, calls: [...once.values()] }];
  });
  return { deployments, made };
}

/** The name in the ARN of a secret, without the six characters of Secrets Manager; of a name, the name. */
export const nameOf = (text: string): string =>
  text.startsWith('arn:') ? text.replace(/^.*:secret:/, '').replace(/-[A-Za-z0-9?]{6}$/, '') : text;

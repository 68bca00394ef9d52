import * as z from 'zod';
import type { Clock } from '../../../lib/runtime/clock.ts';
import { FaultPlan } from '../faults.ts';
import { type Drop, type Loopback, serveOnLoopback } from '../loopback.ts';
import { createSeededIds } from './seeded-ids.ts';

/** Makes one finding fail inside a call that succeeds, the first `times` times it is imported. */
export interface PlannedFindingFailure {
  readonly id: string;
  readonly errorCode: string;
  readonly times: number;
}

export interface SecurityHubOptions {
  readonly clock: Clock;
  readonly faults?: FaultPlan;
  readonly account?: string;
  readonly region?: string;
  /** False for an account that never subscribed: every call is refused. */
  readonly enabled?: boolean;
}

type StoredFinding = z.output<typeof finding>;

/** AWS Security Hub on one machine, as far as findings come in. Point AWS_ENDPOINT_URL_SECURITYHUB at it. */
export interface SecurityHubService {
  /** What it holds, by product and id, oldest first. */
  readonly findings: ReadonlyMap<string, StoredFinding>;
  readonly faults: FaultPlan;
  failFindings(planned: readonly PlannedFindingFailure[]): void;
  fetch(request: Request, drop?: Drop): Promise<Response>;
  listen(port?: number): Promise<Loopback>;
}

const RATE = 10;
const BURST = 30;
const MOST_BYTES = 6 * 1024 * 1024;
const MOST_FINDING_BYTES = 240 * 1024;

const said = (most = 512) => z.string().max(most).regex(/\S/, 'is blank');
const instant = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)$/, 'is not an RFC 3339 timestamp');
const severity = z.strictObject({
  Label: z.enum(['INFORMATIONAL', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL']).optional(),
  Normalized: z.int().min(0).max(100).optional(),
  Original: said(64).optional(),
  Product: z.number().optional(),
});
const type = z
  .string()
  .regex(
    /^(Software and Configuration Checks|TTPs|Effects|Unusual Behaviors|Sensitive Data Identifications)(\/[^/]+){0,2}$/,
  );
const fields = z
  .record(z.string().max(128), z.string().max(2048))
  .refine((map) => Object.keys(map).length <= 50, 'has more than 50 entries');

/** The part of the finding format that a finding provider of this kind sends; anything else is refused. */
const finding = z.strictObject({
  SchemaVersion: z.literal('2018-10-08'),
  Id: said(),
  ProductArn: z.string().regex(/^arn:aws[\w-]*:securityhub:[a-z0-9-]+:\d{12}:product\/[^/]+\/[^/]+$/),
  ProductName: said(128).optional(),
  CompanyName: said(128).optional(),
  GeneratorId: said(),
  AwsAccountId: z.string().regex(/^\d{12}$/),
  Types: z.array(type).max(50).optional(),
  FirstObservedAt: instant.optional(),
  LastObservedAt: instant.optional(),
  CreatedAt: instant,
  UpdatedAt: instant,
  Severity: severity.optional(),
  FindingProviderFields: z.strictObject({ Severity: severity, Types: z.array(type).max(50) }).optional(),
  Title: said(256),
  Description: said(1024),
  Remediation: z
    .strictObject({
      Recommendation: z.strictObject({ Text: said(512).optional(), Url: z.url().optional() }),
    })
    .optional(),
  ProductFields: fields.optional(),
  Resources: z
    .array(
      z.strictObject({
        Type: said(256),
        Id: said(),
        Partition: z.enum(['aws', 'aws-cn', 'aws-us-gov']).optional(),
        Region: said(16).optional(),
        Details: z.strictObject({ Other: z.record(z.string(), z.string().max(1024)) }).optional(),
      }),
    )
    .min(1)
    .max(32),
  Compliance: z
    .strictObject({
      Status: z.enum(['PASSED', 'WARNING', 'FAILED', 'NOT_AVAILABLE']),
      StatusReasons: z.array(z.strictObject({ ReasonCode: said(), Description: said(1024).optional() })).optional(),
    })
    .optional(),
  RecordState: z.enum(['ACTIVE', 'ARCHIVED']).optional(),
});

/** Source: https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html */
export function createSecurityHubService(options: SecurityHubOptions): SecurityHubService {
  const { clock, faults = new FaultPlan(), account = '000000000000', region = 'us-east-1', enabled = true } = options;
  const requestIds = createSeededIds('security-hub:requests', { issued: 0 });
  const findings = new Map<string, StoredFinding>();
  const planned = new Map<string, { errorCode: string; times: number }>();
  let tokens = BURST;
  let filledAt = clock.now().getTime();

  const respond = (status: number, body: object, type?: string): Response =>
    Response.json(body, {
      status,
      headers: { 'x-amzn-requestid': requestIds.uuid(), ...(type !== undefined && { 'x-amzn-errortype': type }) },
    });
  const refuse = (status: number, type: string, message: string): Response =>
    respond(status, { Message: message, Code: type }, type);

  const problemOf = (input: unknown): { code: string; message: string } | undefined => {
    if (Buffer.byteLength(JSON.stringify(input)) > MOST_FINDING_BYTES)
      return { code: 'InvalidInput', message: 'Finding is larger than 240 KB.' };
    const parsed = finding.safeParse(input);
    if (!parsed.success) {
      const reasons = parsed.error.issues.map(({ path, message }) => `data.${path.join('.')} ${message}`);
      return {
        code: 'InvalidInput',
        message: `Finding does not adhere to Amazon Finding Format. ${reasons.join('; ')}`,
      };
    }
    const { AwsAccountId, ProductArn, Id } = parsed.data;
    if (AwsAccountId !== account || !ProductArn.includes(`:${region}:${account}:product/${account}/`))
      return { code: 'InvalidInput', message: 'Invalid parameter: the account or the product is not the caller’s.' };
    const plan = planned.get(Id);
    if (plan && plan.times > 0) {
      plan.times -= 1;
      return { code: plan.errorCode, message: 'The finding was not imported.' };
    }
    findings.set(`${ProductArn}/${Id}`, merged(findings.get(`${ProductArn}/${Id}`), parsed.data));
    return undefined;
  };

  const carryOut = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    if (request.method !== 'POST' || pathname !== '/findings/import')
      return refuse(404, 'ResourceNotFoundException', `${request.method} ${pathname} is not offered here.`);
    if (!request.headers.get('authorization')?.includes(`/${region}/securityhub/aws4_request`))
      return refuse(403, 'AccessDeniedException', 'The request is not signed for this service and Region.');
    if (!enabled)
      return refuse(401, 'InvalidAccessException', `Account ${account} is not subscribed to AWS Security Hub`);
    const now = clock.now().getTime();
    tokens = Math.min(BURST, tokens + ((now - filledAt) * RATE) / 1000);
    filledAt = now;
    if (tokens < 1) return refuse(429, 'TooManyRequestsException', 'Too Many Requests');
    tokens -= 1;
    const body = await request.text();
    if (Buffer.byteLength(body) > MOST_BYTES) return refuse(413, 'RequestEntityTooLargeException', 'Request Too Long');
    const input = z.object({ Findings: z.array(z.unknown()).min(1).max(100) }).safeParse(parse(body));
    if (!input.success)
      return refuse(400, 'InvalidInputException', 'Invalid parameter: Findings must have 1 to 100 entries.');
    const failed = input.data.Findings.flatMap((one) => {
      const problem = problemOf(one);
      const { Id } = z
        .looseObject({ Id: z.string().catch('') })
        .catch({ Id: '' })
        .parse(one);
      return problem ? [{ Id, ErrorCode: problem.code, ErrorMessage: problem.message }] : [];
    });
    return respond(200, {
      FailedCount: failed.length,
      SuccessCount: input.data.Findings.length - failed.length,
      FailedFindings: failed,
    });
  };

  const fetch = (request: Request, drop: Drop = () => Response.error()): Promise<Response> =>
    faults.meet({
      operation: 'BatchImportFindings',
      apply: () => carryOut(request),
      refuse: ({ status }) =>
        status === 429 || status === 400
          ? refuse(429, 'TooManyRequestsException', 'Too Many Requests')
          : refuse(status, 'InternalException', 'Internal server error'),
      drop,
    });

  return {
    findings,
    faults,
    failFindings(failures) {
      planned.clear();
      for (const { id, errorCode, times } of failures) planned.set(id, { errorCode, times });
    },
    fetch,
    listen: (port) => serveOnLoopback(fetch, port),
  };
}

/** A later import updates what providers may update; when it was created, and by whom, stays. */
const merged = (before: StoredFinding | undefined, now: StoredFinding): StoredFinding =>
  before && now.UpdatedAt < before.UpdatedAt ? before : { ...now, CreatedAt: before?.CreatedAt ?? now.CreatedAt };

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

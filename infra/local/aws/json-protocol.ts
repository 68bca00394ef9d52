import type * as z from 'zod';

/** A refusal in the service's own words. */
export class AwsError extends Error {
  readonly type: string;
  readonly status: number;

  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

/** Carries one operation out on an input that has not been checked yet. */
export type Operation = (input: unknown) => object | Promise<object>;

/** One AWS service behind the shared endpoint. */
export interface AwsService {
  /** What `X-Amz-Target` starts with, without the dot: the SDK's name for the service and its API version. */
  readonly targetPrefix: string;
  readonly operations: Readonly<Record<string, Operation>>;
  /** The `__type` of this service's own "it is our fault" answer. */
  readonly internalError: string;
  /** Secrets Manager spells the text `Message`, most others `message`. */
  readonly messageField: 'Message' | 'message';
}

/** Checks the input as the service would before it looks at anything it stores. */
export function operation<T>(schema: z.ZodType<T>, carryOut: (input: T) => object | Promise<object>): Operation {
  return (input) => {
    const parsed = schema.safeParse(input);
    if (parsed.success) return carryOut(parsed.data);
    const { issues } = parsed.error;
    // Values are left out on purpose: an input may hold a secret.
    const reasons = issues.map(
      ({ path, message }) => `Value at '${path.join('.')}' failed to satisfy constraint: ${message}`,
    );
    throw new AwsError(
      'ValidationException',
      `${issues.length} validation error${issues.length === 1 ? '' : 's'} detected: ${reasons.join('; ')}`,
    );
  };
}

export function answer(requestId: string, body: object): Response {
  return respond(requestId, 200, body);
}

export function refuse(
  requestId: string,
  { type, message, status }: AwsError,
  field: AwsService['messageField'],
): Response {
  return respond(requestId, status, { __type: type, [field]: message });
}

function respond(requestId: string, status: number, body: object): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': requestId },
  });
}

/** What a planned refusal looks like on the wire: AWS answers throttling and missing permission with status 400. */
export function plannedRefusal(status: number, internalError: string): AwsError {
  switch (status) {
    case 400:
    case 429:
      return new AwsError('ThrottlingException', 'Rate exceeded');
    case 403:
      return new AwsError('AccessDeniedException', 'The caller is not authorized to perform this operation.');
    case 503:
      return new AwsError('ServiceUnavailable', 'The service cannot be reached at the moment.', 503);
    default:
      return new AwsError(internalError, 'An error occurred on the server side.', status);
  }
}

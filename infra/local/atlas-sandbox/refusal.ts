import { STATUS_CODES } from 'node:http';

/** An answer other than success, thrown from wherever the reason is found. */
export class AtlasRefusal extends Error {
  readonly status: number;
  readonly errorCode: string;
  readonly parameters: readonly (string | number)[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    errorCode: string,
    detail: string,
    parameters: readonly (string | number)[] = [],
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
    this.status = status;
    this.errorCode = errorCode;
    this.parameters = parameters;
    this.headers = headers;
  }
}

/** Errors are plain JSON whatever version was asked for. */
export function refusalResponse({ status, errorCode, message, parameters, headers }: AtlasRefusal): Response {
  const body = { detail: message, error: status, errorCode, parameters, reason: STATUS_CODES[status] ?? 'Error' };
  return Response.json(body, { status, headers: { 'X-Error-Code': errorCode, ...headers } });
}

/** The one refusal that has neither parameters nor an error code header: no credentials Atlas accepts. */
export function unauthenticatedResponse(): Response {
  return Response.json(
    {
      error: 401,
      reason: 'Unauthorized',
      detail: 'You are not authorized for this resource.',
      errorCode: 'UNEXPECTED_ERROR',
    },
    { status: 401 },
  );
}

export function resourceNotFound(what: string): AtlasRefusal {
  return new AtlasRefusal(404, 'RESOURCE_NOT_FOUND', `Cannot find resource ${what}.`, [what]);
}

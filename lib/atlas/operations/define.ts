import type * as z from 'zod';

type Names<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;

type Shape = z.ZodType<Record<string, unknown>>;

/** One Atlas endpoint: everything the client needs to know about it, and no behaviour. */
export interface Operation {
  /** The OpenAPI operationId: the name in logs, errors, metrics and tests. */
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: `/api/atlas/v2${string}`;
  /** Resource version, sent as `application/vnd.atlas.<version>+json`. */
  readonly version: `${number}-${number}-${number}`;
  /** `never` when a second delivery would do a second thing: then it is not sent again after a lost answer or a 5xx. */
  readonly repeat: 'safe' | 'never';
  readonly params: z.ZodType<Record<string, string>>;
  readonly query?: Shape;
  readonly body?: Shape;
  readonly response: z.ZodType;
}

/** Keeps the literal shape, and does not compile unless `params` names exactly the placeholders in `path`. */
export const operation = <const Op extends Operation>(
  op: Op & { readonly params: z.ZodType<Record<Names<Op['path']>, string>> },
): Op => op;

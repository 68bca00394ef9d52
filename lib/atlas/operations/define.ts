import type * as z from 'zod';

type Names<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;

type Shape = z.ZodType<Record<string, unknown>>;

/** One Atlas endpoint: everything the client needs to know about it, and no behaviour. */
export interface Operation {
  /** The OpenAPI operationId: the name in logs, errors, metrics and tests. */
  readonly id: string;
  /** What it does, in a few words, for whoever chooses among them. */
  readonly summary: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: `/api/atlas/v2${string}` | `/api/atlas/v1.0/${string}` | `/api/public/v1.0/${string}`;
  /** Resource version, sent as `application/vnd.atlas.<version>+json`; the older APIs have none and take plain JSON. */
  readonly version?: `${number}-${number}-${number}`;
  /** `never` when a second delivery would do a second thing: then it is not sent again after a lost answer or a 5xx. */
  readonly repeat: 'safe' | 'never';
  /** Set where something is lost or ends that the API can't bring back. */
  readonly destructive?: true;
  /** operationId of the read that shows what a destructive operation would take away, where its own path has no GET. */
  readonly shows?: string;
  /** When Atlas stops, or stopped, serving it (`YYYY-MM-DD`): expect 404 or 410 from then on. */
  readonly sunset?: `${number}-${number}-${number}`;
  readonly params: z.ZodType<Record<string, string>>;
  readonly query?: Shape;
  readonly body?: Shape;
  readonly response: z.ZodType;
}

/** Keeps the literal shape, and does not compile unless `params` names exactly the placeholders in `path`. */
export const operation = <const Op extends Operation>(
  op: Op & { readonly params: z.ZodType<Record<Names<Op['path']>, string>> },
): Op => op;

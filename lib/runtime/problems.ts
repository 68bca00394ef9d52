import type * as z from 'zod';

/** One thing that is wrong with an input: where, and what. Never the value. */
export interface Problem {
  readonly path: string;
  readonly problem: string;
}

/** Every problem a schema found, flattened through unions, so that one error can list them all. */
export function problemsOf(error: z.ZodError | undefined): Problem[] {
  return (error?.issues ?? []).map((issue) => ({
    path: issue.path.join('.') || '(the whole)',
    problem: issue.message,
  }));
}

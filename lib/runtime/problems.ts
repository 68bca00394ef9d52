import type * as z from 'zod';

/** One thing that is wrong with an input: where, and what. Never the value. */
export interface Problem {
  readonly path: string;
  readonly problem: string;
}

const pathOf = (keys: readonly PropertyKey[]): string => keys.join('.') || '(the whole)';

/** Every problem a schema found, unknown keys by their own name, so that one error can list them all. */
export const problemsOf = (error: z.ZodError | undefined): Problem[] =>
  (error?.issues ?? []).flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: pathOf([...issue.path, key]), problem: 'is not known' }));
    }
    if (issue.code === 'invalid_key') {
      return issue.issues.map(({ message }) => ({ path: pathOf(issue.path), problem: message }));
    }
    return [{ path: pathOf(issue.path), problem: issue.message }];
  });

/** The same as one line of text. */
export const sentenceOf = (problems: readonly Problem[]): string =>
  problems.map(({ path, problem }) => `${path} ${problem}`).join('; ');

import type * as z from 'zod';

/** One thing that is wrong with an input: where, and what. Never the value. */
export interface Problem {
  readonly path: string;
  readonly problem: string;
}

interface Found {
  readonly path: readonly PropertyKey[];
  readonly problem: string;
}

/**
 * Every problem a schema found, unknown keys by their own name, so that one error can list them all. `within` is where
 * the input itself lies in something larger.
 */
export const problemsOf = (error: z.ZodError | undefined, within: readonly PropertyKey[] = []): Problem[] =>
  found(error?.issues ?? [], within).map(({ path, problem }) => ({ path: path.join('.') || '(the whole)', problem }));

function found(issues: readonly z.core.$ZodIssue[], within: readonly PropertyKey[]): Found[] {
  return issues.flatMap((issue): readonly Found[] => {
    const path = [...within, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: [...path, key], problem: 'is not known' }));
    }
    if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => ({ path, problem: message }));
    const meant = issue.code === 'invalid_union' ? meantBranch(issue.errors, path) : undefined;
    return meant ?? [{ path, problem: issue.message }];
  });
}

/**
 * What is wrong by the alternative the input comes closest to: the fewest problems, then the deepest. Undefined where
 * the input is of no alternative's kind, or as close to one as to another: then the choice itself says what it takes.
 */
function meantBranch(branches: readonly z.core.$ZodIssue[][], at: readonly PropertyKey[]): Found[] | undefined {
  const depth = (problems: readonly Found[]): number => Math.max(...problems.map(({ path }) => path.length));
  const [closest, next] = branches
    .map((issues) => found(issues, at))
    .filter((problems) => problems.every(({ path }) => path.length > at.length))
    .toSorted((a, b) => a.length - b.length || depth(b) - depth(a));
  if (!closest) return undefined;
  const tied = next?.length === closest.length && depth(next) === depth(closest);
  return tied && JSON.stringify(next) !== JSON.stringify(closest) ? undefined : closest;
}

/** The same as one line of text. */
export const sentenceOf = (problems: readonly Problem[]): string =>
  problems.map(({ path, problem }) => `${path} ${problem}`).join('; ');

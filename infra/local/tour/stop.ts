/** What one capability did on the way through all of them, for the summary. */
export interface Stop {
  readonly capability: string;
  /** What happened, in a few short sentences. */
  readonly did: readonly string[];
  /** Pages written to the disk. */
  readonly pages: readonly string[];
  /** What should have happened and did not; null where all of it did. */
  readonly problem: string | null;
  readonly seconds: number;
}

/** Runs one stop: measures it, and turns what it throws into its problem. */
export async function stopAt(
  capability: string,
  work: () => Promise<Pick<Stop, 'did' | 'problem'> & { readonly pages?: readonly string[] }>,
): Promise<Stop> {
  const start = performance.now();
  const seconds = (): number => (performance.now() - start) / 1_000;
  try {
    return { capability, pages: [], ...(await work()), seconds: seconds() };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { capability, did: [], pages: [], problem, seconds: seconds() };
  }
}

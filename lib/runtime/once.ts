/** Runs `make` at most once for as long as it succeeds: a failure is forgotten, so that the next caller tries again. */
export const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let held: Promise<T> | undefined;
  return () => {
    held ??= make().catch((error: unknown) => {
      held = undefined;
      throw error;
    });
    return held;
  };
};

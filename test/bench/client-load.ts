/** Runs `task` so many times, so many at once. */
export async function forEachOf(times: number, atOnce: number, task: () => Promise<unknown>): Promise<void> {
  let left = times;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await task();
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

/** Room for so much at a time, given out in the order it is asked for. */
export interface Room {
  /** Resolves when there is room for this much, or for as much as there is at all; what it answers gives it back. */
  take(size: number): Promise<() => void>;
}

export function createRoom(capacity: number): Room {
  const waiting: { readonly size: number; readonly enter: () => void }[] = [];
  let left = capacity;
  const admit = (): void => {
    for (let [next] = waiting; next && next.size <= left; [next] = waiting) {
      waiting.shift();
      left -= next.size;
      next.enter();
    }
  };
  return {
    async take(asked) {
      const size = Math.min(Math.max(1, asked), capacity);
      await new Promise<void>((enter) => {
        waiting.push({ size, enter });
        admit();
      });
      return () => {
        left += size;
        admit();
      };
    },
  };
}

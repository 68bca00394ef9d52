import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Nothing has run for so long before memory is given back. */
const IDLE_MS = 10_000;

type Collect = (options: { readonly type: 'major'; readonly flavor: 'last-resort' }) => void;

/**
 * Gives memory back to the system whenever nothing happened for a while: what the start and a busy time took stays with
 * Node otherwise. `onChange` tells of something that happened. Takes about a tenth of a second, of a time in which
 * nobody waits.
 */
export function beThrifty(onChange: (listener: () => void) => () => void): Disposable {
  setFlagsFromString('--expose-gc');
  const collect: Collect = runInNewContext('gc');
  const rest = (): void => collect({ type: 'major', flavor: 'last-resort' });
  const timer = setTimeout(rest, IDLE_MS);
  timer.unref();
  const unsubscribe = onChange(() => timer.refresh());
  return {
    [Symbol.dispose]() {
      unsubscribe();
      clearTimeout(timer);
    },
  };
}

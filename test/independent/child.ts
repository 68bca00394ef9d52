import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';

/** Ends the process it runs in as soon as whoever holds the other end of its input is gone, however that went. */
const endWithParent = 'data:text/javascript,process.stdin.resume().once("close",()=>process.exit())';

export interface Child extends AsyncDisposable {
  readonly process: ChildProcessWithoutNullStreams;
  /** Everything it has printed, for the message of a failure. */
  printed(): string;
}

/**
 * Runs a script with this Node. It does not outlive the caller: disposing ends it, and so does losing its input, to
 * which one that does not read its input itself pays attention when told that it is `deaf`.
 */
export function startChild(
  script: string,
  args: readonly string[],
  { deaf = false, env = {} }: { readonly deaf?: boolean; readonly env?: Readonly<Record<string, string>> } = {},
): Child {
  const child = spawn(process.execPath, [...(deaf ? ['--import', endWithParent] : []), script, ...args], {
    // Nothing of the test runner, such as its options for Node, is a matter of this process.
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: process.env['TMPDIR'], ...env },
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed = (printed + text).slice(-20_000);
    });
  }
  // Writing to one that has ended is seen by its silence.
  child.stdin.on('error', () => {});
  const ended = once(child, 'exit');
  return {
    process: child,
    printed: () => printed,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.stdin.end();
      const impatient = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(impatient);
    },
  };
}

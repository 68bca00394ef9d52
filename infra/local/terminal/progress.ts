import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import { safe } from './text.ts';

/** Tells people what goes on while it goes on. */
export interface Progress {
  /** A sentence by itself. */
  say(text: string): void;
  /** Does some work under a title. `done` says in a few words what came of it; what it throws is passed on. */
  step<Result>(
    title: string,
    work: () => Promise<Result>,
    done?: (result: Result) => { readonly text: string; readonly isWell: boolean },
  ): Promise<Result>;
}

type Output = Pick<WriteStream, 'write'> & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>;

/** Whether somebody watches: elsewhere lines are written once, when they are true. */
const isWatched = (output: Output, env: NodeJS.ProcessEnv): boolean =>
  output.isTTY === true && env['TERM'] !== 'dumb' && !env['CI'];

/** Progress on a terminal, or plain lines for files and pipes. Everything goes to `output`, standard error as a rule. */
export async function createProgress(output: WriteStream, env = process.env): Promise<Progress> {
  const watched = isWatched(output, env);
  // Only where somebody watches: files and pipes need none of it.
  const clack = watched ? await import('@clack/prompts') : undefined;
  const colour = (style: 'green' | 'red', text: string): string =>
    styleText(style, text, { stream: output, validateStream: true });
  const line = (isWell: boolean, text: string): string =>
    `${isWell ? colour('green', 'ok    ') : colour('red', 'failed')} ${text}`;
  return {
    say: (text) => void output.write(`${safe(text)}\n`),
    async step(title, work, done) {
      const start = performance.now();
      const took = (): string => `${((performance.now() - start) / 1_000).toFixed(1)} s`;
      const spinner = clack?.spinner({ output, indicator: 'timer', withGuide: false });
      spinner?.start(safe(title));
      const end = (isWell: boolean, text: string): void => {
        spinner?.clear();
        const most = Math.max(40, (output.columns ?? 80) - 18);
        output.write(`${line(isWell, safe(text, most))} (${took()})\n`);
      };
      try {
        const result = await work();
        const { isWell, text } = done?.(result) ?? { isWell: true, text: title };
        end(isWell, text);
        return result;
      } catch (error) {
        end(false, title);
        throw error;
      }
    },
  };
}

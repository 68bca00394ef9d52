import { createInterface } from 'node:readline';
import type { Child } from './child.ts';

interface Message {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

export interface ToolAnswer {
  readonly isError: boolean;
  /** All its text, line after line. */
  readonly text: string;
}

/** The Model Context Protocol as far as tools are called with it, over the standard streams of a server. */
export interface McpClient {
  call(tool: string, args: Readonly<Record<string, unknown>>): Promise<ToolAnswer>;
}

const PATIENCE_MS = 60_000;

export async function connectMcp(server: Child): Promise<McpClient> {
  const { stdin, stdout } = server.process;
  const waiting = new Map<number, (message: Message) => void>();
  createInterface({ input: stdout }).on('line', (line) => {
    // What is no message is somebody printing to the wrong stream, and shown if an answer fails to come.
    const message: Message = line.startsWith('{') ? JSON.parse(line) : {};
    if (message.id !== undefined) waiting.get(message.id)?.(message);
  });
  let last = 0;
  const send = (message: object): boolean => stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const request = async (method: string, params: object): Promise<unknown> => {
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    const id = ++last;
    waiting.set(id, resolve);
    const silent = (): void => reject(new Error(`no answer to ${method}: ${server.printed()}`));
    const timer = setTimeout(silent, PATIENCE_MS);
    server.process.once('exit', silent);
    send({ id, method, params });
    const { result, error } = await promise.finally(() => {
      clearTimeout(timer);
      server.process.off('exit', silent);
    });
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  };
  const clientInfo = { name: 'atlas-automation-tests', version: '1.0.0' };
  await request('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo });
  send({ method: 'notifications/initialized' });
  return {
    async call(tool, args) {
      const result = await request('tools/call', { name: tool, arguments: args });
      const { isError = false, content } = result as { isError?: boolean; content: { text?: string }[] };
      return { isError, text: content.map(({ text = '' }) => text).join('\n') };
    },
  };
}

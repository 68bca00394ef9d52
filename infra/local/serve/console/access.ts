import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** Compares without telling by its time how much of it was right. */
export function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/** What every form of the console carries: it follows from the token, and does not tell it. */
export const formTokenOf = (token: string): string => createHmac('sha256', token).update('a form').digest('base64url');

const cookieOf = (request: Request, name: string): string | undefined =>
  (request.headers.get('cookie') ?? '')
    .split(';')
    .map((pair) => pair.trim().split('='))
    .find(([key]) => key === name)?.[1];

/**
 * Who may look: whoever has the token, by this machine's own names alone. Answers the refusal, the way in with the cookie
 * that stands for the token from then on, or nothing where the request may go on.
 *
 * The name is checked first: a page elsewhere that had its name lead to this machine is refused whatever it knows. What
 * changes something must come from a page of the console itself.
 */
export function createAccess(token: string, origin: string): (request: Request) => Response | undefined {
  const { port } = new URL(origin);
  const hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`]);
  // Cookies are shared between the ports of a machine.
  const cookie = `console-${port}`;
  const refuse = (status: number, text: string): Response =>
    new Response(`${text}\n`, { status, headers: { 'content-type': 'text/plain; charset=utf-8' } });

  return (request) => {
    const host = request.headers.get('host') ?? '';
    if (!hosts.has(host)) return refuse(403, 'This console answers to 127.0.0.1 and localhost alone.');
    const reads = request.method === 'GET' || request.method === 'HEAD';
    const from = request.headers.get('origin');
    if (from !== null && from !== `http://${host}`) return refuse(403, 'Another page asks for this.');
    if (!reads && from === null) return refuse(403, 'It is not said which page asks for this.');
    const url = new URL(request.url);
    if (reads && isSame(url.searchParams.get('token') ?? '', token)) {
      url.searchParams.delete('token');
      return new Response(null, {
        status: 303,
        headers: {
          // Gone from the address: it stays in no history and no bookmark.
          location: `${url.pathname.replace(/^\/+/, '/')}${url.search}`,
          'set-cookie': `${cookie}=${token}; HttpOnly; SameSite=Strict; Path=/`,
        },
      });
    }
    if (isSame(cookieOf(request, cookie) ?? '', token)) return undefined;
    return refuse(401, 'Open the address with the token that was printed when the local host started.');
  };
}

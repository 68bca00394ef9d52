/**
 * What the bundles hold of undici: the pool of connections the sources import, not fetch, WebSocket, caches and mocks,
 * which undici's own entry loads with it. `infra/build.ts` puts it in the place of `undici`; an import of anything else
 * fails the build.
 */
import perform from 'undici/lib/api/api-request.js';
import Agent from 'undici/lib/dispatcher/agent.js';

/** As undici's own, with the dispatcher always given: there is no global one here. */
const request = (url, { dispatcher, ...options }) => {
  const { origin, pathname, search } = new URL(url);
  return perform.call(dispatcher, { ...options, origin, path: pathname + search });
};

export { Agent, request };

import { MockAgent } from 'undici';
import { onTestFinished } from 'vitest';
import { type AtlasClientOptions, createAtlasClient } from '../../lib/atlas/client.ts';
import { manualClock } from './manual-clock.ts';

export const ORIGIN = 'https://atlas.test';

/** A real client over a network that knows only what the test tells it, and must be asked for all of that. */
export function fakeAtlas(options: Partial<AtlasClientOptions> = {}) {
  const network = new MockAgent({ enableCallHistory: true });
  network.disableNetConnect();
  onTestFinished(async () => {
    network.assertNoPendingInterceptors();
    await network.close();
  });
  const clock = manualClock();
  const atlas = createAtlasClient({
    origin: ORIGIN,
    credentials: async () => ({ clientId: 'mdb_sa_id_0123456789abcdef01234567', clientSecret: 'mdb_sa_sk_a_b-c' }),
    transport: { keptAlive: network, fresh: network },
    clock,
    random: () => 1,
    ...options,
  });
  const pool = network.get(ORIGIN);
  return {
    atlas,
    clock,
    pool,
    calls: () => network.getCallHistory()?.calls() ?? [],
    /** Answers the next token requests with these tokens, in order. */
    grant(...tokens: string[]) {
      for (const token of tokens) {
        pool
          .intercept({ method: 'POST', path: '/api/oauth/token' })
          .reply(200, { access_token: token, expires_in: 3600, token_type: 'Bearer' });
      }
    },
  };
}

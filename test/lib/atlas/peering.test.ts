import { describe, expect, it } from 'vitest';
import { AtlasRejected } from '../../../lib/atlas/errors.ts';
import { listContainersOfEveryProvider, listPeersOfEveryProvider } from '../../../lib/atlas/peering.ts';
import { fakeAtlas } from '../../support/fake-atlas.ts';

const groupId = 'b'.repeat(24);
const id = (digit: number) => String(digit).repeat(24);
const list = (what: string, providerName: string) =>
  ({
    method: 'GET',
    path: `/api/atlas/v2/groups/${groupId}/${what}?itemsPerPage=500&providerName=${providerName}`,
  }) as const;

describe.each([
  ['peers', listPeersOfEveryProvider],
  ['containers', listContainersOfEveryProvider],
])('%s of every provider', (what, all) => {
  it('are those of AWS, Azure and GCP, whatever pages they come in', async () => {
    const { atlas, pool, grant } = fakeAtlas();
    grant('t1');
    const next = `https://cloud.mongodb.com/api/atlas/v2/groups/${groupId}/${what}?providerName=AZURE&pageNum=2`;
    pool.intercept(list(what, 'AWS')).reply(200, { results: [{ id: id(1), providerName: 'AWS' }] });
    pool
      .intercept(list(what, 'AZURE'))
      .reply(200, { results: [{ id: id(2), providerName: 'AZURE' }], links: [{ rel: 'next', href: next }] });
    pool
      .intercept({ method: 'GET', path: `/api/atlas/v2/groups/${groupId}/${what}?providerName=AZURE&pageNum=2` })
      .reply(200, { results: [{ id: id(3), providerName: 'AZURE' }] });
    pool.intercept(list(what, 'GCP')).reply(200, { results: [{ id: id(4), providerName: 'GCP' }] });

    const found = await all(atlas, { groupId });

    expect(found.map((item) => [item.id, item.providerName])).toEqual([
      [id(1), 'AWS'],
      [id(2), 'AZURE'],
      [id(3), 'AZURE'],
      [id(4), 'GCP'],
    ]);
  });

  it.each(['AWS', 'AZURE', 'GCP'])('are none at all when %s can’t be asked', async (broken) => {
    const { atlas, pool, grant } = fakeAtlas();
    grant('t1');
    for (const provider of ['AWS', 'AZURE', 'GCP']) {
      if (provider === broken) {
        pool.intercept(list(what, provider)).reply(403, { errorCode: 'ACCESS_FORBIDDEN' });
        break;
      }
      pool.intercept(list(what, provider)).reply(200, { results: [{ id: id(1), providerName: provider }] });
    }

    await expect(all(atlas, { groupId })).rejects.toThrow(AtlasRejected);
  });
});

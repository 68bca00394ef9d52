import { describe, expect, it } from 'vitest';
import { paginate } from '../../../../infra/local/atlas-sandbox/pagination.ts';
import { listOrgs } from '../../../../lib/atlas/operations/organizations.ts';
import { pages } from '../../../../lib/atlas/pages.ts';
import { fakeAtlas } from '../../../support/fake-atlas.ts';

const orgs = Array.from({ length: 3 }, (_, n) => ({ id: String(n).padStart(24, '0'), name: `org ${n}` }));

describe('a page', () => {
  it('is linked from cloud.mongodb.com, not from whoever was asked', () => {
    const url = new URL('http://127.0.0.1:8080/api/atlas/v2/orgs?itemsPerPage=1&pageNum=2&name=a%20b');
    const { links } = paginate(url, orgs, (org) => org);
    const query = (page: number) => `itemsPerPage=1&pageNum=${page}&name=a+b&includeCount=true`;
    expect(links).toEqual([
      { rel: 'self', href: `https://cloud.mongodb.com/api/atlas/v2/orgs?${query(2)}` },
      { rel: 'previous', href: `https://cloud.mongodb.com/api/atlas/v2/orgs?${query(1)}` },
      { rel: 'next', href: `https://cloud.mongodb.com/api/atlas/v2/orgs?${query(3)}` },
    ]);
  });

  it('leads the client to the next one all the same', async () => {
    const { atlas, pool, grant } = fakeAtlas();
    grant('t1');
    pool
      .intercept({ method: 'GET', path: (path) => path.startsWith('/api/atlas/v2/orgs') })
      .reply(200, ({ path }) => paginate(new URL(path, 'http://127.0.0.1'), orgs, (org) => org))
      .times(4);
    const names: string[] = [];
    for await (const { name } of pages(atlas, listOrgs, { params: {}, query: { itemsPerPage: 1 } })) names.push(name);
    expect(names).toEqual(['org 0', 'org 1', 'org 2']);
  });
});

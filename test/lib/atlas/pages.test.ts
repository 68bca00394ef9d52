import { describe, expect, it } from 'vitest';
import { AtlasContractBroken, AtlasUnavailable } from '../../../lib/atlas/errors.ts';
import { listOrgs } from '../../../lib/atlas/operations/organizations.ts';
import { pages } from '../../../lib/atlas/pages.ts';
import { fakeAtlas } from '../../support/fake-atlas.ts';

const org = (n: number) => ({ id: String(n).padStart(24, '0'), name: `org ${n}` });
const first = { method: 'GET', path: '/api/atlas/v2/orgs?itemsPerPage=500' } as const;
const second = { method: 'GET', path: '/api/atlas/v2/orgs?itemsPerPage=500&pageNum=2' } as const;
const next = (host: string) => [{ rel: 'next', href: `${host}/api/atlas/v2/orgs?itemsPerPage=500&pageNum=2` }];
const namesOf = async (atlas: ReturnType<typeof fakeAtlas>['atlas']) => {
  const names: string[] = [];
  for await (const { name } of pages(atlas, listOrgs, { params: {} })) names.push(name);
  return names;
};

describe('pages', () => {
  it('follow the path and query of next, never its host, and end where there is none', async () => {
    const { atlas, pool, grant } = fakeAtlas();
    grant('t1');
    pool.intercept(first).reply(200, { results: [org(1)], links: next('https://evil.test'), totalCount: 1 });
    pool.intercept(second).reply(200, { results: [org(2)], links: [{ rel: 'self', href: 'x' }], totalCount: 1 });

    expect(await namesOf(atlas)).toEqual(['org 1', 'org 2']);
  });

  it('are not fetched before they are needed', async () => {
    const { atlas, pool, calls, grant } = fakeAtlas();
    grant('t1');
    pool.intercept(first).reply(200, { results: [org(1)], links: next('https://cloud.mongodb.com') });

    for await (const _ of pages(atlas, listOrgs, { params: {} })) break;

    expect(calls()).toHaveLength(2);
  });

  it('go on after an empty page that has a next', async () => {
    const { atlas, pool, grant } = fakeAtlas();
    grant('t1');
    pool.intercept(first).reply(200, { results: [], links: next('https://cloud.mongodb.com') });
    pool.intercept(second).reply(200, { results: [org(2)] });

    expect(await namesOf(atlas)).toEqual(['org 2']);
  });

  it.each([
    ['has no results', { links: [] }],
    ['has an item that is none', { results: [org(1), { name: 'no id' }] }],
    ['is not JSON', '<html>'],
  ])('throw on a page that %s: a partial list is not an absence', async (_, page) => {
    const { atlas, pool, grant } = fakeAtlas();
    grant('t1');
    pool.intercept(first).reply(200, { results: [org(1)], links: next('https://cloud.mongodb.com') });
    pool.intercept(second).reply(200, page);

    await expect(namesOf(atlas)).rejects.toThrow(AtlasContractBroken);
  });

  it('throw when a later page stays out of reach', async () => {
    const { atlas, pool, grant } = fakeAtlas();
    grant('t1');
    pool.intercept(first).reply(200, { results: [org(1)], links: next('https://cloud.mongodb.com') });
    pool.intercept(second).reply(503, {}).times(4);

    await expect(namesOf(atlas)).rejects.toThrow(AtlasUnavailable);
  });

  it('throw instead of going round in circles', async () => {
    const { atlas, pool, grant } = fakeAtlas();
    grant('t1');
    pool.intercept(first).reply(200, { results: [org(1)], links: next('https://cloud.mongodb.com') });
    pool.intercept(second).reply(200, { results: [org(2)], links: next('https://cloud.mongodb.com') });

    await expect(namesOf(atlas)).rejects.toThrow(AtlasContractBroken);
  });

  it('do not give the first page twice when it links to itself', async () => {
    const { atlas, pool, grant } = fakeAtlas();
    grant('t1');
    pool
      .intercept(first)
      .reply(200, { results: [org(1)], links: [{ rel: 'next', href: `https://cloud.mongodb.com${first.path}` }] });

    const names: string[] = [];
    const all = (async () => {
      for await (const { name } of pages(atlas, listOrgs, { params: {} })) names.push(name);
    })();

    await expect(all).rejects.toThrow(AtlasContractBroken);
    expect(names).toEqual(['org 1']);
  });

  it('throw when there is always another page and never anything in it', async () => {
    const { atlas, pool, grant } = fakeAtlas();
    grant('t1');
    let page = 1;
    pool
      .intercept({ method: 'GET', path: (path) => path.startsWith('/api/atlas/v2/orgs') })
      .reply(200, () => ({
        results: [],
        links: [{ rel: 'next', href: `https://cloud.mongodb.com/api/atlas/v2/orgs?pageNum=${++page}` }],
      }))
      .times(101);

    await expect(namesOf(atlas)).rejects.toThrow(AtlasContractBroken);
  });

  it('take the page size they are given', async () => {
    const { atlas, pool, grant } = fakeAtlas();
    grant('t1');
    pool.intercept({ method: 'GET', path: '/api/atlas/v2/orgs?itemsPerPage=3&name=x' }).reply(200, { results: [] });

    for await (const _ of pages(atlas, listOrgs, { params: {}, query: { itemsPerPage: 3, name: 'x' } })) expect.fail();
  });
});

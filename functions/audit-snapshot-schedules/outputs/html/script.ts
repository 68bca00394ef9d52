import { ROW_END } from './gather.ts';

/**
 * Filter, search, order and pages. Written for browsers, so it is text here. It only ever inserts rows that this page
 * holds as finished markup; what is typed is compared, never shown.
 */
export const script = `'use strict';
(() => {
  const PAGE = 50, PRINTED = 500;
  const at = (id) => document.getElementById(id);
  if (!at('index')) return;
  const index = JSON.parse(at('index').textContent);
  const list = at('list');
  const fields = ['search', 'status', 'severity', 'rule', 'tier', 'sort'].map(at);
  const [search, status, severity, rule, tier, sort] = fields;
  const count = index.row.length;
  const numbers = new Intl.NumberFormat('en');
  const shown = [...list.children];
  let packed, order = [], first = 0, turn = 0;

  const unpack = async () => {
    const block = at('rows');
    if (!block) return [];
    const text = atob(block.textContent);
    const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
    return (await new Response(stream).text()).split('${ROW_END}');
  };
  const holder = document.createElement('template');
  const element = (n, rows) => {
    if (shown[n]) return shown[n];
    holder.innerHTML = rows[index.row[n]] ?? '';
    return holder.content.firstElementChild;
  };

  const fits = () => {
    const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
    const wanted = status.value === '' ? -1 : Number(status.value);
    const bit = severity.value === '' ? 0 : 1 << Number(severity.value);
    const allPass = (n) => index.statuses[n].includes(4) && index.statuses[n].every((one) => one >= 4);
    return (n) =>
      (wanted < 0 || (wanted === 4 ? allPass(n) : index.statuses[n].includes(wanted))) &&
      (bit === 0 || (index.severity[n] & bit) !== 0) &&
      (rule.value === '' || index.failing[n].includes(rule.value)) &&
      (tier.value === '' || index.tier[n] === tier.value) &&
      words.every((word) => index.search[n].includes(word));
  };
  const age = (n) => (index.age[n] < 0 ? Infinity : index.age[n]);
  const orders = {
    worst: () => 0,
    age: (a, b) => (age(a) === age(b) ? 0 : age(b) - age(a)),
    score: (a, b) => index.score[a] - index.score[b],
    project: (a, b) => (index.project[a] < index.project[b] ? -1 : index.project[a] > index.project[b] ? 1 : 0),
  };

  const show = async (most = PAGE) => {
    const mine = ++turn;
    const wanted = order.slice(first, first + most);
    let rows = [];
    if (wanted.some((n) => !shown[n])) rows = await (packed ??= unpack());
    if (mine !== turn) return;
    list.replaceChildren(...wanted.map((n) => element(n, rows)));
    at('empty').hidden = order.length > 0;
    at('pager').hidden = order.length <= PAGE;
    at('previous').disabled = first === 0;
    at('next').disabled = first + PAGE >= order.length;
    at('where').textContent = order.length === 0 ? '' :
      numbers.format(first + 1) + '–' + numbers.format(Math.min(first + PAGE, order.length)) + ' of ' + numbers.format(order.length);
    at('count').textContent = order.length === count ? numbers.format(count) + (count === 1 ? ' cluster' : ' clusters') :
      numbers.format(order.length) + ' of ' + numbers.format(count) + ' clusters';
    list.setAttribute('start', String(first + 1));
  };
  const apply = () => {
    const fit = fits();
    order = [];
    for (let n = 0; n < count; n++) if (fit(n)) order.push(n);
    if (sort.value !== 'worst') order.sort(orders[sort.value]);
    first = 0;
    return show();
  };
  const turnPage = (by) => {
    first = Math.max(0, Math.min(first + by, order.length - 1));
    void show();
    at('clusters').focus({ preventScroll: true });
    at('clusters').scrollIntoView();
  };

  let typing = 0;
  search.addEventListener('input', () => { clearTimeout(typing); typing = setTimeout(apply, 80); });
  for (const field of fields.slice(1)) field.addEventListener('change', apply);
  at('toolbar').addEventListener('submit', (event) => { event.preventDefault(); void apply(); });
  at('previous').addEventListener('click', () => turnPage(-PAGE));
  at('next').addEventListener('click', () => turnPage(PAGE));
  at('clear').addEventListener('click', () => { at('toolbar').reset(); void apply(); search.focus(); });
  // Paper has no pages to turn to: as many of the filtered as a reader without a script would have.
  addEventListener('beforeprint', () => {
    const known = order.slice(0, PRINTED).filter((n) => shown[n]);
    if (known.length > 0 && first === 0) list.replaceChildren(...known.map((n) => shown[n]));
  });
  addEventListener('afterprint', () => void show());

  at('toolbar').hidden = false;
  document.documentElement.classList.add('script');
  apply().then(() => { document.documentElement.dataset.ready = String(Math.round(performance.now())); });
})();
`;

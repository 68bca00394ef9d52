/** What the console has beyond the theme of all pages. */
export const styles = `
.top { background: var(--surface); border-bottom: 1px solid var(--line); }
.brand { padding: 0.9rem 0 0.4rem; display: flex; flex-wrap: wrap; gap: 0.6rem; align-items: baseline; }
.top nav ul { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0.1rem 1.1rem; }
.top nav a { display: inline-block; padding: 0.45rem 0; text-decoration: none; color: var(--quiet); border-bottom: 2px solid transparent; }
.top nav a:hover { color: var(--text); }
.top nav a[aria-current] { color: var(--text); font-weight: 600; border-bottom-color: var(--focus); }
main.frame { padding-top: 1.5rem; padding-bottom: 4rem; outline: none; }
main .shares { margin: 0.75rem 0; }
main .scroll { margin-top: 0.75rem; }
/* Words stay whole: a table that is wider than the page scrolls by itself. */
.scroll th { white-space: nowrap; }
.scroll td { overflow-wrap: break-word; max-width: 26rem; }
.scroll td details { overflow-wrap: anywhere; }
.scroll td time, .scroll td code { white-space: nowrap; }
main h2 { margin: 2rem 0 0.5rem; }
main h1 + p, main h1 + ul { margin-top: 0.75rem; }
.needs { list-style: none; padding: 0; margin: 1rem 0 0; }
.needs li { display: flex; flex-wrap: wrap; gap: 0.25rem 0.75rem; padding: 0.6rem 0; border-bottom: 1px solid var(--line); }
.needs .tag { align-self: baseline; min-width: 6rem; text-align: center; }
.needs + .quiet { margin-top: 0.75rem; }
.empty { margin-top: 1rem; padding: 1rem; background: var(--sunken); border-radius: 6px; color: var(--quiet); }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1rem; margin-top: 1rem; }
.facts dt { color: var(--quiet); }
pre { margin: 0.5rem 0 0; padding: 0.75rem; background: var(--sunken); border-radius: 6px; font: 0.8rem/1.5 var(--mono); white-space: pre-wrap; max-height: 24rem; overflow: auto; }
form { margin: 0; }
input[type="text"], input[type="number"], select { width: 100%; max-width: 34rem; padding: 0.4rem 0.6rem; font: inherit; color: var(--text); background: var(--surface); border: 1px solid var(--line-strong); border-radius: 6px; }
[aria-invalid] { border-color: var(--fail) !important; }
.wrong { color: var(--fail); font-size: 0.9rem; margin-top: 0.2rem; }
.check { display: flex; gap: 0.5rem; align-items: baseline; margin-top: 0.75rem; }
.check label { margin: 0; font-weight: 400; }
.check input { flex: none; width: 1.05rem; height: 1.05rem; translate: 0 0.15rem; }
button.strong { color: var(--surface); background: var(--link); border-color: var(--link); }
button.strong:hover { color: var(--surface); background: var(--link); filter: brightness(1.1); }
.kinds ul { list-style: none; display: flex; flex-wrap: wrap; gap: 0.4rem; margin: 0.5rem 0; padding: 0; }
.kinds a { display: inline-block; padding: 0.15rem 0.7rem; border: 1px solid var(--line-strong); border-radius: 999px; text-decoration: none; font-size: 0.88rem; }
.kinds a[aria-current] { color: var(--surface); background: var(--link); border-color: var(--link); }
.pager { display: flex; gap: 1rem; margin-top: 0.75rem; }
.plain { padding-left: 1.2rem; }
main h3 { margin: 1.5rem 0 0.25rem; }
.tiles { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: 0.75rem; }
.tiles a { display: block; height: 100%; padding: 0.75rem 0.9rem; border: 1px solid var(--line); border-radius: 8px; background: var(--surface); color: var(--text); text-decoration: none; }
.tiles a:hover { border-color: var(--line-strong); }
.tiles b { display: block; font-size: 1.5rem; line-height: 1.2; }
.tiles .small { display: block; }
.lead { font-size: 1.05rem; }
.all-well { font-size: 1.05rem; margin-top: 0.75rem; }
.lives { list-style: none; margin: 1rem 0 0; padding: 0; }
.lives li { padding: 0.9rem 0; border-bottom: 1px solid var(--line); }
.life-head { display: flex; flex-wrap: wrap; gap: 0.25rem 0.6rem; align-items: baseline; }
.life-line { width: 100%; height: 22px; margin: 0.4rem 0; background: var(--sunken); border-radius: 4px; }
.life { fill: var(--pass-fill); } .life.soon { fill: var(--warn); } .life.over { fill: var(--fail); }
.life-line .grace { fill: var(--exempt); }
.life-line .due { stroke: var(--text); stroke-width: 2; stroke-dasharray: 3 2; vector-effect: non-scaling-stroke; }
.life-line .now { stroke: var(--link); stroke-width: 2; vector-effect: non-scaling-stroke; }
.lives .facts { display: flex; flex-wrap: wrap; gap: 0.4rem 2.2rem; margin-top: 0.3rem; }
.lives .facts code { white-space: nowrap; }
.axis-dates { display: flex; justify-content: space-between; margin-top: 0.6rem; font-size: 0.85rem; color: var(--quiet); }
.legend { display: flex; flex-wrap: wrap; gap: 0.3rem 0.6rem; align-items: center; margin-top: 0.75rem; font-size: 0.88rem; color: var(--quiet); }
.key { display: inline-block; width: 1.1rem; height: 0.55rem; border-radius: 2px; margin-right: 0.35rem; }
.key.life { background: var(--pass-fill); } .key.grace { background: var(--exempt); height: 0.3rem; }
.key.due { width: 0; height: 0.9rem; border-left: 2px dashed var(--text); } .key.now { width: 2px; height: 0.9rem; background: var(--link); }
.decide { margin: 1rem 0; padding: 0.5rem 1rem 1rem; border: 1px solid var(--warn); border-radius: 8px; background: var(--surface); }
.decide h2 { margin-top: 0.5rem; }
.curve { width: 100%; height: auto; max-height: 17rem; }
.curve .line { fill: none; stroke: var(--link); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.curve .limit { stroke: var(--warn); stroke-dasharray: 4 4; }
.curve .axis { stroke: var(--line-strong); }
textarea { width: 100%; min-height: 6rem; padding: 0.6rem; font: 0.85rem/1.5 var(--mono); color: var(--text); background: var(--surface); border: 1px solid var(--line-strong); border-radius: 6px; }
label { display: block; margin: 0.75rem 0 0.25rem; font-weight: 600; font-size: 0.9rem; }
button { font: inherit; font-weight: 600; padding: 0.35rem 0.9rem; margin: 0.5rem 0.5rem 0 0; border-radius: 6px; border: 1px solid var(--line-strong); color: var(--text); background: var(--surface); cursor: pointer; }
button:hover { background: var(--sunken); }
td button { margin: 0; padding: 0.1rem 0.6rem; font-size: 0.85rem; }
td form { display: inline; }
.problem { margin-top: 1rem; padding: 0.75rem 1rem; border-left: 4px solid var(--fail); background: var(--fail-soft); }
iframe { width: 100%; height: 70vh; margin-top: 1rem; border: 1px solid var(--line); border-radius: 6px; background: var(--surface); }
@media (max-width: 40rem) {
  .scroll thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .scroll table, .scroll tbody, .scroll tr, .scroll td { display: block; max-width: none; }
  .scroll tr { padding: 0.6rem 0; border-bottom: 1px solid var(--line); }
  .scroll td { display: grid; grid-template-columns: 6.5rem 1fr; gap: 0 0.75rem; padding: 0.1rem 0; border: 0; }
  .scroll td code { white-space: normal; overflow-wrap: anywhere; }
  .tiles { grid-template-columns: 1fr 1fr; }
  .scroll td > * { grid-column: 2; justify-self: start; }
  .scroll td::before { content: attr(data-label); color: var(--quiet); font-size: 0.85rem; grid-column: 1; grid-row: 1; }
  .frame { padding: 0 1rem; }
  .facts { grid-template-columns: 1fr; gap: 0; }
  .top nav ul { gap: 0.1rem 0.9rem; }
  .facts dd { margin-bottom: 0.5rem; }
}
`;

/** What this page adds to the theme. */
export const style = `
.masthead { background: var(--surface); border-bottom: 1px solid var(--line); padding: 2.25rem 0 1.5rem; }
.kicker { color: var(--quiet); font-size: 0.85rem; margin-bottom: 0.25rem; }
.stamp { display: flex; flex-wrap: wrap; gap: 0.75rem 2.25rem; margin-top: 1.25rem; font-size: 0.9rem; }
.stamp dt { color: var(--quiet); font-size: 0.8rem; }
main > section, .pair > section { margin-top: 2.75rem; }
main > section > h2, .pair h2 { margin-bottom: 0.75rem; }
h2 .tag { vertical-align: 0.12em; margin-left: 0.4em; }
h3 { margin: 1.25rem 0 0.25rem; }
main > section.banner { margin-top: 1.5rem; padding: 1rem 1.25rem; border-left: 4px solid; border-radius: 0 6px 6px 0; }
main > section.banner + .banner { margin-top: 0.75rem; }
.banner .title { font-size: 1.3rem; line-height: 1.3; font-weight: 650; letter-spacing: -0.01em; }
.banner.fail { border-color: var(--fail); background: var(--fail-soft); } .banner.fail .title { color: var(--fail); }
.banner.unknown { border-color: var(--unknown); background: var(--unknown-soft); } .banner.unknown .title { color: var(--unknown); }
.banner.pass { border-color: var(--pass); background: var(--pass-soft); } .banner.pass .title { color: var(--pass); }
.banner.none { border-color: var(--line-strong); background: var(--none-soft); }
.figures { display: grid; grid-template-columns: repeat(6, 1fr); margin-top: 1.5rem; border: 1px solid var(--line); border-radius: 8px; background: var(--surface); }
.figure { padding: 0.9rem 1rem; border-left: 1px solid var(--line); }
.figure:first-child { border-left: 0; }
.figure dt { font-size: 0.8rem; color: var(--quiet); }
.figure .value { display: block; font-size: 1.6rem; line-height: 1.3; font-weight: 600; letter-spacing: -0.02em; white-space: nowrap; }
.figure .note { display: block; font-size: 0.78rem; line-height: 1.35; color: var(--quiet); }
.value.fail, .told.fail { color: var(--fail); } .value.unknown, .told.unknown { color: var(--unknown); }
.told.warn { color: var(--warn); } .told.exempt { color: var(--exempt); }
td.told { font-weight: 600; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 0 3rem; }
.loud { padding: 1rem 1.25rem 1.25rem; border: 1px solid var(--unknown); border-radius: 8px; background: var(--surface); min-width: 0; }
.pair > .loud { grid-column: 1 / -1; }
td.bar { width: 34%; min-width: 7rem; padding-right: 1rem; vertical-align: middle; }
td.strong { font-weight: 600; }
th[scope="row"] { font-weight: 400; font-size: 0.92rem; color: var(--text); }
.coverage td, .tiers td { font-size: 0.92rem; white-space: nowrap; }
.coverage + p { margin-top: 0.6rem; }
.shares { border-radius: 2px; overflow: hidden; }
.columns { width: 100%; max-width: 44rem; margin-top: 1rem; }
.columns .value { fill: var(--text); font-weight: 600; }
.axis { stroke: var(--line-strong); }
.rules td, .rules th { font-size: 0.9rem; padding-top: 0.35rem; padding-bottom: 0.35rem; }
thead th { overflow-wrap: normal; white-space: nowrap; }
.rules td.bar { width: 18%; }
.rules th[scope="row"] { min-width: 15rem; }
.toolbar { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: end; padding: 0.75rem 0; }
.toolbar[hidden], .pager[hidden] { display: none; }
.field { display: flex; flex-direction: column; gap: 0.15rem; }
.field.wide { flex: 1 1 14rem; }
.field label { font-size: 0.8rem; color: var(--quiet); }
input, select, button { font: inherit; color: inherit; background: var(--surface); border: 1px solid var(--line-strong); border-radius: 6px; padding: 0.35rem 0.6rem; min-height: 2.25rem; }
input { width: 100%; } select { max-width: 12rem; }
input::placeholder { color: var(--quiet); opacity: 1; }
button { cursor: pointer; } button:hover:enabled { background: var(--sunken); } button:disabled { color: var(--quiet); border-color: var(--line); cursor: default; }
.count { flex-basis: 100%; font-size: 0.9rem; color: var(--quiet); }
.aside, p.empty { padding: 0.75rem 1rem; border: 1px dashed var(--line-strong); border-radius: 6px; }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; justify-content: flex-end; }
.key::before { content: ""; display: inline-block; width: 3px; height: 0.8em; margin-right: 0.45em; vertical-align: -0.1em; background: var(--quiet); }
.key.onDemand::before { background: var(--exempt); } .key.fallback::before { background: var(--warn); } .key.failed::before { background: var(--fail); }
.key.usual::before { background: var(--text); }
.key.gap::before { width: 1.1em; background: var(--fail-soft); outline: 1px solid var(--fail); outline-offset: -1px; }
figure .legend { justify-content: flex-start; margin-top: 0.5rem; }
.swatch::before { content: ""; display: inline-block; width: 0.8em; height: 0.8em; margin-right: 0.45em; vertical-align: -0.08em; border-radius: 2px; background: var(--line-strong); }
.swatch.fail::before { background: var(--fail); } .swatch.warn::before { background: var(--warn); } .swatch.unknown::before { background: var(--unknown); }
.swatch.exempt::before { background: var(--exempt); } .swatch.pass::before { background: var(--pass-fill); }
.columns-head, .cluster summary { display: grid; gap: 0.15rem 1rem; align-items: center; }
.columns-head, .cluster summary { grid-template-columns: minmax(0, 2.2fr) minmax(0, 1.2fr) 7.5rem minmax(0, 2fr) minmax(0, 2fr) 2.75rem; padding: 0 0.75rem; }
.columns-head { font-size: 0.8rem; color: var(--quiet); padding-bottom: 0.35rem; margin-top: 0.35rem; }
.columns-head span:last-child { text-align: right; }
.list { list-style: none; padding: 0; border: 1px solid var(--line); border-radius: 8px; background: var(--surface); overflow: hidden; }
.list:empty { display: none; }
.cluster { border-top: 1px solid var(--line); border-left: 3px solid var(--line-strong); }
.cluster:first-child { border-top: 0; }
.cluster.fail { border-left-color: var(--fail); } .cluster.unknown { border-left-color: var(--unknown); }
.cluster.warn { border-left-color: var(--warn); } .cluster.exempt { border-left-color: var(--exempt); } .cluster.pass { border-left-color: var(--pass); }
.cluster summary { min-height: 3.4rem; padding-top: 0.4rem; padding-bottom: 0.4rem; cursor: pointer; list-style: none; }
.cluster summary::-webkit-details-marker { display: none; }
.cluster summary:hover { background: var(--sunken); }
.cluster summary:focus-visible { outline-offset: -2px; }
.cluster details[open] > summary { background: var(--sunken); }
.who .name { display: block; font-weight: 600; line-height: 1.3; }
.who .where { display: block; font-size: 0.85rem; color: var(--quiet); }
.what { font-size: 0.85rem; color: var(--quiet); }
.age { font-size: 0.9rem; font-weight: 600; }
.verdict { line-height: 1.7; }
.score { text-align: right; font-weight: 600; }
.timeline { width: 100%; height: 1.5rem; border-bottom: 1px solid var(--line-strong); }
.mark { stroke: var(--quiet); stroke-width: 1.5; vector-effect: non-scaling-stroke; fill: none; }
.mark.onDemand { stroke: var(--exempt); } .mark.fallback { stroke: var(--warn); stroke-width: 2; } .mark.failed { stroke: var(--fail); stroke-width: 2; }
.hole { fill: var(--fail-soft); stroke: var(--fail); stroke-width: 0.75; vector-effect: non-scaling-stroke; }
.reach { border-radius: 2px; } .notch { fill: var(--text); }
.more { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 1.5rem; padding: 1rem 0.95rem 1.25rem; border-top: 1px solid var(--line); font-size: 0.92rem; }
.found { list-style: none; padding: 0; display: grid; gap: 0.9rem; align-content: start; }
.reason::first-letter { text-transform: uppercase; }
.scroll table:not(.rules) td { min-width: 7rem; }
.found .tag { margin-right: 0.25em; }
.facts { display: grid; gap: 0.35rem; align-content: start; }
.facts > div { display: grid; grid-template-columns: 8rem minmax(0, 1fr); gap: 0.75rem; }
.facts dt { color: var(--quiet); } .facts ul { list-style: none; padding: 0; }
.pager { display: flex; gap: 1rem; align-items: center; justify-content: center; margin-top: 1rem; }
.closed ul { margin-top: 0.5rem; padding-left: 1.1rem; } .closed summary, .long summary { cursor: pointer; }
.catalogue { columns: 2; column-gap: 3rem; }
.catalogue > div { break-inside: avoid; padding-bottom: 1.1rem; font-size: 0.92rem; scroll-margin-top: 1rem; }
.catalogue > div:target { background: var(--warn-soft); outline: 0.5rem solid var(--warn-soft); }
.catalogue dt { font-weight: 600; } .catalogue dd p + p { margin-top: 0.25rem; }
footer { margin-top: 3.5rem; padding-top: 1rem; padding-bottom: 3rem; }
footer code { overflow-wrap: anywhere; }
@media (max-width: 60rem) {
  .figures { grid-template-columns: repeat(3, 1fr); }
  .figure:nth-child(n + 4) { border-top: 1px solid var(--line); } .figure:nth-child(4) { border-left: 0; }
  .columns-head { display: none; }
  .cluster summary { grid-template-columns: minmax(0, 1fr) 7.5rem 2.75rem; padding-top: 0.7rem; padding-bottom: 0.7rem; }
  .who { grid-area: 1 / 1; } .age { grid-area: 1 / 2; } .score { grid-area: 1 / 3; }
  .what { grid-area: 2 / 1 / auto / -1; } .history { grid-area: 3 / 1 / auto / -1; } .verdict { grid-area: 4 / 1 / auto / -1; }
  .legend { justify-content: flex-start; margin-bottom: 0.5rem; }
  .more { grid-template-columns: minmax(0, 1fr); }
}
@media (max-width: 46rem) {
  .frame { padding: 0 1rem; }
  .pair { grid-template-columns: minmax(0, 1fr); }
  .catalogue { columns: 1; }
  .figures { grid-template-columns: repeat(2, 1fr); }
  .figure:nth-child(n + 3) { border-top: 1px solid var(--line); }
  .figure:nth-child(odd) { border-left: 0; } .figure:nth-child(even) { border-left: 1px solid var(--line); }
  .figure .value { white-space: normal; font-size: 1.35rem; }
  .columns text { font-size: 19px; }
  .field { flex: 1 1 40%; } .field.wide { flex-basis: 100%; } select { max-width: none; }
}
@media print {
  .masthead { padding-top: 0; }
  main > section { margin-top: 1.5rem; }
  .cluster, .figures, .banner, .rules tr, .catalogue > div { break-inside: avoid; }
  h2 { break-after: avoid; }
  .list { border-radius: 0; }
  .banner, .tag, .mark, .hole, rect { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
`;

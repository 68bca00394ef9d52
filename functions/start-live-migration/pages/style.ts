/** What the pages of a migration add to the theme. */
export const style = `
.masthead { background: var(--surface); border-bottom: 1px solid var(--line); padding: 2rem 0 1.5rem; }
.kicker { color: var(--quiet); font-size: 0.85rem; margin-bottom: 0.25rem; }
.stamp { display: flex; flex-wrap: wrap; gap: 0.75rem 2.25rem; margin-top: 1.25rem; font-size: 0.9rem; }
.stamp dt { color: var(--quiet); font-size: 0.8rem; }
.stamp dd { max-width: 34rem; }
main { padding-bottom: 3rem; }
main > section { margin-top: 2.25rem; }
main > section > h2 { margin-bottom: 0.75rem; }
.banner { padding: 1rem 1.25rem; border-left: 4px solid; border-radius: 0 6px 6px 0; }
.banner .title { font-size: 1.2rem; line-height: 1.35; font-weight: 650; }
.banner.fail { border-color: var(--fail); background: var(--fail-soft); } .banner.fail .title { color: var(--fail); }
.banner.warn { border-color: var(--warn); background: var(--warn-soft); } .banner.warn .title { color: var(--warn); }
.banner.pass { border-color: var(--pass); background: var(--pass-soft); } .banner.pass .title { color: var(--pass); }
.banner.none { border-color: var(--line-strong); background: var(--none-soft); }
.checks { list-style: none; padding: 0; border: 1px solid var(--line); border-radius: 8px; background: var(--surface); }
.checks > li { padding: 0.75rem 1rem; border-top: 1px solid var(--line); border-left: 3px solid var(--line-strong); }
.checks > li:first-child { border-top: 0; }
.checks > li.fail { border-left-color: var(--fail); } .checks > li.unknown { border-left-color: var(--unknown); }
.checks > li.exempt { border-left-color: var(--exempt); } .checks > li.pass { border-left-color: var(--pass); }
.checks .head { display: flex; flex-wrap: wrap; gap: 0.25rem 0.75rem; align-items: baseline; }
.checks h3 { flex: 1 1 16rem; }
.checks p { font-size: 0.92rem; margin-top: 0.2rem; }
.curve { width: 100%; height: auto; }
.curve .line { fill: none; stroke: var(--link); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.curve .limit { stroke: var(--warn); stroke-dasharray: 4 4; }
.curve .axis { stroke: var(--line-strong); }
.record td { font-size: 0.88rem; }
.record .mono { color: var(--quiet); }
.record td:nth-child(5), .record td:nth-child(6) { white-space: nowrap; }
.banner ol, .banner ul { margin-top: 0.4rem; }
`;

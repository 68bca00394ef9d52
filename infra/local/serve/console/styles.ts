/** What the console has beyond the theme of all pages. */
export const styles = `
.top { background: var(--surface); border-bottom: 1px solid var(--line); }
.brand { padding: 0.9rem 0 0.4rem; display: flex; flex-wrap: wrap; gap: 0.6rem; align-items: baseline; }
nav ul { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0.1rem 1.1rem; }
nav a { display: inline-block; padding: 0.45rem 0; text-decoration: none; color: var(--quiet); border-bottom: 2px solid transparent; }
nav a:hover { color: var(--text); }
nav a[aria-current] { color: var(--text); font-weight: 600; border-bottom-color: var(--focus); }
main.frame { padding-top: 1.5rem; padding-bottom: 4rem; outline: none; }
main .shares { margin: 0.75rem 0; }
main .scroll { margin-top: 0.75rem; }
/* Words stay whole: a table that is wider than the page scrolls by itself. */
.scroll th { white-space: nowrap; }
.scroll td { overflow-wrap: break-word; max-width: 26rem; }
.scroll td > time, .scroll td > code { white-space: nowrap; }
main h2 { margin: 2rem 0 0.5rem; }
main h1 + p, main h1 + ul { margin-top: 0.75rem; }
.needs { list-style: none; padding: 0; margin: 1rem 0 0; }
.needs li { display: flex; flex-wrap: wrap; gap: 0.25rem 0.75rem; padding: 0.6rem 0; border-bottom: 1px solid var(--line); }
.needs .tag { align-self: baseline; }
.empty { margin-top: 1rem; padding: 1rem; background: var(--sunken); border-radius: 6px; color: var(--quiet); }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1rem; margin-top: 1rem; }
.facts dt { color: var(--quiet); }
pre { margin: 0.5rem 0 0; padding: 0.75rem; background: var(--sunken); border-radius: 6px; font: 0.8rem/1.5 var(--mono); white-space: pre-wrap; max-height: 24rem; overflow: auto; }
form { margin: 0; }
textarea { width: 100%; min-height: 6rem; padding: 0.6rem; font: 0.85rem/1.5 var(--mono); color: var(--text); background: var(--surface); border: 1px solid var(--line-strong); border-radius: 6px; }
label { display: block; margin: 0.75rem 0 0.25rem; font-weight: 600; font-size: 0.9rem; }
button { font: inherit; font-weight: 600; padding: 0.35rem 0.9rem; margin: 0.5rem 0.5rem 0 0; border-radius: 6px; border: 1px solid var(--line-strong); color: var(--text); background: var(--surface); cursor: pointer; }
button:hover { background: var(--sunken); }
td button { margin: 0; padding: 0.1rem 0.6rem; font-size: 0.85rem; }
td form { display: inline; }
.problem { margin-top: 1rem; padding: 0.75rem 1rem; border-left: 4px solid var(--fail); background: var(--fail-soft); }
iframe { width: 100%; height: 70vh; margin-top: 1rem; border: 1px solid var(--line); border-radius: 6px; background: var(--surface); }
@media (max-width: 40rem) {
  .frame { padding: 0 1rem; }
  .facts { grid-template-columns: 1fr; gap: 0; }
  .facts dd { margin-bottom: 0.5rem; }
}
`;

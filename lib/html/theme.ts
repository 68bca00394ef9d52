/**
 * What every page of the bundle looks like. Colours carry a role, not a name; each keeps a contrast of 4.5 to 1 or more
 * on the surfaces it stands on, in light and in dark. State is never told by colour alone.
 */
export const theme = `
:root {
  color-scheme: light dark;
  --page: #f7f7f5; --surface: #ffffff; --sunken: #efefec; --line: #dcdcd7; --line-strong: #b9bab5;
  --text: #1c1e21; --quiet: #575d66; --link: #0b57a4; --focus: #0b57a4;
  --fail: #b3261e; --fail-soft: #fbe9e7; --warn: #845300; --warn-soft: #fdf0d9;
  --unknown: #6a3fa0; --unknown-soft: #f1eafa; --exempt: #2b5c8a; --exempt-soft: #e6eff8;
  --pass: #1d6b41; --pass-soft: #e5f3ea; --pass-fill: #56a07a; --none: #5f656e; --none-soft: #ececea;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #131518; --surface: #1b1e22; --sunken: #24282d; --line: #31363c; --line-strong: #545b64;
    --text: #e7e9ec; --quiet: #a3abb5; --link: #86b9f2; --focus: #9cc7f7;
    --fail: #ff8f86; --fail-soft: #3a1f1e; --warn: #efb75a; --warn-soft: #35291a;
    --unknown: #c5a6ef; --unknown-soft: #2c2439; --exempt: #8dbbea; --exempt-soft: #1d2a38;
    --pass: #72cf98; --pass-soft: #1a2e23; --pass-fill: #4f9a72; --none: #a3abb5; --none-soft: #272b30;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
.frame { max-width: 76rem; margin: 0 auto; padding: 0 1.5rem; }
h1, h2, h3, p, ul, ol, dl, dd, figure { margin: 0; }
h1 { font-size: 1.75rem; line-height: 1.2; font-weight: 650; letter-spacing: -0.015em; }
h2 { font-size: 1.15rem; line-height: 1.3; font-weight: 650; letter-spacing: -0.005em; }
h3 { font-size: 0.95rem; font-weight: 650; }
a { color: var(--link); text-underline-offset: 0.15em; }
code, .mono { font-family: var(--mono); font-size: 0.88em; }
bdi { unicode-bidi: isolate; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 3px; }
.quiet { color: var(--quiet); }
.small { font-size: 0.85rem; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 0.5rem; padding: 0.5rem 0.75rem; background: var(--surface); z-index: 2; }
.unseen {
  position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
}
.tag {
  display: inline-block; padding: 0 0.45em; border-radius: 4px; font-size: 0.8rem; line-height: 1.5; font-weight: 600;
  white-space: nowrap; color: var(--none); background: var(--none-soft);
}
.tag.fail { color: var(--fail); background: var(--fail-soft); }
.tag.warn { color: var(--warn); background: var(--warn-soft); }
.tag.unknown { color: var(--unknown); background: var(--unknown-soft); }
.tag.exempt { color: var(--exempt); background: var(--exempt-soft); }
.tag.pass { color: var(--pass); background: var(--pass-soft); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: baseline; padding: 0.45rem 0.75rem 0.45rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; font-size: 0.85rem; color: var(--quiet); }
td.number, th.number { text-align: right; }
.scroll { overflow-x: auto; }
details.long > summary { cursor: pointer; }
svg { display: block; }
svg text { fill: var(--quiet); font: 12px system-ui, sans-serif; }
.fill-fail { fill: var(--fail); } .fill-warn { fill: var(--warn); } .fill-unknown { fill: var(--unknown); }
.fill-exempt { fill: var(--exempt); } .fill-pass { fill: var(--pass-fill); } .fill-none { fill: var(--line-strong); }
.fill-sunken { fill: var(--sunken); }
@media print {
  :root { --page: #fff; --surface: #fff; color-scheme: light; }
  body { font-size: 10pt; }
  .frame { max-width: none; padding: 0; }
  .no-print { display: none !important; }
}
`;

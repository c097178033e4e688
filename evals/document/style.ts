/** @file The report's looks: one accent, serif headings, tabular figures; light, dark and on paper. */
import { trusted } from './markup.ts'

/** Series colours are Okabe and Ito's, which stay apart for every common kind of colour blindness. */
export const STYLE = trusted(`
:root {
  color-scheme: light dark;
  --paper: #fdfdfb; --ink: #1c1e21; --quiet: #5c626b; --line: #dcdcd6; --wash: #f4f4ef;
  --accent: #0b5cad; --bad: #b3420a; --open: #6b5d00; --good: #0b5cad;
  --s0: #0072b2; --s1: #d55e00; --s2: #009e73; --s3: #b0578d; --s4: #a87900; --s5: #3c8fc4;
  --heat: 213, 94, 0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15171a; --ink: #e7e7e3; --quiet: #a2a8b0; --line: #33373d; --wash: #1d2025;
    --accent: #7db8f2; --bad: #ff9a5c; --open: #d8c65a; --good: #7db8f2;
    --s0: #58b0e8; --s1: #ff8a3d; --s2: #35c99b; --s3: #e293c3; --s4: #e8b93a; --s5: #9bd0f2;
    --heat: 255, 138, 61;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 3.5rem 1.5rem 5rem; max-width: 62rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif;
}
h1, h2, .outcome, .headline {
  font-family: Charter, 'Bitstream Charter', 'Sitka Text', Cambria, 'Noto Serif', 'DejaVu Serif', Georgia, serif;
  font-weight: 600; text-wrap: balance;
}
h1 { font-size: 2rem; line-height: 1.2; margin: 0.2rem 0 0.3rem; }
h2 { font-size: 1.35rem; margin: 3.4rem 0 0.4rem; padding-top: 0.9rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.8rem 0 0.4rem; }
p, li { max-width: 46rem; }
.eyebrow { font-size: 0.8rem; letter-spacing: 0.09em; text-transform: uppercase; color: var(--accent); margin: 0; }
.quiet, .note { color: var(--quiet); }
.note { font-size: 0.9em; }
.verdict { margin: 2rem 0 1.6rem; padding: 1.2rem 1.5rem 1.3rem; border-left: 5px solid var(--tone); background: var(--wash); }
.outcome { font-size: 1.9rem; line-height: 1.1; margin: 0; color: var(--tone); letter-spacing: 0.02em; }
.headline { font-size: 1.15rem; line-height: 1.45; margin: 0.7rem 0 0.5rem; font-weight: 400; text-wrap: pretty; }
.FAIL { --tone: var(--bad); } .PASS { --tone: var(--good); } .INCONCLUSIVE { --tone: var(--open); }
.badge { color: var(--tone); font-weight: 600; font-size: 0.82rem; white-space: nowrap; letter-spacing: 0.03em; }
.scroll { overflow-x: auto; margin: 0.7rem 0 1.1rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.88rem; line-height: 1.4; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--quiet); padding: 0 0 0.35rem; }
th, td { text-align: left; vertical-align: top; padding: 0.38rem 0.9rem 0.38rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--quiet); font-size: 0.8rem; vertical-align: bottom; }
thead th { border-bottom-color: var(--quiet); }
td.n, th.n { text-align: right; white-space: nowrap; }
td.n:last-child, th.n:last-child { padding-right: 0; }
td.text { min-width: 11rem; }
.said { display: block; white-space: pre-wrap; overflow-wrap: anywhere; }
td:first-child { white-space: nowrap; }
tr.group th { color: var(--ink); padding-top: 1.1rem; font-size: 0.88rem; }
code, pre { font: 0.86em/1.5 ui-monospace, 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; background: var(--wash); padding: 0.8rem 1rem; margin: 0.6rem 0; }
details { margin: 0.5rem 0 1rem; }
summary { cursor: pointer; color: var(--accent); font-size: 0.9rem; width: fit-content; }
summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; }
figure { margin: 1.1rem 0 0.3rem; }
figcaption { font-weight: 600; font-size: 0.95rem; }
svg { display: block; width: 100%; height: auto; overflow: visible; font-family: inherit; }
svg text { fill: var(--quiet); font-size: 12px; font-variant-numeric: tabular-nums; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .axis, svg .reference { stroke: var(--quiet); stroke-width: 1; fill: none; }
svg .reference { stroke-dasharray: 2 3; }
svg .curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
svg .band { stroke: none; opacity: 0.1; }
svg .seed-dot { stroke: none; opacity: 0.55; }
svg .cell-label { fill: var(--ink); text-anchor: middle; }
.c0 { stroke: var(--s0); fill: var(--s0); } .c1 { stroke: var(--s1); fill: var(--s1); }
.c2 { stroke: var(--s2); fill: var(--s2); } .c3 { stroke: var(--s3); fill: var(--s3); }
.c4 { stroke: var(--s4); fill: var(--s4); } .c5 { stroke: var(--s5); fill: var(--s5); }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1.3rem; margin: 0.3rem 0 0.5rem; padding: 0; list-style: none; font-size: 0.85rem; color: var(--quiet); }
.legend svg { display: inline-block; width: 30px; height: 10px; vertical-align: middle; margin-right: 0.4rem; }
.forest { width: 150px; height: 18px; }
.forest .whisker { stroke: var(--ink); stroke-width: 1.5; } .forest .dot { fill: var(--ink); }
.forest .margin { stroke: var(--bad); stroke-width: 1; stroke-dasharray: 2 2; }
@media print {
  :root { --paper: #fff; --ink: #000; --quiet: #444; --line: #bbb; --wash: #f5f5f5; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  h2, h3, figcaption, caption { break-after: avoid; }
  tr, figure, .verdict { break-inside: avoid; }
  thead { display: table-header-group; }
  .scroll { overflow: visible; }
  details::details-content { content-visibility: visible; block-size: auto; }
  summary { color: var(--quiet); list-style: none; }
}
`)

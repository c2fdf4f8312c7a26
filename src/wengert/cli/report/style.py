"""How the report looks: in light, in dark, and on paper."""

STYLE = """
:root {
  color-scheme: light dark;
  --sans: system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif;
  --mono: ui-monospace, "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  --paper: light-dark(#fbfaf7, #14171c);
  --card: light-dark(#ffffff, #1b1f27);
  --raised: light-dark(#f3f1ec, #232933);
  --ink: light-dark(#1d2530, #e7eaef);
  --soft: light-dark(#545f6d, #a6b0be);
  --line: light-dark(#dedbd3, #343b47);
  --accent: light-dark(#0b6485, #6cc6e6);
  --first: light-dark(#1b6aa5, #6cb4ee);
  --second: light-dark(#b55a00, #f5a85a);
  --third: light-dark(#2a7a2a, #86d086);
  --fourth: light-dark(#b3262b, #ff8f8a);
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.6 var(--sans); }
.page { max-width: 64rem; margin: 0 auto; padding: 2.5rem clamp(1rem, 4vw, 2.5rem) 4rem; }
h1, h2, h3 { line-height: 1.25; letter-spacing: -0.01em; text-wrap: balance; }
h1 { font-size: clamp(1.8rem, 5vw, 2.5rem); margin: 0 0 0.4rem; font-weight: 680; }
h2 { font-size: 1.5rem; margin: 0 0 0.8rem; font-weight: 650; }
h3 { font-size: 1.08rem; margin: 1.8rem 0 0.5rem; font-weight: 650; }
p { margin: 0 0 0.9rem; max-width: 46rem; }
a { color: var(--accent); text-underline-offset: 0.15em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
code, pre { font-family: var(--mono); font-size: 0.9em; }
.on-paper { display: none; }
.lead { font-size: 1.1rem; color: var(--soft); }
.about { font-size: 0.87rem; color: var(--soft); }
main > section { margin-top: 3.2rem; padding-top: 1.6rem; border-top: 1px solid var(--line); }
.glance { display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: 0.8rem;
  margin: 1.6rem 0 0; padding: 0; list-style: none; }
.glance a { display: block; height: 100%; padding: 0.9rem 1rem; background: var(--card);
  color: inherit; border: 1px solid var(--line); border-radius: 0.6rem; text-decoration: none; }
.glance a:hover { border-color: var(--accent); }
.glance strong { display: block; font-size: 1.45rem; font-weight: 650; line-height: 1.3;
  color: var(--accent); font-variant-numeric: tabular-nums; }
.glance span { font-size: 0.88rem; color: var(--soft); line-height: 1.4; display: block; }
.glance em { font-style: normal; font-size: 0.82rem; font-weight: 600; }
.scrolls { overflow-x: auto; margin: 1rem 0 1.4rem; }
table { border-collapse: collapse; font-size: 0.9rem; line-height: 1.4; }
caption { text-align: left; font-size: 0.87rem; color: var(--soft); padding-bottom: 0.4rem; }
th, td { padding: 0.34rem 1.1rem 0.34rem 0; text-align: left; vertical-align: baseline;
  border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 600; }
thead th { border-bottom: 1px solid var(--soft); color: var(--soft); vertical-align: bottom; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
td.number:last-child, th.number:last-child { padding-right: 0.2rem; }
figure { margin: 1.4rem 0; }
figure > svg { display: block; width: 100%; height: auto; max-height: 34rem; overflow: visible; }
figure > svg text { fill: currentColor; }
figcaption { font-size: 0.87rem; color: var(--soft); margin-top: 0.6rem; max-width: 46rem; }
.formula { background: var(--card); border: 1px solid var(--line); border-radius: 0.6rem;
  padding: 1rem 1.2rem; margin: 1.1rem 0; }
.formula h3 { margin: 0 0 0.6rem; }
.formula dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.5rem 1.2rem;
  margin: 0; align-items: baseline; }
.formula dt { color: var(--soft); font-size: 0.9rem; }
.formula dd { margin: 0; overflow-x: auto; overflow-y: hidden; padding: 0.1rem 0; }
.formula pre { background: var(--raised); border-radius: 0.4rem; padding: 0.7rem 0.9rem;
  overflow-x: auto; margin: 0.6rem 0 0; line-height: 1.45; }
math { font-family: "STIX Two Math", "Cambria Math", "Latin Modern Math",
  "DejaVu Math TeX Gyre", math; }
.formula math { font-size: 1.12rem; math-shift: compact; }
math[display="block"] { display: block math; text-align: left; margin: 0; }
.steps { list-style: none; margin: 0.4rem 0 0; padding: 0; }
.steps li { display: flex; flex-wrap: wrap; gap: 0.2rem 1.4rem; align-items: baseline;
  justify-content: space-between; padding: 0.3rem 0; border-top: 1px solid var(--line); }
.steps .math { min-width: 0; overflow-x: auto; overflow-y: hidden; }
.steps .why { color: var(--soft); font-size: 0.85rem; }
.wg-explanation { margin: 1.6rem 0; border-radius: 0.6rem; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); }
@media (max-width: 40rem) {
  .formula dl { grid-template-columns: minmax(0, 1fr); gap: 0.1rem; }
  .formula dd { margin-bottom: 0.7rem; }
  figure { overflow-x: auto; }
  figure > svg { min-width: 32rem; }
}
@page { size: A4; margin: 17mm 15mm; }
@media print {
  :root { color-scheme: light; font-size: 9.5pt; }
  body { background: none; line-height: 1.45; }
  .page { max-width: none; padding: 0; }
  h1 { font-size: 20pt; } h2 { font-size: 14pt; } h3 { font-size: 11pt; }
  h2, h3, h4 { break-after: avoid; }
  p, li, pre { orphans: 3; widows: 3; }
  main > section { margin-top: 9mm; padding-top: 4mm; }
  .scrolls, .formula dd, .formula pre, .steps .math { overflow: visible; }
  .scrolls:not(.long) { break-inside: avoid; }
  .wg .wg-cards, .wg .wg-sentence, .on-screen { display: none !important; }
  .on-paper { display: inline; }
  .formula math { font-size: 1.05rem; }
  table { width: 100%; font-size: 8pt; }
  th, td { padding: 0.9mm 3mm 0.9mm 0; white-space: normal; overflow-wrap: anywhere; }
  th.number, td.number { overflow-wrap: normal; white-space: nowrap; }
  thead { display: table-header-group; }
  tr, figure, .formula dl, .glance li, .steps li { break-inside: avoid; }
  .formula { -webkit-box-decoration-break: clone; box-decoration-break: clone; }
  .glance { grid-template-columns: repeat(3, 1fr); gap: 2.5mm; }
  .glance strong { font-size: 13pt; } .glance span { font-size: 8pt; }
  .formula pre { white-space: pre-wrap; font-size: 7.5pt; }
  figure > svg { max-height: 72mm; }
  a { color: inherit; text-decoration: none; }
}
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
"""

/** Colours of series on light and on dark ground: Okabe and Ito's, told apart with any colour vision. */
export const palette: readonly (readonly [light: string, dark: string])[] = [
  ['#0072b2', '#56b4e9'],
  ['#d55e00', '#ff9248'],
  ['#00805f', '#2fc79a'],
  ['#b0508c', '#e59ac4'],
  ['#8a6d00', '#f0d04a'],
];

const colors = (dark: 0 | 1) => palette.map((pair, i) => `--c${i}: ${pair[dark]};`).join(' ');

/** What light pages and pictures are drawn on, and with. */
export const paper = { ground: '#ffffff', text: '#1c2126' } as const;

const light = `color-scheme: light; --ground: ${paper.ground}; --text: ${paper.text}; --soft: #58626c; --line: #d9dee3;
  --panel: #f5f7f9; --better: #00704e; --worse: #b3261e; ${colors(0)}`;
const dark = `color-scheme: dark; --ground: #14181c; --text: #e6eaee; --soft: #a3adb7; --line: #343b43;
  --panel: #1d2329; --better: #4fd1a0; --worse: #ff8a80; ${colors(1)}`;

/** The colours of a page, as the reader's system asks for, and light on paper. */
export const themes = `:root { ${light} }
@media screen and (prefers-color-scheme: dark) { :root { ${dark} } }`;

/** What stands in an SVG file of its own. */
export const plotStyle = `${themes}
svg { color: var(--text); background: var(--ground); }`;

/** How the page looks; no fonts, no pictures from anywhere. */
export const pageStyle = `${themes}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 2rem clamp(1rem, 4vw, 3rem) 4rem; max-width: 80rem; background: var(--ground);
  color: var(--text); font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { margin: 0 0 .25rem; font-size: 1.75rem; line-height: 1.2; }
h2 { margin: 3rem 0 .75rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: 1.35rem; }
h3 { margin: 0 0 .25rem; font-size: 1.05rem; }
p { margin: .5rem 0; max-width: 75ch; }
a { color: var(--c0); }
.soft { color: var(--soft); font-size: .9rem; }
.verdict { margin: 1rem 0; padding: .9rem 1.1rem; border-left: 4px solid var(--c0); background: var(--panel);
  font-size: 1.05rem; }
.verdict p { max-width: none; }
.better { color: var(--better); font-weight: 600; }
.worse { color: var(--worse); font-weight: 600; }
nav ul { padding-left: 1.2rem; }
figure { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: .5rem 2rem; align-items: start;
  margin: 2rem 0; break-inside: avoid; }
figure > header { grid-column: 1 / -1; }
.plot { display: block; width: 100%; height: auto; color: var(--text); }
.plot text { white-space: pre; }
.scroll { overflow-x: auto; }
.scroll > .plot { min-width: 28rem; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); text-align: right; }
th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
td { white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
figure td:first-child { white-space: normal; }
.wide { width: 100%; }
@media (max-width: 56rem) { figure { grid-template-columns: minmax(0, 1fr); } }
@media print { body { padding: 0; max-width: none; } h2 { break-after: avoid; } }`;

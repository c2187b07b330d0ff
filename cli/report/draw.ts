import type * as Plot from '@observablehq/plot';
import { palette } from './style.js';

/** An entry of a plot's legend. */
export interface Key {
  readonly label: string;
  /** Place in the palette; undefined for the colour of text. */
  readonly color?: number;
  readonly dashed?: boolean;
}

/** Colours that light and dark pages define. */
export const colorOf = (index: number): string => `var(--c${index % palette.length})`;
/** How dashed lines are drawn. */
export const dashes = '5 4';

/** Draws without a browser. */
export interface Drawing {
  readonly plot: typeof Plot;
  /** A plot as SVG, with its legend above it; `title` is what screen readers say. */
  svg(
    title: string,
    keys: readonly Key[],
    options: Plot.PlotOptions & { readonly y: Plot.ScaleOptions },
  ): string;
}

const width = 640;
const height = 320;
const line = 18;
const margin = 4;

/** Loads the library: a third of a second that only a report has to spend. */
export async function openDrawing(): Promise<Drawing> {
  const [plot, { parseHTML }] = await Promise.all([import('@observablehq/plot'), import('linkedom')]);
  const { document } = parseHTML('<!doctype html><body></body>');
  return {
    plot,
    svg(title, keys, options) {
      const legend = legendOf(keys);
      const layout = { width, height: height + legend.height, marginTop: legend.height + 34 };
      const space = { marginLeft: 56, marginBottom: 40, marginRight: 20 };
      const style = { fontSize: '12px' };
      // Under the legend, where the library would put it on top.
      const axis = textAt(4, legend.height + 12, `↑ ${options.y.label}`);
      const y = { ...options.y, label: null };
      const element = plot.plot({ ...layout, ...space, style, ...options, y, document });
      const body = element.innerHTML.replace(/<style>[\s\S]*?<\/style>/, '');
      const box = `viewBox="0 0 ${width} ${layout.height}"`;
      const font =
        'font-size="12" font-family="system-ui, sans-serif" text-anchor="middle" fill="currentColor"';
      const head = `<svg xmlns="http://www.w3.org/2000/svg" class="plot" role="img" ${box} ${font}>`;
      return `${head}<title>${escaped(title)}</title>${legend.svg}${axis}${body}</svg>`;
    },
  };
}

/** Text as it stands in HTML and SVG. */
export const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (one) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[one] ?? '&quot;');

const textAt = (x: number, y: number, text: string) =>
  `<text x="${x}" y="${y}" dy="0.35em" text-anchor="start">${escaped(text)}</text>`;

/** Swatches and words from left to right, in as many lines as they need. */
function legendOf(keys: readonly Key[]): { readonly svg: string; readonly height: number } {
  let [x, y] = [margin, 12];
  const parts = keys.map(({ label, color, dashed }) => {
    const wide = 40 + 6.8 * label.length; // about as wide as letters of 12 px are
    if (x > margin && x + wide > width) [x, y] = [margin, y + line];
    const stroke = color === undefined ? 'currentColor' : colorOf(color);
    const dash = dashed ? ` stroke-dasharray="${dashes}"` : '';
    const swatch = `<path d="M${x},${y}h22" stroke="${stroke}" stroke-width="2.5"${dash}/>`;
    const words = textAt(x + 28, y, label);
    x += wide;
    return swatch + words;
  });
  return { svg: `<g class="legend">${parts.join('')}</g>`, height: keys.length > 0 ? y + 6 : 0 };
}

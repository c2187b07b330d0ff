import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { paper, palette } from './style.js';

/** Makes a PNG of a plot, on a light ground. */
export type Painter = (svg: string) => Uint8Array;

// Sharp on screens with two pixels to a point, and in print.
const zoom = 2;

/** Loads what draws: WebAssembly, so that it is the same everywhere, with a font of its own for the same reason. */
export async function openPainter(): Promise<Painter> {
  const { resolve } = createRequire(import.meta.url);
  const [{ initWasm, Resvg }, code, sans] = await Promise.all([
    import('@resvg/resvg-wasm'),
    readFile(resolve('@resvg/resvg-wasm/index_bg.wasm')),
    readFile(resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf')),
  ]);
  await initWasm(code);
  const font = { fontBuffers: [sans], defaultFontFamily: 'DejaVu Sans', sansSerifFamily: 'DejaVu Sans' };
  return (svg) => {
    const drawing = new Resvg(coloured(svg), {
      background: paper.ground,
      fitTo: { mode: 'zoom', value: zoom },
      font,
    });
    const picture = drawing.render();
    const png = picture.asPng();
    // Of WebAssembly's memory, which is not collected.
    picture.free();
    drawing.free();
    return png;
  };
}

/** The colours of light pages in place of their names. */
const coloured = (svg: string): string =>
  svg
    .replace(/var\(--c(\d+)\)/g, (_name, i: string) => palette[Number(i)][0])
    .replaceAll('currentColor', paper.text);

import { inflateSync } from 'node:zlib';
import * as assert from 'uvu/assert';

/** A picture, four bytes a pixel: red, green, blue, opacity. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

const signature = '89504e470d0a1a0a';

/** Decodes a PNG of 8-bit RGBA without interlacing, by the specification. */
export function decodePng(file: Uint8Array): Picture {
  const bytes = Buffer.from(file);
  assert.is(bytes.subarray(0, 8).toString('hex'), signature);
  let header = Buffer.alloc(0);
  const data: Buffer[] = [];
  for (let at = 8; at < bytes.length;) {
    const [length, name] = [bytes.readUInt32BE(at), bytes.toString('latin1', at + 4, at + 8)];
    const content = bytes.subarray(at + 8, at + 8 + length);
    if (name === 'IHDR') header = content;
    if (name === 'IDAT') data.push(content);
    at += 12 + length;
  }
  assert.equal([...header.subarray(8)], [8, 6, 0, 0, 0], 'RGBA of 8 bits');
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  return { width, height, pixels: unfiltered(inflateSync(Buffer.concat(data)), width * 4, height) };
}

/** Undoes what was taken from each byte: left, above, their mean, or Paeth's choice of them. */
function unfiltered(rows: Uint8Array, stride: number, height: number): Uint8Array {
  const out = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const at = y * stride + x;
      const left = x >= 4 ? out[at - 4] : 0;
      const above = y > 0 ? out[at - stride] : 0;
      const corner = x >= 4 && y > 0 ? out[at - stride - 4] : 0;
      const guess = [0, left, above, (left + above) >> 1, paeth(left, above, corner)][filter];
      out[at] = rows[y * (stride + 1) + 1 + x] + guess;
    }
  }
  return out;
}

function paeth(left: number, above: number, corner: number): number {
  const sum = left + above - corner;
  const far = (value: number) => Math.abs(sum - value);
  if (far(left) <= far(above) && far(left) <= far(corner)) return left;
  return far(above) <= far(corner) ? above : corner;
}

/** How often each colour is in a part of a picture, as #rrggbb; `from` and `to` are x and y. */
export function coloursIn(
  { width, pixels }: Picture,
  from: readonly [number, number],
  to: readonly [number, number],
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (let y = from[1]; y < to[1]; y++) {
    for (let x = from[0]; x < to[0]; x++) {
      const at = (y * width + x) * 4;
      assert.is(pixels[at + 3], 255, 'opaque');
      const colour = `#${Buffer.from(pixels.subarray(at, at + 3)).toString('hex')}`;
      counts.set(colour, (counts.get(colour) ?? 0) + 1);
    }
  }
  return counts;
}

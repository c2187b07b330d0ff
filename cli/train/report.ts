import type { Runner } from '../runner.js';
import type { Metrics } from './state.js';

/** Metrics of several parts as a table: a line for each part, columns lined up. */
export function resultTable(parts: readonly (readonly [string, Metrics])[], decimals: number): string {
  const names = Object.keys(parts[0]?.[1] ?? {});
  const rows = [
    ['', ...names],
    ...parts.map(([part, metrics]) => [part, ...names.map((name) => metrics[name].toFixed(decimals))]),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
  return rows.map(line).join('\n');
}

/** A size for people, in binary units. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 2 ** (10 * power);
  return `${power === 0 ? value : value.toPrecision(3)} ${units[power]}`;
}

/** What a run occupies on the device, and how many numbers it trains. */
export function memoryLines(runner: Runner): readonly string[] {
  const words = (...kinds: readonly ('parameter' | 'state' | 'slot')[]) =>
    runner.store
      .list(...kinds)
      .reduce((sum, { shape }) => sum + shape.reduce((product, axis) => product * axis, 1), 0);
  const { bytes = 0, unsharedBytes = 0 } = runner.memory ?? {};
  return [
    `Trainable parameters: ${words('parameter')}`,
    `memory: parameters ${bytesText(4 * words('parameter', 'state'))}, ` +
      `optimizer ${bytesText(4 * words('slot'))}, ` +
      `activations ${bytesText(bytes)} (${bytesText(unsharedBytes)} if none shared memory)`,
  ];
}

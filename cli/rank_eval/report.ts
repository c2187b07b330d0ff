/** Metrics as rows and their cut-offs as columns; `scores` by name as 'NDCG@10', rounded to `decimals`. */
export function rankingTable(scores: ReadonlyMap<string, number>, decimals: number): string {
  const names = [...new Set([...scores.keys()].map((key) => key.split('@')[0]))];
  const cuts = [...new Set([...scores.keys()].map((key) => Number(key.split('@')[1])))].sort((a, b) => a - b);
  const cell = (name: string, k: number) => scores.get(`${name}@${k}`)?.toFixed(decimals) ?? '';
  const rows = [
    ['', ...cuts.map((k) => `@${k}`)],
    ...names.map((name) => [name, ...cuts.map((k) => cell(name, k))]),
  ];
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const line = (row: readonly string[]) =>
    row.map((text, i) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}

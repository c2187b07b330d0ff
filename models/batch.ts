import { batchJoin, rowIds, type RowIds, type Shape, type Tape, type Tensor } from '../engine/index.js';
import type { Schema } from '../data/schema.js';
import { rowLayout, spansOf, tableRows, wholeSpan, type RowLayout, type Span } from './layout.js';

/** One batch as models see it; features of users and items are joined on the device. */
export interface Batch {
  /** Rows of the joint token table [B, token fields]. */
  readonly tokens?: RowIds;
  /** Ids [B, maxLength] of each token sequence, 0 is padding. */
  readonly sequences: readonly RowIds[];
  /** Rows of the float table and their values, both [B, float fields]. */
  readonly floats?: { readonly rows: RowIds; readonly values: Tensor };
  /** What the rows are labelled with; absent where nothing is learned. */
  readonly labels?: Labels;
}

export interface Labels {
  /** u32 [B], 0 or 1. */
  readonly label: Tensor;
  /** u32 [B], rating − 1. */
  readonly ratingClass: Tensor;
}

/** Sizes of a batch. */
export interface BatchSizes {
  readonly rows: number;
  /** Rows of the longest batch that reads the same feed. */
  readonly capacity: number;
  readonly users: number;
  readonly items: number;
  readonly labels: boolean;
}

interface Joiner {
  readonly tape: Tape;
  readonly layout: RowLayout;
  readonly sizes: BatchSizes;
  /** Joins a span into `target`: of a resident table by key, or of the fed rows, where its list begins at `first`. */
  join(target: Tensor, table: string, span: Span, first: number): void;
}

function joiner(tape: Tape, schema: Schema, sizes: BatchSizes): Joiner {
  const layout = rowLayout(schema);
  const rows = tape.input('rows', [tape.chunkSteps * sizes.capacity, layout.width], 'u32');
  return {
    tape,
    layout,
    sizes,
    join(target, table, { source, column, columns, sourceColumn, sourceColumns }, first) {
      const place = { target, targetColumn: column, columns };
      if (source === 'inter') {
        batchJoin(tape, rows, sizes.capacity, { ...place, sourceColumn: first + sourceColumn });
        return;
      }
      const shape: Shape = [source === 'user' ? sizes.users : sizes.items, sourceColumns];
      const resident = tape.shared(`${source}.${table}`, shape, target.dtype);
      batchJoin(tape, rows, sizes.capacity, {
        ...place,
        sourceColumn,
        source: resident,
        key: layout[source],
      });
    },
  };
}

function joinTokens({ tape, layout, sizes, join }: Joiner, fields: Schema['token']): RowIds | undefined {
  if (fields.length === 0) return undefined;
  const tokens = tape.activation('batch.tokens', [sizes.rows, fields.length], 'u32');
  for (const span of spansOf(fields)) join(tokens, 'tokens', span, layout.tokens);
  const distinct = fields.reduce((sum, { cardinality }) => sum + Math.min(cardinality, sizes.capacity), 0);
  const capacity = sizes.capacity * fields.length;
  const per = fields.length;
  return rowIds(tokens, { name: 'tokens', rows: tableRows(fields), maxRows: distinct, per, capacity });
}

function joinSequences({ tape, layout, sizes, join }: Joiner, fields: Schema['tokenSeq']): RowIds[] {
  return fields.map(({ source, cardinality, maxLength }, k) => {
    const ids = tape.activation(`batch.sequence.${k}`, [sizes.rows, maxLength], 'u32');
    join(ids, `sequence.${k}`, wholeSpan(source, maxLength), layout.sequences[k] ?? 0);
    const capacity = sizes.capacity * maxLength;
    return rowIds(ids, {
      name: `sequence.${k}`,
      rows: cardinality,
      per: maxLength,
      skipPadding: true,
      capacity,
    });
  });
}

function joinFloats({ tape, layout, sizes, join }: Joiner, fields: Schema['float']): Batch['floats'] {
  if (fields.length === 0) return undefined;
  const values = tape.activation('batch.float_values', [sizes.rows, fields.length]);
  const indices = tape.activation('batch.float_indices', [sizes.rows, fields.length], 'u32');
  for (const span of spansOf(fields)) {
    join(values, 'float_values', span, layout.floatValues);
    join(indices, 'float_indices', span, layout.floatIndices);
  }
  const capacity = sizes.capacity * fields.length;
  return { rows: rowIds(indices, { name: 'floats', rows: tableRows(fields), capacity }), values };
}

function joinLabels({ tape, layout, sizes, join }: Joiner): Labels {
  const label = tape.activation('batch.label', [sizes.rows], 'u32');
  const ratingClass = tape.activation('batch.rating_class', [sizes.rows], 'u32');
  join(label, 'label', wholeSpan('inter', 1), layout.label);
  join(ratingClass, 'rating_class', wholeSpan('inter', 1), layout.ratingClass);
  return { label, ratingClass };
}

/** Declares the batch of a step: inputs `rows` (fed) and `user.*`, `item.*` (resident), joined into tensors. */
export function declareBatch(tape: Tape, schema: Schema, sizes: BatchSizes): Batch {
  const join = joiner(tape, schema, sizes);
  return {
    tokens: joinTokens(join, schema.token),
    sequences: joinSequences(join, schema.tokenSeq),
    floats: joinFloats(join, schema.float),
    labels: sizes.labels ? joinLabels(join) : undefined,
  };
}

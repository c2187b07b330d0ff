import { batchJoin, rowIds, type RowIds, type Shape, type Tape, type Tensor } from '../engine/index.js';
import type { Schema } from '../data/schema.js';
import {
  joinedInput,
  rowLayout,
  spansOf,
  tableRows,
  wholeSpan,
  type RowLayout,
  type Span,
} from './layout.js';

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
  /** Ids are fed joined (see device_feed.ts) instead of being joined by the step. */
  readonly joined?: boolean;
}

interface Joiner {
  readonly tape: Tape;
  readonly layout: RowLayout;
  readonly sizes: BatchSizes;
  /** Joins a span into `target`: of a resident table by key, or of the fed rows, where its list begins at `first`. */
  join(target: Tensor, table: string, span: Span, first: number): void;
  /** Joins the spans of the ids `name`, unless they are fed joined. */
  joinIds(name: string, target: Tensor, table: string, spans: readonly Span[], first: number): void;
}

function joiner(tape: Tape, schema: Schema, sizes: BatchSizes): Joiner {
  const layout = rowLayout(schema);
  const fed = (name: string, width: number) =>
    tape.input(name, [tape.chunkSteps * sizes.capacity, width], 'u32');
  const rows = fed('rows', layout.width);
  const join: Joiner['join'] = (target, table, span, first) => {
    const { source, column, columns, sourceColumn, sourceColumns } = span;
    const place = { target, targetColumn: column, columns };
    if (source === 'inter') {
      batchJoin(tape, rows, sizes.capacity, { ...place, sourceColumn: first + sourceColumn });
      return;
    }
    const shape: Shape = [source === 'user' ? sizes.users : sizes.items, sourceColumns];
    const resident = tape.shared(`${source}.${table}`, shape, target.dtype);
    batchJoin(tape, rows, sizes.capacity, { ...place, sourceColumn, source: resident, key: layout[source] });
  };
  return {
    tape,
    layout,
    sizes,
    join,
    joinIds(name, target, table, spans, first) {
      if (!sizes.joined) {
        for (const span of spans) join(target, table, span, first);
        return;
      }
      const columns = target.shape[1];
      const whole = { target, targetColumn: 0, columns, sourceColumn: 0 };
      batchJoin(tape, fed(joinedInput(name), columns), sizes.capacity, whole);
    },
  };
}

function joinTokens({ tape, layout, sizes, joinIds }: Joiner, fields: Schema['token']): RowIds | undefined {
  if (fields.length === 0) return undefined;
  const tokens = tape.activation('batch.tokens', [sizes.rows, fields.length], 'u32');
  joinIds('tokens', tokens, 'tokens', spansOf(fields), layout.tokens);
  const distinct = fields.reduce((sum, { cardinality }) => sum + Math.min(cardinality, sizes.capacity), 0);
  const capacity = sizes.capacity * fields.length;
  const per = fields.length;
  return rowIds(tokens, { name: 'tokens', rows: tableRows(fields), maxRows: distinct, per, capacity });
}

function joinSequences({ tape, layout, sizes, joinIds }: Joiner, fields: Schema['tokenSeq']): RowIds[] {
  return fields.map(({ source, cardinality, maxLength }, k) => {
    const ids = tape.activation(`batch.sequence.${k}`, [sizes.rows, maxLength], 'u32');
    const name = `sequence.${k}`;
    joinIds(name, ids, name, [wholeSpan(source, maxLength)], layout.sequences[k] ?? 0);
    const capacity = sizes.capacity * maxLength;
    return rowIds(ids, {
      name,
      rows: cardinality,
      per: maxLength,
      skipPadding: true,
      capacity,
    });
  });
}

function joinFloats(
  { tape, layout, sizes, join, joinIds }: Joiner,
  fields: Schema['float'],
): Batch['floats'] {
  if (fields.length === 0) return undefined;
  const values = tape.activation('batch.float_values', [sizes.rows, fields.length]);
  const indices = tape.activation('batch.float_indices', [sizes.rows, fields.length], 'u32');
  const spans = spansOf(fields);
  for (const span of spans) join(values, 'float_values', span, layout.floatValues);
  joinIds('floats', indices, 'float_indices', spans, layout.floatIndices);
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

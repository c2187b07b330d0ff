import { AtomicParser, separatorByte, type HeaderField } from '../../data/atomic.js';
import { cellsOf, type Cells, type RawColumn } from '../../data/cells.js';
import type { CutRows } from '../../data/cut.js';
import { DataError } from '../../data/errors.js';
import { Interner } from '../../data/interner.js';
import type { DataOptions } from '../../data/options.js';
import type { FieldType, Schema } from '../../data/schema.js';

/** A column that rows to score may have. */
export interface InputField {
  readonly name: string;
  readonly type: FieldType;
  /** Users and items must be there; context may be missing. */
  readonly isRequired: boolean;
}

/** Rows of the input, as they were read. */
export interface InputRows {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, RawColumn>;
}

/** What the header of the input came to. */
export interface InputHeader {
  /** Columns that are no input of the model. */
  readonly ignored: readonly string[];
  /** Inputs of the model that the file does not have: they count as missing in every row. */
  readonly absent: readonly string[];
}

export interface PairsFormat {
  /** The name in messages. */
  readonly file: string;
  readonly options: DataOptions;
  readonly fields: readonly InputField[];
  /** Rows to hold before they are handed on, about. */
  readonly batchRows: number;
  readonly onHeader: (header: InputHeader) => void;
}

/** User, item, and the context that interactions of this schema carry. */
export function inputFields({ token, tokenSeq, float, userField, itemField }: Schema): InputField[] {
  const ids = [userField, itemField];
  const named = (fields: readonly { readonly name: string; readonly source: string }[], type: FieldType) =>
    fields
      .filter(({ name, source }) => source === 'inter' && !ids.includes(name))
      .map(({ name }) => ({ name, type, isRequired: false }));
  return [
    ...ids.map((name) => ({ name, type: 'token' as const, isRequired: true })),
    ...named(token, 'token'),
    ...named(tokenSeq, 'token_seq'),
    ...named(float, 'float'),
  ];
}

/**
 * Rows of an atomic file that arrives in pieces, a batch at a time, in order: memory is bounded by a batch and a piece.
 * Throws DataError with file and line.
 */
export async function* readPairs(
  pieces: AsyncIterable<Uint8Array>,
  { file, options, fields, batchRows, onHeader }: PairsFormat,
): AsyncGenerator<InputRows, void, void> {
  const columns = new Map(fields.map((field) => [field.name, new BatchCells(field, options)]));
  const used = new Set<string>();
  const select = (header: readonly HeaderField[]) => {
    const found = checkHeader(header, fields, file);
    for (const { name } of found) used.add(name);
    onHeader(headerOf(header, fields));
    return header.map(({ name }) => columns.get(name) ?? null);
  };
  const separator = separatorByte(options.field_separator, 'field_separator');
  const parser = new AtomicParser(file, { separator, select });
  let taken = 0;
  const take = (): InputRows => {
    const rows = parser.rows - taken;
    taken = parser.rows;
    const ready = [...used].map((name) => [name, (columns.get(name) as BatchCells).take()] as const);
    return { rows, columns: new Map(ready) };
  };
  for await (const piece of pieces) {
    parser.push(piece);
    if (parser.rows - taken >= batchRows) yield take();
  }
  parser.end();
  if (parser.rows > taken) yield take();
}

/** The fields that the header has. */
function checkHeader(
  header: readonly HeaderField[],
  fields: readonly InputField[],
  file: string,
): readonly InputField[] {
  const have = header.map(({ name, type }) => `${name}:${type}`).join(', ');
  return fields.filter(({ name, type, isRequired }) => {
    const column = header.find((one) => one.name === name);
    if (column === undefined && !isRequired) return false;
    if (column === undefined) {
      throw new DataError(`header: no column ${name}:${type}, only ${have}; add it`, file, 1);
    }
    if (column.type === type) return true;
    throw new DataError(
      `header: ${name} is of type ${column.type}, but the model was trained with ${type}; write ${name}:${type}`,
      file,
      1,
    );
  });
}

function headerOf(header: readonly HeaderField[], fields: readonly InputField[]): InputHeader {
  const given = header.map(({ name }) => name);
  const known = fields.map(({ name }) => name);
  return {
    ignored: given.filter((name) => !known.includes(name)),
    absent: known.filter((name) => !given.includes(name)),
  };
}

/** Cells whose tokens are forgotten with each batch, so that a long input of new tokens does not fill the memory. */
class BatchCells implements Cells {
  #cells: Cells;

  constructor(
    private readonly field: InputField,
    private readonly options: DataOptions,
  ) {
    this.#cells = this.#fresh();
  }

  read(rows: CutRows, column: number): number {
    return this.#cells.read(rows, column);
  }

  reserve(cells: number): void {
    this.#cells.reserve(cells);
  }

  take(): RawColumn {
    const column = this.#cells.take();
    this.#cells = this.#fresh();
    return column;
  }

  #fresh(): Cells {
    const { seq_separator, seq_len } = this.options;
    return cellsOf(this.field.type, {
      tokens: new Interner(),
      seqSeparator: separatorByte(seq_separator, 'seq_separator'),
      seqLen: seq_len?.[this.field.name] ?? Infinity,
    });
  }
}

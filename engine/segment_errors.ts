import type { SegmentLayout } from './segments.js';

/** Throws RangeError for more ids, or less room, than a layout has. */
export function checkFits(ids: number, { entries, stride }: SegmentLayout, room: number): void {
  if (ids <= entries && room >= stride) return;
  throw new RangeError(
    `segments: ${ids} ids into ${room} words do not fit a layout of ${entries} ids in ${stride} words`,
  );
}

/** An id that is no row of the table. */
export const outsideTable = (id: number, at: number, rows: number): RangeError =>
  new RangeError(`segments: id ${id} at ${at}, but the table has ${rows} rows`);

/** More rows than a layout holds. */
export const tooManyRows = (rows: number, maxRows: number): RangeError =>
  new RangeError(`segments: ${rows} distinct rows in a step, but room for ${maxRows}`);

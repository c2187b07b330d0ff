import {
  HostPlanner,
  SegmentPlanner,
  type HostCommand,
  type HostKernels,
  type SegmentLayout,
  type SegmentRule,
} from '../engine/index.js';
import { joinedIds, type Features, type JoinPart, type JoinedIds } from './features.js';

/** Sizes of what a step reads groups of ids from; plain data, so that a worker thread can be told. */
export interface SegmentSpec {
  readonly name: string;
  readonly layout: SegmentLayout;
  readonly rule: SegmentRule;
}

/** Joins and groups all ids of the rows [0, count) of `batch` (rows of words), each into the block that `out` gives. */
export type Grouping = (
  batch: Uint32Array,
  count: number,
  out: (segment: SegmentSpec) => Uint32Array,
) => void;

/** A segment with the ids that it groups. */
interface Grouped {
  readonly segment: SegmentSpec;
  readonly joined: JoinedIds;
}

/** Groups batches of up to `capacity` rows. Throws Error for a segment of ids that are not there. */
export function openGrouping(
  features: Features,
  capacity: number,
  segments: readonly SegmentSpec[],
  host?: HostKernels,
): Grouping {
  const all = joinedIds(features);
  const grouped = segments.map((segment): Grouped => {
    const joined = all.find(({ name }) => name === segment.name);
    if (joined === undefined) throw new Error(`feed: no ids are called ${segment.name}`);
    return { segment, joined };
  });
  return host === undefined || grouped.length === 0
    ? plainGrouping(grouped, capacity)
    : hostGrouping(host, grouped, capacity, features.layout.width);
}

function plainGrouping(grouped: readonly Grouped[], capacity: number): Grouping {
  const all = grouped.map(({ segment, joined }) => {
    return {
      segment,
      joined,
      planner: new SegmentPlanner(segment.rule),
      ids: new Uint32Array(joined.width * capacity),
    };
  });
  return (batch, count, out) => {
    for (const { segment, joined, planner, ids } of all) {
      joined.join(batch, count, ids);
      planner.plan(ids.subarray(0, joined.width * count), segment.layout, out(segment));
    }
  };
}

/** The same by the kernels that join the ids on a device. */
function hostGrouping(
  host: HostKernels,
  grouped: readonly Grouped[],
  capacity: number,
  rowWidth: number,
): Grouping {
  const rows = host.words(capacity * rowWidth);
  const tables = new Map<Uint32Array, Uint32Array>();
  const all = grouped.map(({ segment, joined }) => {
    const planner = new HostPlanner(host, segment.rule, segment.layout);
    const joins = joined.parts.map((part) => {
      const source = part.words && (tables.get(part.words) ?? copied(host, part.words));
      if (part.words && source) tables.set(part.words, source);
      return openJoin(host, part, { rows, source, joined: planner.ids }, [rowWidth, joined.width]);
    });
    return { segment, width: joined.width, planner, joins };
  });
  return (batch, count, out) => {
    rows.set(batch.subarray(0, count * rowWidth));
    for (const { segment, width, planner, joins } of all) {
      for (const join of joins) join(count);
      planner.plan(width * count, out(segment));
    }
  };
}

function copied(host: HostKernels, table: Uint32Array): Uint32Array {
  const words = host.words(table.length);
  words.set(table);
  return words;
}

interface JoinBuffers {
  readonly rows: Uint32Array;
  readonly source: Uint32Array | undefined;
  readonly joined: Uint32Array;
}

/** Words of `struct State` of batch_join.wgsl; the cursor among them is 0. */
const stateWords = 16;

/** What joins one part of the ids of so many rows. */
function openJoin(
  host: HostKernels,
  { key, stride, from, to, columns }: JoinPart,
  { rows, source, joined }: JoinBuffers,
  [rowWidth, width]: readonly [number, number],
): (count: number) => void {
  const buffers = { rows, joined, state: host.words(stateWords) };
  const keyed = source !== undefined;
  const run: HostCommand = keyed
    ? host.command('batch_join', 'batch_join_keyed', { ...buffers, source })
    : host.command('batch_join', 'batch_join_rows', buffers);
  return (batch) =>
    run({
      batch,
      row_width: rowWidth,
      ...(keyed && { key, source_width: stride }),
      source_column: from,
      joined_width: width,
      joined_column: to,
      columns,
    });
}

// Groups the ids of steps by row in the blocks that engine/segments.ts describes. One invocation does a whole step: for
// CPUs.
//   segment_plan_rows:     plan[0] = rows named by ids[0 .. n), listed as they are first met; count[row] = its sources
//   segment_plan_sources:  begin, end and pieces of the listed rows, and their sources; count = 0 again
//   segment_plan_steps:    both, of every step of a chunk; all ids must be rows of the table. With dims.buckets the rows of a
//                          step are listed by their number >> dims.shift, else as they are first met
// An id that is no row of the table ends the first with plan[0] = no_row and plan[1] = where it is.

struct Dims {
  ids: u32,
  table_rows: u32,
  per: u32,
  source_bits: u32,
  skip_padding: u32,
  pieces_at: u32,
  sources_at: u32,
  width: u32, // ids of a row of a batch
  capacity: u32, // rows of the longest batch
  stride: u32, // words of the block of a step
  lane: u32, // words of count that an invocation has: for the rows, the buckets, and as many rows as a step may name
  buckets: u32,
  shift: u32,
}

// What a chunk holds: rows, and those of a batch; the last may have fewer.
struct Chunk {
  rows: u32,
  batch: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read_write> count: array<u32>;
@group(0) @binding(3) var<storage, read_write> plan: array<u32>;
@group(0) @binding(4) var<storage, read> chunk: Chunk;

const header_words = 4u;
const piece_length = 64u;
const no_row = 0xffffffffu;

// Lists the rows that ids[first .. end) name from plan[base + header_words] on, and counts them from `own` on. Returns
// where the list ends.
fn list_rows(first: u32, end: u32, base: u32, own: u32) -> u32 {
  var at = base + header_words;
  // Padding counts as met before, so that it is not listed.
  count[own] = dims.skip_padding;
  for (var p = first; p < end; p++) {
    let row = ids[p];
    let before = count[own + row];
    count[own + row] = before + 1u;
    // Every row is written and a new one kept: whether it is new is a coin toss that a branch would mispredict.
    plan[at] = row;
    at += select(0u, 4u, before == 0u);
  }
  return at;
}

// Lists the rows in the order of their buckets. Rows that lie together are then worked on together, and by the same thread
// in every step, whose caches and page tables hold them.
fn order_rows(list: u32, rows_end: u32, own: u32) {
  let places = own + dims.table_rows;
  let met = places + dims.buckets;
  let n = (rows_end - list) / 4u;
  for (var i = 0u; i < n; i++) {
    let row = plan[list + 4u * i];
    count[met + i] = row;
    count[places + (row >> dims.shift)] += 1u;
  }
  var place = 0u;
  for (var b = places; b < met; b++) {
    let rows = count[b];
    count[b] = place;
    place += rows;
  }
  for (var i = 0u; i < n; i++) {
    let row = count[met + i];
    let to = count[places + (row >> dims.shift)];
    count[places + (row >> dims.shift)] = to + 1u;
    plan[list + 4u * to] = row;
  }
  for (var b = places; b < met; b++) {
    count[b] = 0u;
  }
}

// Begin, end and pieces of the rows listed up to rows_end, then the sources of ids[first .. end).
fn place_sources(first: u32, end: u32, base: u32, own: u32, rows_end: u32) {
  var begin = 0u;
  var pieces = 0u;
  for (var at = base + header_words; at < rows_end; at += 4u) {
    let row = plan[at];
    let stop = begin + count[own + row];
    count[own + row] = base + dims.sources_at + begin;
    plan[at + 1u] = begin;
    plan[at + 2u] = stop;
    plan[at + 3u] = pieces;
    if (stop - begin > piece_length) {
      for (var start = begin; start < stop; start += piece_length) {
        plan[base + dims.pieces_at + 2u * pieces] = start;
        plan[base + dims.pieces_at + 2u * pieces + 1u] = min(start + piece_length, stop);
        pieces++;
      }
    }
    begin = stop;
  }
  plan[base + 1u] = pieces;
  if (dims.skip_padding != 0u) {
    count[own] = base + dims.sources_at + begin;
  }
  var example = 0u;
  for (var at = first; at < end; at += dims.per) {
    let last = min(at + dims.per, end);
    var source = example;
    for (var p = at; p < last; p++) {
      let row = ids[p];
      // Padding is written behind the last source, where there is room as it is none itself: a branch would be mispredicted.
      let to = count[own + row];
      count[own + row] = to + select(dims.skip_padding ^ 1u, 1u, row != 0u);
      plan[to] = source;
      source++;
    }
    example += 1u << dims.source_bits;
  }
  for (var at = base + header_words; at < rows_end; at += 4u) {
    count[own + plan[at]] = 0u;
  }
  count[own] = 0u;
}

// One invocation: all ids.
@compute @workgroup_size(1)
fn segment_plan_rows() {
  for (var p = 0u; p < dims.ids; p++) {
    if (ids[p] >= dims.table_rows) {
      plan[0] = no_row;
      plan[1] = p;
      return;
    }
  }
  plan[0] = (list_rows(0u, dims.ids, 0u, 0u) - header_words) / 4u;
}

// One invocation: all listed rows, then all ids.
@compute @workgroup_size(1)
fn segment_plan_sources() {
  place_sources(0u, dims.ids, 0u, 0u, header_words + 4u * plan[0]);
}

// One invocation: the steps of a chunk that lie a grid apart, with counters of its own.
@compute @workgroup_size(1)
fn segment_plan_steps(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let own = id.x * dims.lane;
  for (var step = id.x; step * chunk.batch < chunk.rows; step += groups.x) {
    let first = step * dims.capacity * dims.width;
    let end = first + min(chunk.batch, chunk.rows - step * chunk.batch) * dims.width;
    let base = step * dims.stride;
    let rows_end = list_rows(first, end, base, own);
    plan[base] = (rows_end - base - header_words) / 4u;
    if (dims.buckets != 0u) {
      order_rows(base + header_words, rows_end, own);
    }
    place_sources(first, end, base, own, rows_end);
  }
}

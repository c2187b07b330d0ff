// Groups the ids of a step by row in the block that engine/segments.ts describes. One invocation does all: for a CPU
// that prepares the steps of a device.
//   segment_plan_rows:     plan[0] = rows named by ids[0 .. n), listed as they are first met; count[row] = its sources
//   segment_plan_sources:  begin, end and pieces of the listed rows, and their sources; count = 0 again
// An id that is no row of the table ends the first with plan[0] = no_row and plan[1] = where it is.

struct Dims {
  ids: u32,
  table_rows: u32,
  per: u32,
  source_bits: u32,
  skip_padding: u32,
  pieces_at: u32,
  sources_at: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read_write> count: array<u32>;
@group(0) @binding(3) var<storage, read_write> plan: array<u32>;

const header_words = 4u;
const piece_length = 64u;
const no_row = 0xffffffffu;

// One invocation: all ids.
@compute @workgroup_size(1)
fn segment_plan_rows() {
  var at = header_words;
  // Padding counts as met before, so that it is not listed.
  count[0] = dims.skip_padding;
  for (var p = 0u; p < dims.ids; p++) {
    let row = ids[p];
    if (row >= dims.table_rows) {
      plan[0] = no_row;
      plan[1] = p;
      return;
    }
    let before = count[row];
    count[row] = before + 1u;
    // Every row is written and a new one kept: whether it is new is a coin toss that a branch would mispredict.
    plan[at] = row;
    at += select(0u, 4u, before == 0u);
  }
  plan[0] = (at - header_words) / 4u;
}

// One invocation: all listed rows, then all ids.
@compute @workgroup_size(1)
fn segment_plan_sources() {
  let rows_end = header_words + 4u * plan[0];
  var begin = 0u;
  var pieces = 0u;
  for (var at = header_words; at < rows_end; at += 4u) {
    let row = plan[at];
    let end = begin + count[row];
    count[row] = dims.sources_at + begin;
    plan[at + 1u] = begin;
    plan[at + 2u] = end;
    plan[at + 3u] = pieces;
    if (end - begin > piece_length) {
      for (var start = begin; start < end; start += piece_length) {
        plan[dims.pieces_at + 2u * pieces] = start;
        plan[dims.pieces_at + 2u * pieces + 1u] = min(start + piece_length, end);
        pieces++;
      }
    }
    begin = end;
  }
  plan[1] = pieces;
  var example = 0u;
  for (var first = 0u; first < dims.ids; first += dims.per) {
    let last = min(first + dims.per, dims.ids);
    var source = example;
    for (var p = first; p < last; p++) {
      let row = ids[p];
      if (row != 0u || dims.skip_padding == 0u) {
        let at = count[row];
        count[row] = at + 1u;
        plan[at] = source;
      }
      source++;
    }
    example += 1u << dims.source_bits;
  }
  for (var at = header_words; at < rows_end; at += 4u) {
    count[plan[at]] = 0u;
  }
  count[0] = 0u;
}

// Sums rows of a gradient by the row of the table that they belong to, in the fixed order of segments.ts.
//   g[i,:] = Σ source[s,:] over the sources s of the i-th row of the step's block; with dims.in_table g[row of i,:]
// A row with more than 64 sources is summed from pieces of 64, made first.
//   segment_sum_pieces:   partials[j,:] = Σ of piece j
//   segment_sum_rows:     g[i,:], zero behind the last row if dims.clear is set
// A source says an example and a position in it; the gradient has example_rows rows of each example.
// _vec4 entries are for widths of whole vec4s; width is then counted in vec4s.

struct Dims {
  width: u32,
  stride: u32,
  max_rows: u32,
  max_pieces: u32,
  example_bits: u32,
  example_rows: u32,
  position_mask: u32, // 0 where the ids of an example share a row
  clear: u32,
  in_table: u32,
}

// Beginning of State in step.wgsl.
struct State {
  step: u32,
  cursor: u32,
}

struct Row {
  row: u32,
  begin: u32,
  end: u32,
  first_piece: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> segments: array<u32>;
@group(0) @binding(2) var<storage, read> state: State;
@group(0) @binding(3) var<storage, read> source: array<f32>;
@group(0) @binding(3) var<storage, read> source4: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> partials: array<f32>;
@group(0) @binding(4) var<storage, read_write> partials4: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> g: array<f32>;
@group(0) @binding(5) var<storage, read_write> g4: array<vec4f>;

const threads = 64u;
const piece_length = 64u;
const header = 4u;

fn block_at() -> u32 {
  return state.cursor * dims.stride;
}

fn row_at(i: u32) -> Row {
  let at = block_at() + header + 4u * i;
  return Row(segments[at], segments[at + 1u], segments[at + 2u], segments[at + 3u]);
}

fn sources_at() -> u32 {
  return block_at() + header + 4u * dims.max_rows + 2u * dims.max_pieces;
}

fn source_row(s: u32) -> u32 {
  return (s >> dims.example_bits) * dims.example_rows + (s & dims.position_mask);
}

fn sum(begin: u32, end: u32, column: u32) -> f32 {
  let at = sources_at();
  var total = 0.0;
  for (var k = begin; k < end; k++) {
    total += source[source_row(segments[at + k]) * dims.width + column];
  }
  return total;
}

fn sum4(begin: u32, end: u32, column: u32) -> vec4f {
  let at = sources_at();
  var total = vec4f();
  for (var k = begin; k < end; k++) {
    total += source4[source_row(segments[at + k]) * dims.width + column];
  }
  return total;
}

fn row_sum(row: Row, column: u32) -> f32 {
  if (row.end - row.begin <= piece_length) {
    return sum(row.begin, row.end, column);
  }
  let pieces = (row.end - row.begin + piece_length - 1u) / piece_length;
  var total = 0.0;
  for (var j = row.first_piece; j < row.first_piece + pieces; j++) {
    total += partials[j * dims.width + column];
  }
  return total;
}

fn row_sum4(row: Row, column: u32) -> vec4f {
  if (row.end - row.begin <= piece_length) {
    return sum4(row.begin, row.end, column);
  }
  let pieces = (row.end - row.begin + piece_length - 1u) / piece_length;
  var total = vec4f();
  for (var j = row.first_piece; j < row.first_piece + pieces; j++) {
    total += partials4[j * dims.width + column];
  }
  return total;
}

// One invocation: one column of one piece.
@compute @workgroup_size(threads)
fn segment_sum_pieces(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = segments[block_at() + 1u] * dims.width;
  for (var i = id.x; i < count; i += groups.x * threads) {
    let at = block_at() + header + 4u * dims.max_rows + 2u * (i / dims.width);
    partials[i] = sum(segments[at], segments[at + 1u], i % dims.width);
  }
}

// One invocation: four columns of one piece.
@compute @workgroup_size(threads)
fn segment_sum_pieces_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = segments[block_at() + 1u] * dims.width;
  for (var i = id.x; i < count; i += groups.x * threads) {
    let at = block_at() + header + 4u * dims.max_rows + 2u * (i / dims.width);
    partials4[i] = sum4(segments[at], segments[at + 1u], i % dims.width);
  }
}

// Where cell i of g goes, which is one of this row.
fn cell_of(row: Row, i: u32) -> u32 {
  return select(i, row.row * dims.width + i % dims.width, dims.in_table != 0u);
}

// One invocation: one column of one row.
@compute @workgroup_size(threads)
fn segment_sum_rows(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let rows = segments[block_at()];
  let count = select(rows, dims.max_rows, dims.clear != 0u) * dims.width;
  for (var i = id.x; i < count; i += groups.x * threads) {
    let row = i / dims.width;
    if (row < rows) {
      let named = row_at(row);
      g[cell_of(named, i)] = row_sum(named, i % dims.width);
    } else {
      g[i] = 0.0;
    }
  }
}

// One invocation: four columns of one row.
@compute @workgroup_size(threads)
fn segment_sum_rows_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let rows = segments[block_at()];
  let count = select(rows, dims.max_rows, dims.clear != 0u) * dims.width;
  for (var i = id.x; i < count; i += groups.x * threads) {
    let row = i / dims.width;
    if (row < rows) {
      let named = row_at(row);
      g4[cell_of(named, i)] = row_sum4(named, i % dims.width);
    } else {
      g4[i] = vec4f();
    }
  }
}

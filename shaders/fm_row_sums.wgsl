// Gradients of the rows that fm_table.wgsl reads, summed from dy and S[b,:] = Σ_f e[b,f,:] without a gradient of e:
//   fm_row_sums_…:         g[i,:] = Σ dy[b] · (S[b] − table[r]) over the examples b that name r, the i-th row of the step's
//                          block, zero behind the last row if dims.clear is set; with dims.in_table g[r,:]
//   fm_row_sums_…_pieces:  partials[j,:], the same over piece j of a row with more than 64 sources, made first
// fm_row_sums_pairs sums dy alone, too: first[i], or first[r], is Σ dy[b], the gradient of a weight that stands beside the
// row; the sum of a piece is behind its others, in x of one more vec4. The order of the sums is that of segments.ts.

struct Dims {
  fields: u32,
  width: u32, // vec4s of a row
  stride: u32,
  max_rows: u32,
  max_pieces: u32,
  example_bits: u32,
  clear: u32,
  in_table: u32,
}

// Beginning of State in step.wgsl.
struct State {
  step: u32,
  cursor: u32,
}

override width: u32; // dims.width, known when the pipeline is made: no division by it is left

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> table4: array<vec4f>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read> sums_forward4: array<vec4f>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read> dy4: array<vec4f>;
@group(0) @binding(5) var<storage, read> segments: array<u32>;
@group(0) @binding(6) var<storage, read> state: State;
@group(0) @binding(7) var<storage, read_write> partials4: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> g4: array<vec4f>;
@group(0) @binding(9) var<storage, read_write> first: array<f32>;

const threads = 64u;
const piece_length = 64u;
const header = 4u;

// A column of the sources in words [begin, end), all of which name the row of the table whose column is `own`.
struct Part {
  begin: u32,
  end: u32,
  column: u32,
  own: vec4f,
}

// The step's block: numbers of cells of g and of partials, and where its lists begin.
struct Lists {
  row_cells: u32,
  piece_cells: u32,
  rows: u32,
  pieces: u32,
  sources: u32,
}

fn lists_now() -> Lists {
  let base = state.cursor * dims.stride;
  let pieces = base + header + 4u * dims.max_rows;
  let sources = pieces + 2u * dims.max_pieces;
  return Lists(segments[base] * width, segments[base + 1u] * width, base + header, pieces, sources);
}

// Column i % width of piece i / width. Its row is found by its first source.
fn piece_part(lists: Lists, i: u32) -> Part {
  let at = lists.pieces + 2u * (i / width);
  let column = i % width;
  let source = segments[lists.sources + segments[at]];
  let example = source >> dims.example_bits;
  let row = ids[example * dims.fields + source - (example << dims.example_bits)];
  return Part(lists.sources + segments[at], lists.sources + segments[at + 1u], column, table4[row * width + column]);
}

// Column i % width of row i / width.
fn row_part(lists: Lists, i: u32) -> Part {
  let at = lists.rows + 4u * (i / width);
  let column = i % width;
  let own = table4[segments[at] * width + column];
  return Part(lists.sources + segments[at + 1u], lists.sources + segments[at + 2u], column, own);
}

fn pooled_sum(part: Part) -> vec4f {
  var total = vec4f();
  for (var k = part.begin; k < part.end; k++) {
    let cell = (segments[k] >> dims.example_bits) * width + part.column;
    total += dy4[cell] * (sums_forward4[cell] - part.own);
  }
  return total;
}

fn pairs_sum(part: Part) -> vec4f {
  var total = vec4f();
  for (var k = part.begin; k < part.end; k++) {
    let example = segments[k] >> dims.example_bits;
    total += dy[example] * (sums_forward4[example * width + part.column] - part.own);
  }
  return total;
}

// Σ dy over the sources in words [begin, end).
fn dy_sum(begin: u32, end: u32) -> f32 {
  var total = 0.0;
  for (var k = begin; k < end; k++) {
    total += dy[segments[k] >> dims.example_bits];
  }
  return total;
}

// Sum of a column over the pieces of a row, of which `stride` columns each are stored.
fn pieces_sum(lists: Lists, row: u32, stride: u32, column: u32) -> vec4f {
  let at = lists.rows + 4u * row;
  let begin = segments[at + 3u];
  let pieces = (segments[at + 2u] - segments[at + 1u] + piece_length - 1u) / piece_length;
  var total = vec4f();
  for (var j = begin; j < begin + pieces; j++) {
    total += partials4[j * stride + column];
  }
  return total;
}

// Where the gradient of the i-th row that the step names goes; behind the last row where it would go.
fn place_of(lists: Lists, i: u32) -> u32 {
  return select(i, segments[lists.rows + 4u * i], dims.in_table != 0u);
}

// One invocation of each pair of entries below: a column of a piece, or of a row.
@compute @workgroup_size(threads)
fn fm_row_sums_pooled_pieces(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let lists = lists_now();
  for (var i = id.x; i < lists.piece_cells; i += groups.x * threads) {
    partials4[i] = pooled_sum(piece_part(lists, i));
  }
}

@compute @workgroup_size(threads)
fn fm_row_sums_pooled(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let lists = lists_now();
  let count = select(lists.row_cells, dims.max_rows * width, dims.clear != 0u);
  for (var i = id.x; i < count; i += groups.x * threads) {
    var total = vec4f();
    if (i < lists.row_cells) {
      let part = row_part(lists, i);
      if (part.end - part.begin <= piece_length) {
        total = pooled_sum(part);
      } else {
        total = pieces_sum(lists, i / width, width, part.column);
      }
    }
    g4[place_of(lists, i / width) * width + i % width] = total;
  }
}

// The last column is that of Σ dy.
@compute @workgroup_size(threads)
fn fm_row_sums_pairs_pieces(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let lists = lists_now();
  let columns = width + 1u;
  for (var i = id.x; i < lists.piece_cells / width * columns; i += groups.x * threads) {
    let piece = i / columns;
    let column = i % columns;
    if (column < width) {
      partials4[i] = pairs_sum(piece_part(lists, piece * width + column));
    } else {
      let at = lists.pieces + 2u * piece;
      let total = dy_sum(lists.sources + segments[at], lists.sources + segments[at + 1u]);
      partials4[i] = vec4f(total, 0.0, 0.0, 0.0);
    }
  }
}

@compute @workgroup_size(threads)
fn fm_row_sums_pairs(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let lists = lists_now();
  let columns = width + 1u;
  let rows = lists.row_cells / width;
  for (var i = id.x; i < select(rows, dims.max_rows, dims.clear != 0u) * columns; i += groups.x * threads) {
    let row = i / columns;
    let column = i % columns;
    var total = vec4f();
    if (row < rows) {
      let at = lists.rows + 4u * row;
      if (segments[at + 2u] - segments[at + 1u] > piece_length) {
        total = pieces_sum(lists, row, columns, column);
      } else if (column < width) {
        total = pairs_sum(row_part(lists, row * width + column));
      } else {
        total.x = dy_sum(lists.sources + segments[at + 1u], lists.sources + segments[at + 2u]);
      }
    }
    let place = place_of(lists, row);
    if (column < width) {
      g4[place * width + column] = total;
    } else {
      first[place] = total.x;
    }
  }
}

// shaders/fm_table.wgsl for invocations that run one after the other: each has a whole example, row or piece, of which it
// sums four vec4s at a time, so that ids, sources and dy are read once for all of them and four sums are under way. The
// same entries and the same numbers.

struct Dims {
  batch: u32,
  fields: u32,
  rest: u32, // fields that are no rows
  width: u32,
  stride: u32,
  max_rows: u32,
  max_pieces: u32,
  example_bits: u32,
  clear: u32,
}

// Beginning of State in step.wgsl.
struct State {
  step: u32,
  cursor: u32,
}

override width: u32; // dims.width

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> table4: array<vec4f>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> sums4: array<vec4f>;
@group(0) @binding(5) var<storage, read> sums_forward4: array<vec4f>;
@group(0) @binding(6) var<storage, read> dy: array<f32>;
@group(0) @binding(6) var<storage, read> dy4: array<vec4f>;
@group(0) @binding(7) var<storage, read> segments: array<u32>;
@group(0) @binding(8) var<storage, read> state: State;
@group(0) @binding(9) var<storage, read_write> partials4: array<vec4f>;
@group(0) @binding(10) var<storage, read_write> g4: array<vec4f>;
@group(0) @binding(11) var<storage, read> rest4: array<vec4f>;
@group(0) @binding(12) var<storage, read_write> first: array<f32>;

const threads = 64u;
const piece_length = 64u;
const header = 4u;


// Four neighbouring vec4s.
struct Tile {
  a: vec4f,
  b: vec4f,
  c: vec4f,
  d: vec4f,
}

fn table_tile(at: u32) -> Tile {
  return Tile(table4[at], table4[at + 1u], table4[at + 2u], table4[at + 3u]);
}

fn pooled(sum: vec4f, squares: vec4f) -> vec4f {
  return 0.5 * (sum * sum - squares);
}

fn add(sum: Tile, e: Tile) -> Tile {
  return Tile(sum.a + e.a, sum.b + e.b, sum.c + e.c, sum.d + e.d);
}

fn add_squares(sum: Tile, e: Tile) -> Tile {
  return Tile(sum.a + e.a * e.a, sum.b + e.b * e.b, sum.c + e.c * e.c, sum.d + e.d * e.d);
}

// Four columns of example b from column j on: writes S, returns ½ (S² − Σ_f e²).
fn pooled_tile(b: u32, j: u32) -> Tile {
  var sum = Tile();
  var squares = Tile();
  for (var k = b * dims.fields; k < (b + 1u) * dims.fields; k++) {
    let e = table_tile(ids[k] * width + j);
    sum = add(sum, e);
    squares = add_squares(squares, e);
  }
  for (var r = b * dims.rest; r < (b + 1u) * dims.rest; r++) {
    let at = r * width + j;
    let e = Tile(rest4[at], rest4[at + 1u], rest4[at + 2u], rest4[at + 3u]);
    sum = add(sum, e);
    squares = add_squares(squares, e);
  }
  let at = b * width + j;
  sums4[at] = sum.a;
  sums4[at + 1u] = sum.b;
  sums4[at + 2u] = sum.c;
  sums4[at + 3u] = sum.d;
  return Tile(
    pooled(sum.a, squares.a), pooled(sum.b, squares.b), pooled(sum.c, squares.c), pooled(sum.d, squares.d),
  );
}

fn pooled_column(b: u32, j: u32) -> vec4f {
  var sum = vec4f();
  var squares = vec4f();
  for (var k = b * dims.fields; k < (b + 1u) * dims.fields; k++) {
    let e = table4[ids[k] * width + j];
    sum += e;
    squares += e * e;
  }
  for (var r = b * dims.rest; r < (b + 1u) * dims.rest; r++) {
    let e = rest4[r * width + j];
    sum += e;
    squares += e * e;
  }
  sums4[b * width + j] = sum;
  return pooled(sum, squares);
}

// Columns that tiles cover; the others are summed one by one.
fn tiled() -> u32 {
  return width & 0xfffffffcu;
}

// One invocation: one example, then those a grid further.
@compute @workgroup_size(threads)
fn fm_table_pooled_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    let at = b * width;
    for (var j = 0u; j < tiled(); j += 4u) {
      let part = pooled_tile(b, j);
      y4[at + j] = part.a;
      y4[at + j + 1u] = part.b;
      y4[at + j + 2u] = part.c;
      y4[at + j + 3u] = part.d;
    }
    for (var j = tiled(); j < width; j++) {
      y4[at + j] = pooled_column(b, j);
    }
  }
}

// One invocation: one example.
@compute @workgroup_size(threads)
fn fm_table_pairs_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    var total = vec4f();
    for (var j = 0u; j < tiled(); j += 4u) {
      let part = pooled_tile(b, j);
      total = total + part.a + part.b + part.c + part.d;
    }
    for (var j = tiled(); j < width; j++) {
      total += pooled_column(b, j);
    }
    y[b] = dot(total, vec4f(1.0));
  }
}

// The step's block: numbers of rows and pieces, and where its lists begin.
struct Lists {
  row_count: u32,
  piece_count: u32,
  rows: u32,
  pieces: u32,
  sources: u32,
}

fn lists_now() -> Lists {
  let base = state.cursor * dims.stride;
  let pieces = base + header + 4u * dims.max_rows;
  let sources = pieces + 2u * dims.max_pieces;
  return Lists(segments[base], segments[base + 1u], base + header, pieces, sources);
}

// The sources in words [begin, end) name a row, which lies at `own` in the table.
struct Part {
  begin: u32,
  end: u32,
  own: u32,
}

// The row of a piece is found by its first source.
fn piece_part(lists: Lists, piece: u32) -> Part {
  let at = lists.pieces + 2u * piece;
  let source = segments[lists.sources + segments[at]];
  let example = source >> dims.example_bits;
  let row = ids[example * dims.fields + source - (example << dims.example_bits)];
  return Part(lists.sources + segments[at], lists.sources + segments[at + 1u], row * width);
}

fn pooled_sum(part: Part, j: u32) -> vec4f {
  let own = table4[part.own + j];
  var total = vec4f();
  for (var k = part.begin; k < part.end; k++) {
    let at = (segments[k] >> dims.example_bits) * width + j;
    total += dy4[at] * (sums_forward4[at] - own);
  }
  return total;
}

fn pooled_sum_tile(part: Part, j: u32) -> Tile {
  let own = table_tile(part.own + j);
  var total = Tile();
  for (var k = part.begin; k < part.end; k++) {
    let at = (segments[k] >> dims.example_bits) * width + j;
    total.a += dy4[at] * (sums_forward4[at] - own.a);
    total.b += dy4[at + 1u] * (sums_forward4[at + 1u] - own.b);
    total.c += dy4[at + 2u] * (sums_forward4[at + 2u] - own.c);
    total.d += dy4[at + 3u] * (sums_forward4[at + 3u] - own.d);
  }
  return total;
}

fn pairs_sum(part: Part, j: u32) -> vec4f {
  let own = table4[part.own + j];
  var total = vec4f();
  for (var k = part.begin; k < part.end; k++) {
    let example = segments[k] >> dims.example_bits;
    total += dy[example] * (sums_forward4[example * width + j] - own);
  }
  return total;
}

fn pairs_sum_tile(part: Part, j: u32) -> Tile {
  let own = table_tile(part.own + j);
  var total = Tile();
  for (var k = part.begin; k < part.end; k++) {
    let example = segments[k] >> dims.example_bits;
    let at = example * width + j;
    let factor = vec4f(dy[example]);
    total.a += factor * (sums_forward4[at] - own.a);
    total.b += factor * (sums_forward4[at + 1u] - own.b);
    total.c += factor * (sums_forward4[at + 2u] - own.c);
    total.d += factor * (sums_forward4[at + 3u] - own.d);
  }
  return total;
}

// Σ dy.
fn dy_sum(part: Part) -> f32 {
  var total = 0.0;
  for (var k = part.begin; k < part.end; k++) {
    total += dy[segments[k] >> dims.example_bits];
  }
  return total;
}

fn store_partials(at: u32, tile: Tile) {
  partials4[at] = tile.a;
  partials4[at + 1u] = tile.b;
  partials4[at + 2u] = tile.c;
  partials4[at + 3u] = tile.d;
}

fn store_rows(at: u32, tile: Tile) {
  g4[at] = tile.a;
  g4[at + 1u] = tile.b;
  g4[at + 2u] = tile.c;
  g4[at + 3u] = tile.d;
}

// One invocation of each pair of entries below: a piece, or a row.
@compute @workgroup_size(threads)
fn fm_table_pooled_pieces(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let lists = lists_now();
  for (var i = id.x; i < lists.piece_count; i += groups.x * threads) {
    let part = piece_part(lists, i);
    for (var j = 0u; j < tiled(); j += 4u) {
      store_partials(i * width + j, pooled_sum_tile(part, j));
    }
    for (var j = tiled(); j < width; j++) {
      partials4[i * width + j] = pooled_sum(part, j);
    }
  }
}

@compute @workgroup_size(threads)
fn fm_table_pairs_pieces(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let lists = lists_now();
  for (var i = id.x; i < lists.piece_count; i += groups.x * threads) {
    let part = piece_part(lists, i);
    let own = i * (width + 1u);
    for (var j = 0u; j < tiled(); j += 4u) {
      store_partials(own + j, pairs_sum_tile(part, j));
    }
    for (var j = tiled(); j < width; j++) {
      partials4[own + j] = pairs_sum(part, j);
    }
    partials4[own + width] = vec4f(dy_sum(part), 0.0, 0.0, 0.0);
  }
}

// Sources of row i; none behind the last.
fn source_count(lists: Lists, i: u32) -> u32 {
  let at = lists.rows + 4u * i;
  return select(0u, segments[at + 2u] - segments[at + 1u], i < lists.row_count);
}

// Column j of the sum over the pieces of a row of so many sources, of which `stride` columns each are stored.
fn pieces_sum(lists: Lists, i: u32, count: u32, stride: u32, j: u32) -> vec4f {
  let begin = segments[lists.rows + 4u * i + 3u];
  let end = begin + (count + piece_length - 1u) / piece_length;
  var total = vec4f();
  for (var k = begin; k < end; k++) {
    total += partials4[k * stride + j];
  }
  return total;
}

fn row_part(lists: Lists, i: u32) -> Part {
  let at = lists.rows + 4u * i;
  return Part(lists.sources + segments[at + 1u], lists.sources + segments[at + 2u], segments[at] * width);
}

@compute @workgroup_size(threads)
fn fm_table_pooled_rows(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let lists = lists_now();
  for (var i = id.x; i < select(lists.row_count, dims.max_rows, dims.clear != 0u); i += groups.x * threads) {
    let count = source_count(lists, i);
    if (count == 0u || count > piece_length) {
      for (var j = 0u; j < width; j++) {
        g4[i * width + j] = pieces_sum(lists, i, count, width, j);
      }
    } else {
      let part = row_part(lists, i);
      for (var j = 0u; j < tiled(); j += 4u) {
        store_rows(i * width + j, pooled_sum_tile(part, j));
      }
      for (var j = tiled(); j < width; j++) {
        g4[i * width + j] = pooled_sum(part, j);
      }
    }
  }
}

@compute @workgroup_size(threads)
fn fm_table_pairs_rows(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let lists = lists_now();
  for (var i = id.x; i < select(lists.row_count, dims.max_rows, dims.clear != 0u); i += groups.x * threads) {
    let count = source_count(lists, i);
    if (count == 0u || count > piece_length) {
      for (var j = 0u; j < width; j++) {
        g4[i * width + j] = pieces_sum(lists, i, count, width + 1u, j);
      }
      first[i] = pieces_sum(lists, i, count, width + 1u, width).x;
    } else {
      let part = row_part(lists, i);
      for (var j = 0u; j < tiled(); j += 4u) {
        store_rows(i * width + j, pairs_sum_tile(part, j));
      }
      for (var j = tiled(); j < width; j++) {
        g4[i * width + j] = pairs_sum(part, j);
      }
      first[i] = dy_sum(part);
    }
  }
}

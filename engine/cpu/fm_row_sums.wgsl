// shaders/fm_row_sums.wgsl for invocations that run one after the other: each has a whole row or piece, of which it sums
// four vec4s at a time, so that sources and dy are read once for all of them and four sums are under way. The same entries
// and numbers.

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

override width: u32; // dims.width

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

// Columns that tiles cover; the others are summed one by one.
fn tiled() -> u32 {
  return width & 0xfffffffcu;
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

// A tile, and Σ dy.
struct Sums {
  tile: Tile,
  dy: f32,
}

fn pairs_sum_tile(part: Part, j: u32) -> Sums {
  let own = table_tile(part.own + j);
  var total = Sums();
  for (var k = part.begin; k < part.end; k++) {
    let example = segments[k] >> dims.example_bits;
    let at = example * width + j;
    let factor = vec4f(dy[example]);
    total.tile.a += factor * (sums_forward4[at] - own.a);
    total.tile.b += factor * (sums_forward4[at + 1u] - own.b);
    total.tile.c += factor * (sums_forward4[at + 2u] - own.c);
    total.tile.d += factor * (sums_forward4[at + 3u] - own.d);
    total.dy += factor.x;
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
fn fm_row_sums_pooled_pieces(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
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
fn fm_row_sums_pairs_pieces(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let lists = lists_now();
  for (var i = id.x; i < lists.piece_count; i += groups.x * threads) {
    let part = piece_part(lists, i);
    let own = i * (width + 1u);
    if (width == 4u) {
      let total = pairs_sum_tile(part, 0u);
      store_partials(own, total.tile);
      partials4[own + 4u] = vec4f(total.dy, 0.0, 0.0, 0.0);
      continue;
    }
    for (var j = 0u; j < tiled(); j += 4u) {
      store_partials(own + j, pairs_sum_tile(part, j).tile);
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

// Where the gradient of the i-th row that the step names goes; behind the last row where it would go.
fn place_of(lists: Lists, i: u32) -> u32 {
  return select(i, segments[lists.rows + 4u * i], dims.in_table != 0u);
}

@compute @workgroup_size(threads)
fn fm_row_sums_pooled(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let lists = lists_now();
  for (var i = id.x; i < select(lists.row_count, dims.max_rows, dims.clear != 0u); i += groups.x * threads) {
    let count = source_count(lists, i);
    let own = place_of(lists, i) * width;
    if (count == 0u || count > piece_length) {
      for (var j = 0u; j < width; j++) {
        g4[own + j] = pieces_sum(lists, i, count, width, j);
      }
    } else {
      let part = row_part(lists, i);
      for (var j = 0u; j < tiled(); j += 4u) {
        store_rows(own + j, pooled_sum_tile(part, j));
      }
      for (var j = tiled(); j < width; j++) {
        g4[own + j] = pooled_sum(part, j);
      }
    }
  }
}

@compute @workgroup_size(threads)
fn fm_row_sums_pairs(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let lists = lists_now();
  for (var i = id.x; i < select(lists.row_count, dims.max_rows, dims.clear != 0u); i += groups.x * threads) {
    let count = source_count(lists, i);
    let place = place_of(lists, i);
    let own = place * width;
    if (count == 0u || count > piece_length) {
      for (var j = 0u; j < width; j++) {
        g4[own + j] = pieces_sum(lists, i, count, width + 1u, j);
      }
      first[place] = pieces_sum(lists, i, count, width + 1u, width).x;
    } else if (width == 4u) {
      let total = pairs_sum_tile(row_part(lists, i), 0u);
      store_rows(own, total.tile);
      first[place] = total.dy;
    } else {
      let part = row_part(lists, i);
      for (var j = 0u; j < tiled(); j += 4u) {
        store_rows(own + j, pairs_sum_tile(part, j).tile);
      }
      for (var j = tiled(); j < width; j++) {
        g4[own + j] = pairs_sum(part, j);
      }
      first[place] = dy_sum(part);
    }
  }
}

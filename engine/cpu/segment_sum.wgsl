// shaders/segment_sum.wgsl for invocations that run one after the other: each has a whole row or piece, of which it sums
// four columns at a time, so that sources are read once for all of them and four sums are under way. The same entries and
// the same numbers.

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

fn sources_at() -> u32 {
  return block_at() + header + 4u * dims.max_rows + 2u * dims.max_pieces;
}

fn source_row(s: u32) -> u32 {
  return (s >> dims.example_bits) * dims.example_rows + (s & dims.position_mask);
}

// Columns that are summed by fours.
fn fours() -> u32 {
  return dims.width & 0xfffffffcu;
}

// What is summed: the sources in words [begin, end).
struct Part {
  begin: u32,
  end: u32,
}

fn piece_part(i: u32) -> Part {
  let at = block_at() + header + 4u * dims.max_rows + 2u * i;
  return Part(sources_at() + segments[at], sources_at() + segments[at + 1u]);
}

fn row_part(i: u32) -> Part {
  let at = block_at() + header + 4u * i;
  return Part(sources_at() + segments[at + 1u], sources_at() + segments[at + 2u]);
}

// The pieces of a row with more sources than one holds; none otherwise.
fn pieces_of(i: u32) -> Part {
  let at = block_at() + header + 4u * i;
  let count = segments[at + 2u] - segments[at + 1u];
  let first = segments[at + 3u];
  return Part(first, first + select(0u, (count + piece_length - 1u) / piece_length, count > piece_length));
}

fn sum(part: Part, column: u32) -> f32 {
  var total = 0.0;
  for (var k = part.begin; k < part.end; k++) {
    total += source[source_row(segments[k]) * dims.width + column];
  }
  return total;
}

// Four columns of floats.
fn sum_of_four(part: Part, column: u32) -> vec4f {
  var total = vec4f();
  for (var k = part.begin; k < part.end; k++) {
    let at = source_row(segments[k]) * dims.width + column;
    total += vec4f(source[at], source[at + 1u], source[at + 2u], source[at + 3u]);
  }
  return total;
}

fn sum4(part: Part, column: u32) -> vec4f {
  var total = vec4f();
  for (var k = part.begin; k < part.end; k++) {
    total += source4[source_row(segments[k]) * dims.width + column];
  }
  return total;
}

// Four neighbouring vec4s.
struct Tile {
  a: vec4f,
  b: vec4f,
  c: vec4f,
  d: vec4f,
}

fn sum4_of_four(part: Part, column: u32) -> Tile {
  var total = Tile();
  for (var k = part.begin; k < part.end; k++) {
    let at = source_row(segments[k]) * dims.width + column;
    total.a += source4[at];
    total.b += source4[at + 1u];
    total.c += source4[at + 2u];
    total.d += source4[at + 3u];
  }
  return total;
}

// One invocation: one piece.
@compute @workgroup_size(threads)
fn segment_sum_pieces(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = segments[block_at() + 1u];
  for (var i = id.x; i < count; i += groups.x * threads) {
    let part = piece_part(i);
    let own = i * dims.width;
    for (var j = 0u; j < fours(); j += 4u) {
      let total = sum_of_four(part, j);
      partials[own + j] = total.x;
      partials[own + j + 1u] = total.y;
      partials[own + j + 2u] = total.z;
      partials[own + j + 3u] = total.w;
    }
    for (var j = fours(); j < dims.width; j++) {
      partials[own + j] = sum(part, j);
    }
  }
}

// One invocation: one piece.
@compute @workgroup_size(threads)
fn segment_sum_pieces_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = segments[block_at() + 1u];
  for (var i = id.x; i < count; i += groups.x * threads) {
    let part = piece_part(i);
    let own = i * dims.width;
    for (var j = 0u; j < fours(); j += 4u) {
      let total = sum4_of_four(part, j);
      partials4[own + j] = total.a;
      partials4[own + j + 1u] = total.b;
      partials4[own + j + 2u] = total.c;
      partials4[own + j + 3u] = total.d;
    }
    for (var j = fours(); j < dims.width; j++) {
      partials4[own + j] = sum4(part, j);
    }
  }
}

// Where the i-th row that the step names begins in g.
fn place_of(i: u32) -> u32 {
  return select(i, segments[block_at() + header + 4u * i], dims.in_table != 0u) * dims.width;
}

// The sum of pieces, if there are any, goes to g from `own` on.
fn add_pieces(own: u32, pieces: Part) {
  for (var j = 0u; j < dims.width; j++) {
    var total = 0.0;
    for (var k = pieces.begin; k < pieces.end; k++) {
      total += partials[k * dims.width + j];
    }
    g[own + j] = total;
  }
}

fn add_pieces4(own: u32, pieces: Part) {
  for (var j = 0u; j < dims.width; j++) {
    var total = vec4f();
    for (var k = pieces.begin; k < pieces.end; k++) {
      total += partials4[k * dims.width + j];
    }
    g4[own + j] = total;
  }
}

// One invocation: one row.
@compute @workgroup_size(threads)
fn segment_sum_rows(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let rows = segments[block_at()];
  let count = select(rows, dims.max_rows, dims.clear != 0u);
  for (var i = id.x; i < count; i += groups.x * threads) {
    let own = place_of(i);
    if (i >= rows) {
      add_pieces(own, Part());
    } else {
      let pieces = pieces_of(i);
      if (pieces.begin < pieces.end) {
        add_pieces(own, pieces);
      } else {
        let part = row_part(i);
        for (var j = 0u; j < fours(); j += 4u) {
          let total = sum_of_four(part, j);
          g[own + j] = total.x;
          g[own + j + 1u] = total.y;
          g[own + j + 2u] = total.z;
          g[own + j + 3u] = total.w;
        }
        for (var j = fours(); j < dims.width; j++) {
          g[own + j] = sum(part, j);
        }
      }
    }
  }
}

// One invocation: one row.
@compute @workgroup_size(threads)
fn segment_sum_rows_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let rows = segments[block_at()];
  let count = select(rows, dims.max_rows, dims.clear != 0u);
  for (var i = id.x; i < count; i += groups.x * threads) {
    let own = place_of(i);
    if (i >= rows) {
      add_pieces4(own, Part());
    } else {
      let pieces = pieces_of(i);
      if (pieces.begin < pieces.end) {
        add_pieces4(own, pieces);
      } else {
        let part = row_part(i);
        for (var j = 0u; j < fours(); j += 4u) {
          let total = sum4_of_four(part, j);
          g4[own + j] = total.a;
          g4[own + j + 1u] = total.b;
          g4[own + j + 2u] = total.c;
          g4[own + j + 3u] = total.d;
        }
        for (var j = fours(); j < dims.width; j++) {
          g4[own + j] = sum4(part, j);
        }
      }
    }
  }
}

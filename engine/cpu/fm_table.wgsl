// shaders/fm_table.wgsl for invocations that run one after the other: four vec4s of an example are summed at a time, so
// that its ids are read once for all of them and four sums are under way. The same entries and numbers.

struct Dims {
  batch: u32,
  fields: u32,
  rest: u32, // fields that are no rows
  width: u32,
}

override width: u32; // dims.width

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> table4: array<vec4f>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> sums4: array<vec4f>;
@group(0) @binding(5) var<storage, read> rest4: array<vec4f>;

const threads = 64u;

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
    if (width == 4u) {
      let part = pooled_tile(b, 0u);
      y[b] = dot(part.a + part.b + part.c + part.d, vec4f(1.0));
      continue;
    }
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

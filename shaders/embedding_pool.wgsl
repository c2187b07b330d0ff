// Pooled rows of sequences, ids [B,L]:
//   y[b,:] = Σ_l table[ids[b,l],:], divided by their count + 1e-8 if dims.mean is set; without ids 0 if dims.padded is
//   share[b,:] = dy[b,:] / (count + 1e-8), the gradient of each row that took part; summed by segment_sum.wgsl
// _vec4 entries are for widths of whole vec4s; width is then counted in vec4s.

struct Dims {
  batch: u32,
  length: u32,
  width: u32,
  mean: u32,
  padded: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> table: array<f32>;
@group(0) @binding(1) var<storage, read> table4: array<vec4f>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read> dy4: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> share: array<f32>;
@group(0) @binding(5) var<storage, read_write> share4: array<vec4f>;

const threads = 64u;

// Whether an id takes part.
fn counts(row: u32) -> bool {
  return row != 0u || dims.padded == 0u;
}

// What a sum over the ids of sequence b is divided by for their mean.
fn divisor(b: u32) -> f32 {
  var count = 0u;
  for (var l = b * dims.length; l < (b + 1u) * dims.length; l++) {
    count += select(0u, 1u, counts(ids[l]));
  }
  return f32(count) + 1e-8;
}

// Four columns of the sum over sequence b, from `column` on: each id is read once for all of them.
fn total_of_four(b: u32, column: u32) -> vec4f {
  var total = vec4f();
  for (var l = b * dims.length; l < (b + 1u) * dims.length; l++) {
    let row = ids[l];
    if (counts(row)) {
      let at = row * dims.width + column;
      total += vec4f(table[at], table[at + 1u], table[at + 2u], table[at + 3u]);
    }
  }
  return total;
}

fn total(b: u32, column: u32) -> f32 {
  var total = 0.0;
  if (dims.padded == 0u) {
    for (var l = b * dims.length; l < (b + 1u) * dims.length; l++) {
      total += table[ids[l] * dims.width + column];
    }
    return total;
  }
  // Whether an id is padding is a coin toss that a branch would mispredict.
  for (var l = b * dims.length; l < (b + 1u) * dims.length; l++) {
    let row = ids[l];
    total += select(0.0, table[row * dims.width + column], row != 0u);
  }
  return total;
}

// One invocation: one sequence, then those a grid further; columns are a loop, as divisions would cost more.
@compute @workgroup_size(threads)
fn embedding_pool_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    var by = 1.0;
    if (dims.mean != 0u) {
      by = divisor(b);
    }
    let own = b * dims.width;
    if (dims.width == 1u) {
      y[b] = total(b, 0u) / by;
      continue;
    }
    let fours = dims.width & 0xfffffffcu;
    for (var j = 0u; j < fours; j += 4u) {
      let sums = total_of_four(b, j) / by;
      y[own + j] = sums.x;
      y[own + j + 1u] = sums.y;
      y[own + j + 2u] = sums.z;
      y[own + j + 3u] = sums.w;
    }
    for (var j = fours; j < dims.width; j++) {
      y[own + j] = total(b, j) / by;
    }
  }
}

// One invocation: one sequence.
@compute @workgroup_size(threads)
fn embedding_pool_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    let by = divisor(b);
    for (var i = b * dims.width; i < (b + 1u) * dims.width; i++) {
      share[i] = dy[i] / by;
    }
  }
}

fn total4(b: u32, column: u32) -> vec4f {
  var total = vec4f();
  for (var l = b * dims.length; l < (b + 1u) * dims.length; l++) {
    let row = ids[l];
    if (counts(row)) {
      total += table4[row * dims.width + column];
    }
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

fn total4_of_four(b: u32, column: u32) -> Tile {
  var total = Tile();
  for (var l = b * dims.length; l < (b + 1u) * dims.length; l++) {
    let row = ids[l];
    if (counts(row)) {
      let at = row * dims.width + column;
      total.a += table4[at];
      total.b += table4[at + 1u];
      total.c += table4[at + 2u];
      total.d += table4[at + 3u];
    }
  }
  return total;
}

fn store_four(at: u32, total: Tile, by: f32) {
  y4[at] = total.a / by;
  y4[at + 1u] = total.b / by;
  y4[at + 2u] = total.c / by;
  y4[at + 3u] = total.d / by;
}

// One invocation: one sequence, then those a grid further; columns are a loop, as divisions would cost more.
@compute @workgroup_size(threads)
fn embedding_pool_forward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    var by = 1.0;
    if (dims.mean != 0u) {
      by = divisor(b);
    }
    let own = b * dims.width;
    if (dims.width == 4u) {
      store_four(own, total4_of_four(b, 0u), by);
      continue;
    }
    let fours = dims.width & 0xfffffffcu;
    for (var j = 0u; j < fours; j += 4u) {
      store_four(own + j, total4_of_four(b, j), by);
    }
    for (var j = fours; j < dims.width; j++) {
      y4[own + j] = total4(b, j) / by;
    }
  }
}

// One invocation: one sequence.
@compute @workgroup_size(threads)
fn embedding_pool_backward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    let by = divisor(b);
    for (var i = b * dims.width; i < (b + 1u) * dims.width; i++) {
      share4[i] = dy4[i] / by;
    }
  }
}

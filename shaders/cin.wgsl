// A layer of xDeepFM's compressed interaction network. x [rows,channels,D], of which the first H = hidden channels are
// read, e [rows,fields,D], w [outputs,H·fields], b [outputs]; k = h · fields + m counts the products of x_h and e_m:
//   y[r,o] = b[o] + Σ_m e[r,m] ⊙ Σ_h w[o,k] · x[r,h]                   y [rows,outputs,D]
//   dx[r,h] = Σ_m e[r,m] ⊙ g[r,k]      de[r,m] = Σ_h x[r,h] ⊙ g[r,k]   g[r,k] = Σ_o w[o,k] · dy[r,o]
//   dw[o,k] = Σ_r ⟨dy[r,o], x[r,h] ⊙ e[r,m]⟩                           db[o] = Σ_r Σ_d dy[r,o,d]
// D is `width` whole vec4s; a column is one of these of one row. The sums over h, o and the rows are products of two
// matrices, which are packed first, so that a tile reads memory in order: the left one in panels of 4 numbers a step, the
// right one in pairs of vec4s. What is beyond an edge repeats something valid and is left out.
//   cin_pack_weights    panels of 4 outputs, steps of h; or of 4 h, steps of outputs        [panel][field][step]
//   cin_pack_columns    pairs of columns, a channel a step                                  [pair][step]
//   cin_pack_dy         panels of 4 outputs, a step for each row and d                      [panel][step]
//   cin_pack_products   pairs of 4 products, a step for each row and d                      [pair][step]
// The last two hold some rows at a time, from `first` on: the products of all rows are never in memory.

struct Dims {
  rows: u32,
  width: u32,
  channels: u32,
  fields: u32,
  hidden: u32,
  outputs: u32,
  steps: u32,
  step_stride: u32,
  cols: u32,
  col_stride: u32,
  count: u32,
  first: u32,
  per_split: u32,
  splits: u32,
  stride: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x4: array<vec4f>;
@group(0) @binding(2) var<storage, read> e4: array<vec4f>;
@group(0) @binding(3) var<storage, read> w: array<f32>;
@group(0) @binding(4) var<storage, read> b: array<f32>;
@group(0) @binding(5) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(6) var<storage, read> dy4: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> dx4: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> de4: array<vec4f>;
@group(0) @binding(9) var<storage, read_write> packed4: array<vec4f>;
@group(0) @binding(10) var<storage, read> panels: array<f32>;
@group(0) @binding(11) var<storage, read> pairs4: array<vec4f>;
@group(0) @binding(12) var<storage, read_write> parts4: array<vec4f>;
@group(0) @binding(12) var<storage, read> parts: array<f32>;
@group(0) @binding(13) var<storage, read_write> total: array<f32>;

const threads = 64u;
// Rows that an invocation packs: enough to outweigh finding the products.
const span = 8u;

// Sums of products of 4 rows with one vec4, and with the next one.
struct Tile {
  p0: vec4f,
  p1: vec4f,
  p2: vec4f,
  p3: vec4f,
  q0: vec4f,
  q1: vec4f,
  q2: vec4f,
  q3: vec4f,
}

// A tile over so many steps: of a panel of the left matrix, which is 4 numbers a step, and a pair of the right one.
fn product(panel: u32, pair: u32, steps: u32) -> Tile {
  var t = Tile();
  for (var i = 0u; i < steps; i++) {
    let p = pairs4[pair + 2u * i];
    let q = pairs4[pair + 2u * i + 1u];
    let a0 = vec4f(panels[panel + 4u * i]);
    t.p0 += a0 * p;
    t.q0 += a0 * q;
    let a1 = vec4f(panels[panel + 4u * i + 1u]);
    t.p1 += a1 * p;
    t.q1 += a1 * q;
    let a2 = vec4f(panels[panel + 4u * i + 2u]);
    t.p2 += a2 * p;
    t.q2 += a2 * q;
    let a3 = vec4f(panels[panel + 4u * i + 3u]);
    t.p3 += a3 * p;
    t.q3 += a3 * q;
  }
  return t;
}

// Where a column of a tensor with so many channels is in channel 0.
fn at(column: u32, channels: u32) -> u32 {
  return column / dims.width * channels * dims.width + column % dims.width;
}

// One invocation: 4 weights, then those a grid further.
@compute @workgroup_size(threads)
fn cin_pack_weights(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let panel = i / (dims.steps * dims.fields);
    let c = min(4u * panel + vec4u(0u, 1u, 2u, 3u), vec4u(dims.cols - 1u)) * dims.col_stride;
    let k = i % dims.steps * dims.step_stride + i / dims.steps % dims.fields;
    packed4[i] = vec4f(w[c.x + k], w[c.y + k], w[c.z + k], w[c.w + k]);
  }
}

// One invocation: a pair of columns.
@compute @workgroup_size(threads)
fn cin_pack_columns(@builtin(global_invocation_id) id: vec3u) {
  let column = 2u * id.x;
  if (column >= dims.rows * dims.width) {
    return;
  }
  let p = at(column, dims.channels);
  let q = at(min(column + 1u, dims.rows * dims.width - 1u), dims.channels);
  let to = column * dims.steps;
  for (var i = 0u; i < dims.steps; i++) {
    packed4[to + 2u * i] = x4[p + i * dims.width];
    packed4[to + 2u * i + 1u] = x4[q + i * dims.width];
  }
}

// Writes those of 4 outputs of a column that there are, with their bias.
fn store_outputs(o: u32, y_at: u32, s0: vec4f, s1: vec4f, s2: vec4f, s3: vec4f) {
  let s = array<vec4f, 4>(s0, s1, s2, s3);
  for (var j = 0u; j < 4u; j++) {
    if (o + j < dims.outputs) {
      y4[y_at + (o + j) * dims.width] = b[o + j] + s[j];
    }
  }
}

// One invocation: 4 outputs of 2 columns. A workgroup takes 128 columns of 4 outputs; the outputs of these columns come
// first, so that both operands stay in the caches.
@compute @workgroup_size(threads)
fn cin_forward(@builtin(global_invocation_id) id: vec3u) {
  let first = 2u * (id.z * threads + id.x);
  if (first >= dims.rows * dims.width) {
    return;
  }
  let second = min(first + 1u, dims.rows * dims.width - 1u);
  var s = Tile();
  let e_left = at(first, dims.fields);
  let e_right = at(second, dims.fields);
  for (var m = 0u; m < dims.fields; m++) {
    let t = product(4u * (id.y * dims.fields + m) * dims.hidden, first * dims.hidden, dims.hidden);
    let p = e4[e_left + m * dims.width];
    let q = e4[e_right + m * dims.width];
    s.p0 += p * t.p0;
    s.p1 += p * t.p1;
    s.p2 += p * t.p2;
    s.p3 += p * t.p3;
    s.q0 += q * t.q0;
    s.q1 += q * t.q1;
    s.q2 += q * t.q2;
    s.q3 += q * t.q3;
  }
  store_outputs(4u * id.y, at(first, dims.outputs), s.p0, s.p1, s.p2, s.p3);
  if (second != first) {
    store_outputs(4u * id.y, at(second, dims.outputs), s.q0, s.q1, s.q2, s.q3);
  }
}

// Sets dx and de of a column to 0.
fn clear(x_at: u32, e_at: u32) {
  for (var c = 0u; c < dims.channels; c++) {
    dx4[x_at + c * dims.width] = vec4f();
  }
  for (var m = 0u; m < dims.fields; m++) {
    de4[e_at + m * dims.width] = vec4f();
  }
}

// Adds the gradients g of 4 products of a column with one field to those of their factors.
fn add_products(h: u32, x_at: u32, e_at: u32, g0: vec4f, g1: vec4f, g2: vec4f, g3: vec4f) {
  let e = e4[e_at];
  let g = array<vec4f, 4>(g0, g1, g2, g3);
  var sum = de4[e_at];
  for (var j = 0u; j < 4u; j++) {
    if (h + j < dims.hidden) {
      let i = x_at + (h + j) * dims.width;
      dx4[i] += e * g[j];
      sum += x4[i] * g[j];
    }
  }
  de4[e_at] = sum;
}

// One invocation: dx and de of 2 columns, 4 products at a time.
@compute @workgroup_size(threads)
fn cin_backward(@builtin(global_invocation_id) id: vec3u) {
  let first = 2u * id.x;
  if (first >= dims.rows * dims.width) {
    return;
  }
  let second = min(first + 1u, dims.rows * dims.width - 1u);
  let x_left = at(first, dims.channels);
  let x_right = at(second, dims.channels);
  let e_left = at(first, dims.fields);
  let e_right = at(second, dims.fields);
  clear(x_left, e_left);
  clear(x_right, e_right);
  for (var h = 0u; h < dims.hidden; h += 4u) {
    for (var m = 0u; m < dims.fields; m++) {
      let t = product((h * dims.fields + 4u * m) * dims.outputs, first * dims.outputs, dims.outputs);
      add_products(h, x_left, e_left + m * dims.width, t.p0, t.p1, t.p2, t.p3);
      if (second != first) {
        add_products(h, x_right, e_right + m * dims.width, t.q0, t.q1, t.q2, t.q3);
      }
    }
  }
}

// Writes 4 vec4s as the columns of those at to, to + stride, ….
fn store_transposed(to: u32, stride: u32, v0: vec4f, v1: vec4f, v2: vec4f, v3: vec4f) {
  packed4[to] = vec4f(v0.x, v1.x, v2.x, v3.x);
  packed4[to + stride] = vec4f(v0.y, v1.y, v2.y, v3.y);
  packed4[to + 2u * stride] = vec4f(v0.z, v1.z, v2.z, v3.z);
  packed4[to + 3u * stride] = vec4f(v0.w, v1.w, v2.w, v3.w);
}

// One invocation: 4 outputs of a row.
@compute @workgroup_size(threads)
fn cin_pack_dy(@builtin(global_invocation_id) id: vec3u) {
  let last = dims.outputs - 1u;
  if (4u * id.x > last) {
    return;
  }
  let row = (dims.first + id.y) * dims.outputs * dims.width;
  let o = row + min(4u * id.x + vec4u(0u, 1u, 2u, 3u), vec4u(last)) * dims.width;
  let to = id.x * dims.steps + 4u * id.y * dims.width;
  for (var d = 0u; d < dims.width; d++) {
    store_transposed(to + 4u * d, 1u, dy4[o.x + d], dy4[o.y + d], dy4[o.z + d], dy4[o.w + d]);
  }
}

// Where the factors of a product, of x and of e, are in row 0.
fn factors(k: u32) -> vec2u {
  let valid = min(k, dims.hidden * dims.fields - 1u);
  return vec2u(valid / dims.fields * dims.width, valid % dims.fields * dims.width);
}

// A vec4 of product k of a row that begins at `x` and `e`; the one behind the last is 1, so that its dw is db.
fn product_at(k: u32, f: vec2u, x: u32, e: u32) -> vec4f {
  return select(vec4f(1.0), x4[f.x + x] * e4[f.y + e], k < dims.hidden * dims.fields);
}

// One invocation: a span of rows of 4 products.
@compute @workgroup_size(threads)
fn cin_pack_products(@builtin(global_invocation_id) id: vec3u) {
  let k = 4u * id.x;
  if (k / 8u > dims.hidden * dims.fields / 8u) {
    return;
  }
  let f0 = factors(k);
  let f1 = factors(k + 1u);
  let f2 = factors(k + 2u);
  let f3 = factors(k + 3u);
  for (var row = span * id.y; row < min(span * id.y + span, dims.rows); row++) {
    for (var d = 0u; d < dims.width; d++) {
      let x = (dims.first + row) * dims.channels * dims.width + d;
      let e = (dims.first + row) * dims.fields * dims.width + d;
      store_transposed(
        2u * (id.x / 2u * dims.steps + 4u * (row * dims.width + d)) + id.x % 2u, 2u,
        product_at(k, f0, x, e), product_at(k + 1u, f1, x, e),
        product_at(k + 2u, f2, x, e), product_at(k + 3u, f3, x, e),
      );
    }
  }
}

// One invocation: 4 outputs × 8 products, over split id.z of the steps, added to what earlier rows gave. All outputs of
// some products come first: these products stay in the first cache, dy in the second.
@compute @workgroup_size(threads)
fn cin_backward_w(@builtin(global_invocation_id) id: vec3u) {
  let tiles = (dims.outputs + 3u) / 4u;
  if (id.x >= tiles) {
    return;
  }
  let first = id.z * dims.per_split;
  let steps = min(dims.per_split, 4u * dims.rows * dims.width - first);
  let t = product(4u * (id.x * dims.steps + first), 2u * (id.y * dims.steps + first), steps);
  let sums = array<vec4f, 8>(t.p0, t.q0, t.p1, t.q1, t.p2, t.q2, t.p3, t.q3);
  let to = 8u * (id.z * dims.stride + id.y * tiles + id.x);
  for (var i = 0u; i < 8u; i++) {
    parts4[to + i] = sums[i] + select(parts4[to + i], vec4f(), dims.first == 0u);
  }
}

// One invocation: an element of the sums of products `first` and the following `count`, then those a grid further.
@compute @workgroup_size(threads)
fn cin_sum(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count * dims.outputs; i += groups.x * threads) {
    let o = i / dims.count;
    let k = dims.first + i % dims.count;
    let part = 32u * (k / 8u * ((dims.outputs + 3u) / 4u) + o / 4u) + 8u * (o % 4u) + k % 8u;
    var sum = 0.0;
    for (var split = 0u; split < dims.splits; split++) {
      sum += parts[part + 32u * split * dims.stride];
    }
    total[i] = sum;
  }
}

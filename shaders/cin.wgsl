// A layer of xDeepFM's compressed interaction network. x [rows,channels,D], of which the first H channels are read,
// e [rows,fields,D], w [outputs,H·fields], b [outputs]:
//   y[r,o] = b[o] + Σ_k w[o,k] · x[r,h] ⊙ e[r,m]                   k = h · fields + m, y [rows,outputs,D]
//   dx[r,h] = Σ_m e[r,m] ⊙ Σ_o w[o,k] · dy[r,o]                    de[r,m] = Σ_h x[r,h] ⊙ the same
//   dw[o,k] = Σ_r ⟨dy[r,o], x[r,h] ⊙ e[r,m]⟩                       db[o] = Σ_r Σ_d dy[r,o,d]
// The products x ⊙ e are made in registers, never in memory. D is `width` whole vec4s; a column is one of these vec4s of
// one row; inner is H · fields.

struct Dims {
  rows: u32,
  width: u32,
  columns: u32,
  channels: u32,
  fields: u32,
  outputs: u32,
  inner: u32,
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
@group(0) @binding(9) var<storage, read_write> partials: array<f32>;
@group(0) @binding(9) var<storage, read> partials4: array<vec4f>;
@group(0) @binding(10) var<storage, read_write> total4: array<vec4f>;

const threads = 64u;

// Four sums of products with p, and four with q.
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

fn step(t: Tile, f0: vec4f, f1: vec4f, f2: vec4f, f3: vec4f, p: vec4f, q: vec4f) -> Tile {
  return Tile(
    t.p0 + f0 * p, t.p1 + f1 * p, t.p2 + f2 * p, t.p3 + f3 * p,
    t.q0 + f0 * q, t.q1 + f1 * q, t.q2 + f2 * q, t.q3 + f3 * q,
  );
}

// Where a column of a tensor with so many channels is in channel 0.
fn at(column: u32, channels: u32) -> u32 {
  return column / dims.width * channels * dims.width + column % dims.width;
}

// One invocation: 4 outputs of 2 columns. A workgroup takes 128 columns of 4 outputs; the outputs of these columns come
// first, so that x and e stay in the caches.
@compute @workgroup_size(threads)
fn cin_forward(@builtin(global_invocation_id) id: vec3u) {
  let first = 2u * (id.z * threads + id.x);
  if (first >= dims.columns) {
    return;
  }
  let second = min(first + 1u, dims.columns - 1u);
  let o = 4u * id.y + vec4u(0u, 1u, 2u, 3u);
  let valid = min(o, vec4u(dims.outputs - 1u));
  let r = valid * dims.inner;
  var sums = Tile(
    vec4f(b[valid.x]), vec4f(b[valid.y]), vec4f(b[valid.z]), vec4f(b[valid.w]),
    vec4f(b[valid.x]), vec4f(b[valid.y]), vec4f(b[valid.z]), vec4f(b[valid.w]),
  );
  let e_left = at(first, dims.fields);
  let e_right = at(second, dims.fields);
  let hidden = dims.inner / dims.fields;
  for (var h = 0u; h < hidden; h++) {
    let x_left = x4[at(first, dims.channels) + h * dims.width];
    let x_right = x4[at(second, dims.channels) + h * dims.width];
    let k = h * dims.fields;
    for (var m = 0u; m < dims.fields; m++) {
      let p = x_left * e4[e_left + m * dims.width];
      let q = x_right * e4[e_right + m * dims.width];
      let w0 = vec4f(w[r.x + k + m]);
      let w1 = vec4f(w[r.y + k + m]);
      let w2 = vec4f(w[r.z + k + m]);
      let w3 = vec4f(w[r.w + k + m]);
      sums = step(sums, w0, w1, w2, w3, p, q);
    }
  }
  store_outputs(at(first, dims.outputs), o, sums.p0, sums.p1, sums.p2, sums.p3);
  if (second != first) {
    store_outputs(at(second, dims.outputs), o, sums.q0, sums.q1, sums.q2, sums.q3);
  }
}

// Writes those of four outputs of a column that there are.
fn store_outputs(to: u32, o: vec4u, r0: vec4f, r1: vec4f, r2: vec4f, r3: vec4f) {
  y4[to + o.x * dims.width] = r0;
  if (o.y < dims.outputs) {
    y4[to + o.y * dims.width] = r1;
  }
  if (o.z < dims.outputs) {
    y4[to + o.z * dims.width] = r2;
  }
  if (o.w < dims.outputs) {
    y4[to + o.w * dims.width] = r3;
  }
}

// Adds the gradient g of product k of a column to those of its factors.
fn add_product(k: u32, x_at: u32, e_at: u32, g: vec4f) {
  let i = x_at + k / dims.fields * dims.width;
  let j = e_at + k % dims.fields * dims.width;
  dx4[i] += g * e4[j];
  de4[j] += g * x4[i];
}

// One invocation: dx and de of 2 columns, 4 products at a time.
@compute @workgroup_size(threads)
fn cin_backward(@builtin(global_invocation_id) id: vec3u) {
  let first = 2u * id.x;
  if (first >= dims.columns) {
    return;
  }
  let second = min(first + 1u, dims.columns - 1u);
  let x_left = at(first, dims.channels);
  let x_right = at(second, dims.channels);
  for (var c = 0u; c < dims.channels; c++) {
    dx4[x_left + c * dims.width] = vec4f();
    dx4[x_right + c * dims.width] = vec4f();
  }
  let e_left = at(first, dims.fields);
  let e_right = at(second, dims.fields);
  for (var m = 0u; m < dims.fields; m++) {
    de4[e_left + m * dims.width] = vec4f();
    de4[e_right + m * dims.width] = vec4f();
  }
  let y_left = at(first, dims.outputs);
  let y_right = at(second, dims.outputs);
  for (var k = 0u; k < dims.inner; k += 4u) {
    let c = min(k + vec4u(0u, 1u, 2u, 3u), vec4u(dims.inner - 1u));
    var sums = Tile();
    for (var o = 0u; o < dims.outputs; o++) {
      let p = dy4[y_left + o * dims.width];
      let q = dy4[y_right + o * dims.width];
      let r = o * dims.inner;
      let w0 = vec4f(w[r + c.x]);
      let w1 = vec4f(w[r + c.y]);
      let w2 = vec4f(w[r + c.z]);
      let w3 = vec4f(w[r + c.w]);
      sums = step(sums, w0, w1, w2, w3, p, q);
    }
    let p = array<vec4f, 4>(sums.p0, sums.p1, sums.p2, sums.p3);
    let q = array<vec4f, 4>(sums.q0, sums.q1, sums.q2, sums.q3);
    for (var j = 0u; j < min(4u, dims.inner - k); j++) {
      add_product(k + j, x_left, e_left, p[j]);
      if (second != first) {
        add_product(k + j, x_right, e_right, q[j]);
      }
    }
  }
}

// Writes a partial sum of dw: output o, product k.
fn store_partial(split: u32, o: u32, k: u32, sum: vec4f) {
  if (o < dims.outputs && k < dims.inner) {
    partials[split * dims.stride + o * dims.inner + k] = dot(sum, vec4f(1.0));
  }
}

// One invocation: 4 outputs × 2 products of dw, over split id.y of the rows.
@compute @workgroup_size(threads)
fn cin_backward_w(@builtin(global_invocation_id) id: vec3u) {
  let tiles = (dims.outputs + 3u) / 4u;
  let k = id.x / tiles * 2u;
  if (k >= dims.inner) {
    return;
  }
  let o = id.x % tiles * 4u + vec4u(0u, 1u, 2u, 3u);
  let y_at = min(o, vec4u(dims.outputs - 1u)) * dims.width;
  let l = min(k + 1u, dims.inner - 1u);
  var sums = Tile();
  for (var row = id.y * dims.per_split; row < min((id.y + 1u) * dims.per_split, dims.rows); row++) {
    let x_left = (row * dims.channels + k / dims.fields) * dims.width;
    let x_right = (row * dims.channels + l / dims.fields) * dims.width;
    let e_left = (row * dims.fields + k % dims.fields) * dims.width;
    let e_right = (row * dims.fields + l % dims.fields) * dims.width;
    let y = row * dims.outputs * dims.width + y_at;
    for (var d = 0u; d < dims.width; d++) {
      let p = x4[x_left + d] * e4[e_left + d];
      let q = x4[x_right + d] * e4[e_right + d];
      let dy0 = dy4[y.x + d];
      let dy1 = dy4[y.y + d];
      let dy2 = dy4[y.z + d];
      let dy3 = dy4[y.w + d];
      sums = step(sums, dy0, dy1, dy2, dy3, p, q);
    }
  }
  store_partial(id.y, o.x, k, sums.p0);
  store_partial(id.y, o.y, k, sums.p1);
  store_partial(id.y, o.z, k, sums.p2);
  store_partial(id.y, o.w, k, sums.p3);
  store_partial(id.y, o.x, k + 1u, sums.q0);
  store_partial(id.y, o.y, k + 1u, sums.q1);
  store_partial(id.y, o.z, k + 1u, sums.q2);
  store_partial(id.y, o.w, k + 1u, sums.q3);
}

// One invocation: db of one output, over split id.y of the rows.
@compute @workgroup_size(threads)
fn cin_backward_b(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= dims.outputs) {
    return;
  }
  var sum = vec4f();
  for (var row = id.y * dims.per_split; row < min((id.y + 1u) * dims.per_split, dims.rows); row++) {
    let y = (row * dims.outputs + id.x) * dims.width;
    for (var d = 0u; d < dims.width; d++) {
      sum += dy4[y + d];
    }
  }
  partials[id.y * dims.stride + id.x] = dot(sum, vec4f(1.0));
}

// One invocation: four elements, then those a grid further; stride in vec4s.
@compute @workgroup_size(threads)
fn cin_sum_partials(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.stride; i += groups.x * threads) {
    var sum = vec4f();
    for (var split = 0u; split < dims.splits; split++) {
      sum += partials4[split * dims.stride + i];
    }
    total4[i] = sum;
  }
}

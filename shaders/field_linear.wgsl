// A linear map of its own for each field, x [B,F,I], w [F,O,I] → y [B,F,O], I of whole vec4s:
//   y[b,f,:] = w[f] · x[b,f,:]      dx[b,f,:] = w[f]ᵀ · dy[b,f,:]      dw[f,o,:] = Σ_b dy[b,f,o] · x[b,f,:]
// All are products of matrices, by register tiles of 4 rows × 8 columns:
//   field_linear_pack           w in panels of 8 columns [field][panel][inner] of vec4 pairs, of which element (k,c)
//                               is w[f · inner · cols + k · inner_step + c · col_step]; the last column fills the last panel
//   field_linear_product        y [B,F,cols] = a [B,F,inner] · p: y with I inner, dx with O inner
//   field_linear_backward_w     dw, over per_split rows of the batch each
//   field_linear_sum_partials   total = Σ_splits partials [splits,stride], stride in vec4s

struct Dims {
  batch: u32,
  fields: u32,
  inner: u32,
  cols: u32,
  inner_step: u32,
  col_step: u32,
  count: u32,
  per_split: u32,
  splits: u32,
  stride: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> packed4: array<vec4f>;
@group(0) @binding(3) var<storage, read> a: array<f32>;
@group(0) @binding(4) var<storage, read> p4: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> x4: array<vec4f>;
@group(0) @binding(7) var<storage, read> dy: array<f32>;
@group(0) @binding(8) var<storage, read_write> dw4: array<vec4f>;
@group(0) @binding(9) var<storage, read> partials4: array<vec4f>;
@group(0) @binding(10) var<storage, read_write> total4: array<vec4f>;

const threads = 64u;

// One invocation: a vec4, then those a grid further.
@compute @workgroup_size(threads)
fn field_linear_pack(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let panels = (dims.cols + 7u) / 8u;
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let k = i / 2u % dims.inner;
    let panel = i / (2u * dims.inner);
    let first = 8u * (panel % panels) + 4u * (i % 2u);
    let c = min(first + vec4u(0u, 1u, 2u, 3u), vec4u(dims.cols - 1u)) * dims.col_step;
    let at = panel / panels * dims.inner * dims.cols + k * dims.inner_step;
    packed4[i] = vec4f(w[at + c.x], w[at + c.y], w[at + c.z], w[at + c.w]);
  }
}

// Writes eight columns of a row, but none beyond its edges.
fn store(row: u32, f: u32, col: u32, left: vec4f, right: vec4f) {
  if (row >= dims.batch) {
    return;
  }
  let to = (row * dims.fields + f) * dims.cols + col;
  let count = dims.cols - col;
  if (count >= 8u) {
    y[to] = left.x;
    y[to + 1u] = left.y;
    y[to + 2u] = left.z;
    y[to + 3u] = left.w;
    y[to + 4u] = right.x;
    y[to + 5u] = right.y;
    y[to + 6u] = right.z;
    y[to + 7u] = right.w;
    return;
  }
  let v = array<f32, 7>(left.x, left.y, left.z, left.w, right.x, right.y, right.z);
  for (var j = 0u; j < 7u; j++) {
    if (j < count) {
      y[to + j] = v[j];
    }
  }
}

// One invocation: 4 rows × 8 columns of a field. A workgroup takes 256 rows; the panels of all fields of these rows come
// first, so that they stay in the caches.
@compute @workgroup_size(threads)
fn field_linear_product(@builtin(global_invocation_id) id: vec3u) {
  let row = 4u * (id.z * threads + id.x);
  if (row >= dims.batch) {
    return;
  }
  let panels = (dims.cols + 7u) / 8u;
  let f = id.y / panels;
  let r = (min(row + vec4u(0u, 1u, 2u, 3u), vec4u(dims.batch - 1u)) * dims.fields + f) * dims.inner;
  let panel = 2u * id.y * dims.inner;
  var left0 = vec4f();
  var left1 = vec4f();
  var left2 = vec4f();
  var left3 = vec4f();
  var right0 = vec4f();
  var right1 = vec4f();
  var right2 = vec4f();
  var right3 = vec4f();
  for (var k = 0u; k < dims.inner; k++) {
    let p = p4[panel + 2u * k];
    let q = p4[panel + 2u * k + 1u];
    let a0 = vec4f(a[r.x + k]);
    left0 += a0 * p;
    right0 += a0 * q;
    let a1 = vec4f(a[r.y + k]);
    left1 += a1 * p;
    right1 += a1 * q;
    let a2 = vec4f(a[r.z + k]);
    left2 += a2 * p;
    right2 += a2 * q;
    let a3 = vec4f(a[r.w + k]);
    left3 += a3 * p;
    right3 += a3 * q;
  }
  let col = 8u * (id.y % panels);
  store(row, f, col, left0, right0);
  store(row + 1u, f, col, left1, right1);
  store(row + 2u, f, col, left2, right2);
  store(row + 3u, f, col, left3, right3);
}

// Writes eight inputs of a row of dw, but none beyond its edges; inner in vec4s.
fn store_w(split: u32, f: u32, o: u32, i: u32, left: vec4f, right: vec4f) {
  if (o >= dims.cols) {
    return;
  }
  let to = split * dims.stride + (f * dims.cols + o) * dims.inner + i;
  dw4[to] = left;
  if (i + 1u < dims.inner) {
    dw4[to + 1u] = right;
  }
}

// One invocation: 4 outputs × 8 inputs of a field, over split id.y of the batch; inner in vec4s, cols outputs.
@compute @workgroup_size(threads)
fn field_linear_backward_w(@builtin(global_invocation_id) id: vec3u) {
  let wide = (dims.inner + 1u) / 2u;
  let high = (dims.cols + 3u) / 4u;
  let f = id.x / (wide * high);
  if (f >= dims.fields) {
    return;
  }
  let o = 4u * (id.x / wide % high);
  let i = 2u * (id.x % wide);
  let g = f * dims.cols + min(o + vec4u(0u, 1u, 2u, 3u), vec4u(dims.cols - 1u));
  let left = f * dims.inner + i;
  let right = f * dims.inner + min(i + 1u, dims.inner - 1u);
  var left0 = vec4f();
  var left1 = vec4f();
  var left2 = vec4f();
  var left3 = vec4f();
  var right0 = vec4f();
  var right1 = vec4f();
  var right2 = vec4f();
  var right3 = vec4f();
  let first = id.y * dims.per_split;
  for (var b = first; b < min(first + dims.per_split, dims.batch); b++) {
    let p = x4[left + b * dims.fields * dims.inner];
    let q = x4[right + b * dims.fields * dims.inner];
    let row = b * dims.fields * dims.cols;
    let g0 = vec4f(dy[g.x + row]);
    left0 += g0 * p;
    right0 += g0 * q;
    let g1 = vec4f(dy[g.y + row]);
    left1 += g1 * p;
    right1 += g1 * q;
    let g2 = vec4f(dy[g.z + row]);
    left2 += g2 * p;
    right2 += g2 * q;
    let g3 = vec4f(dy[g.w + row]);
    left3 += g3 * p;
    right3 += g3 * q;
  }
  store_w(id.y, f, o, i, left0, right0);
  store_w(id.y, f, o + 1u, i, left1, right1);
  store_w(id.y, f, o + 2u, i, left2, right2);
  store_w(id.y, f, o + 3u, i, left3, right3);
}

// One invocation: a vec4 of the total; stride counts vec4s.
@compute @workgroup_size(threads)
fn field_linear_sum_partials(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= dims.stride) {
    return;
  }
  var sum = vec4f();
  for (var s = 0u; s < dims.splits; s++) {
    sum += partials4[s * dims.stride + id.x];
  }
  total4[id.x] = sum;
}

// Affine map, x [rows,inner], w [cols,inner], b [cols]:
//   y  = x·wᵀ + b        linear_forward
//   dx = dy·w            linear_backward_x
//   dw = dyᵀ·x           linear_backward_w, over per_split rows each, then linear_sum_partials
//   db = Σ_rows dy       linear_backward_b, over per_split rows each, then linear_sum_partials
// Register tiles without barriers: 4×4 for any size, 4×8 over vec4s where rows are whole vec4s. Tiles at the edge
// read a valid row again and leave out what lies outside.

struct Dims {
  rows: u32,
  inner: u32,
  cols: u32,
  per_split: u32,
  splits: u32,
  count: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> x4: array<vec4f>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> w4: array<vec4f>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read> dy4: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read_write> dx: array<f32>;
@group(0) @binding(6) var<storage, read_write> dx4: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> dw: array<f32>;
@group(0) @binding(7) var<storage, read_write> dw4: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> db: array<f32>;
@group(0) @binding(9) var<storage, read> partials: array<f32>;
@group(0) @binding(10) var<storage, read_write> total: array<f32>;

// One invocation: 4×4 of y.
@compute @workgroup_size(64)
fn linear_forward(@builtin(global_invocation_id) id: vec3u) {
  let row = 4u * id.x;
  let col = 4u * id.y;
  if (row >= dims.rows || col >= dims.cols) {
    return;
  }
  let r = min(vec4u(row) + vec4u(0u, 1u, 2u, 3u), vec4u(dims.rows - 1u)) * dims.inner;
  let c = min(vec4u(col) + vec4u(0u, 1u, 2u, 3u), vec4u(dims.cols - 1u)) * dims.inner;
  var sum: array<vec4f, 4>;
  for (var k = 0u; k < dims.inner; k++) {
    let wk = vec4f(w[c.x + k], w[c.y + k], w[c.z + k], w[c.w + k]);
    sum[0] += x[r.x + k] * wk;
    sum[1] += x[r.y + k] * wk;
    sum[2] += x[r.z + k] * wk;
    sum[3] += x[r.w + k] * wk;
  }
  for (var i = 0u; i < min(4u, dims.rows - row); i++) {
    for (var j = 0u; j < min(4u, dims.cols - col); j++) {
      y[(row + i) * dims.cols + col + j] = sum[i][j] + b[col + j];
    }
  }
}

// One invocation: 4×8 of y; inner is a multiple of 4.
@compute @workgroup_size(64)
fn linear_forward_vec4(@builtin(global_invocation_id) id: vec3u) {
  let row = 4u * id.x;
  let col = 8u * id.y;
  if (row >= dims.rows || col >= dims.cols) {
    return;
  }
  let quads = dims.inner / 4u;
  let r = min(vec4u(row) + vec4u(0u, 1u, 2u, 3u), vec4u(dims.rows - 1u)) * quads;
  let last = vec4u(dims.cols - 1u);
  let c0 = min(vec4u(col) + vec4u(0u, 1u, 2u, 3u), last) * quads;
  let c1 = min(vec4u(col) + vec4u(4u, 5u, 6u, 7u), last) * quads;
  var left: array<vec4f, 4>;
  var right: array<vec4f, 4>;
  for (var k = 0u; k < quads; k++) {
    let a0 = x4[r.x + k];
    let a1 = x4[r.y + k];
    let a2 = x4[r.z + k];
    let a3 = x4[r.w + k];
    let p = mat4x4f(w4[c0.x + k], w4[c0.y + k], w4[c0.z + k], w4[c0.w + k]);
    left[0] += a0 * p;
    left[1] += a1 * p;
    left[2] += a2 * p;
    left[3] += a3 * p;
    let q = mat4x4f(w4[c1.x + k], w4[c1.y + k], w4[c1.z + k], w4[c1.w + k]);
    right[0] += a0 * q;
    right[1] += a1 * q;
    right[2] += a2 * q;
    right[3] += a3 * q;
  }
  for (var i = 0u; i < min(4u, dims.rows - row); i++) {
    let at = (row + i) * dims.cols + col;
    for (var j = 0u; j < min(4u, dims.cols - col); j++) {
      y[at + j] = left[i][j] + b[col + j];
    }
    for (var j = 4u; j < min(8u, dims.cols - col); j++) {
      y[at + j] = right[i][j - 4u] + b[col + j];
    }
  }
}

// One invocation: 4×4 of dx.
@compute @workgroup_size(64)
fn linear_backward_x(@builtin(global_invocation_id) id: vec3u) {
  let row = 4u * id.x;
  let col = 4u * id.y;
  if (row >= dims.rows || col >= dims.inner) {
    return;
  }
  let r = min(vec4u(row) + vec4u(0u, 1u, 2u, 3u), vec4u(dims.rows - 1u)) * dims.cols;
  let c = min(vec4u(col) + vec4u(0u, 1u, 2u, 3u), vec4u(dims.inner - 1u));
  var sum: array<vec4f, 4>;
  for (var k = 0u; k < dims.cols; k++) {
    let at = k * dims.inner;
    let wk = vec4f(w[at + c.x], w[at + c.y], w[at + c.z], w[at + c.w]);
    sum[0] += dy[r.x + k] * wk;
    sum[1] += dy[r.y + k] * wk;
    sum[2] += dy[r.z + k] * wk;
    sum[3] += dy[r.w + k] * wk;
  }
  for (var i = 0u; i < min(4u, dims.rows - row); i++) {
    for (var j = 0u; j < min(4u, dims.inner - col); j++) {
      dx[(row + i) * dims.inner + col + j] = sum[i][j];
    }
  }
}

// One invocation: 4×8 of dx; inner and cols are multiples of 4.
@compute @workgroup_size(64)
fn linear_backward_x_vec4(@builtin(global_invocation_id) id: vec3u) {
  let quads = dims.inner / 4u;
  let row = 4u * id.x;
  let col = 2u * id.y;
  if (row >= dims.rows || col >= quads) {
    return;
  }
  let right_col = min(col + 1u, quads - 1u);
  let r = min(vec4u(row) + vec4u(0u, 1u, 2u, 3u), vec4u(dims.rows - 1u)) * (dims.cols / 4u);
  var left: array<vec4f, 4>;
  var right: array<vec4f, 4>;
  for (var k = 0u; k < dims.cols / 4u; k++) {
    let g0 = dy4[r.x + k];
    let g1 = dy4[r.y + k];
    let g2 = dy4[r.z + k];
    let g3 = dy4[r.w + k];
    let at = 4u * k * quads;
    let p = mat4x4f(w4[at + col], w4[at + quads + col], w4[at + 2u * quads + col], w4[at + 3u * quads + col]);
    left[0] += p * g0;
    left[1] += p * g1;
    left[2] += p * g2;
    left[3] += p * g3;
    let q = mat4x4f(
      w4[at + right_col],
      w4[at + quads + right_col],
      w4[at + 2u * quads + right_col],
      w4[at + 3u * quads + right_col],
    );
    right[0] += q * g0;
    right[1] += q * g1;
    right[2] += q * g2;
    right[3] += q * g3;
  }
  for (var i = 0u; i < min(4u, dims.rows - row); i++) {
    let at = (row + i) * quads;
    dx4[at + col] = left[i];
    dx4[at + right_col] = select(left[i], right[i], right_col != col);
  }
}

// One invocation: 4×4 of dw, over the rows of split id.z.
@compute @workgroup_size(64)
fn linear_backward_w(@builtin(global_invocation_id) id: vec3u) {
  let inner = 4u * id.x;
  let col = 4u * id.y;
  if (col >= dims.cols || inner >= dims.inner) {
    return;
  }
  let c = min(vec4u(col) + vec4u(0u, 1u, 2u, 3u), vec4u(dims.cols - 1u));
  let n = min(vec4u(inner) + vec4u(0u, 1u, 2u, 3u), vec4u(dims.inner - 1u));
  var sum: array<vec4f, 4>;
  for (var row = id.z * dims.per_split; row < min((id.z + 1u) * dims.per_split, dims.rows); row++) {
    let a = row * dims.inner;
    let g = row * dims.cols;
    let xs = vec4f(x[a + n.x], x[a + n.y], x[a + n.z], x[a + n.w]);
    sum[0] += dy[g + c.x] * xs;
    sum[1] += dy[g + c.y] * xs;
    sum[2] += dy[g + c.z] * xs;
    sum[3] += dy[g + c.w] * xs;
  }
  for (var i = 0u; i < min(4u, dims.cols - col); i++) {
    for (var j = 0u; j < min(4u, dims.inner - inner); j++) {
      dw[(id.z * dims.cols + col + i) * dims.inner + inner + j] = sum[i][j];
    }
  }
}

// One invocation: 4×8 of dw, over the rows of split id.z; inner and cols are multiples of 4.
@compute @workgroup_size(64)
fn linear_backward_w_vec4(@builtin(global_invocation_id) id: vec3u) {
  let quads = dims.inner / 4u;
  let left_at = 2u * id.x;
  let col = id.y;
  if (col >= dims.cols / 4u || left_at >= quads) {
    return;
  }
  let right_at = min(left_at + 1u, quads - 1u);
  var left: array<vec4f, 4>;
  var right: array<vec4f, 4>;
  for (var row = id.z * dims.per_split; row < min((id.z + 1u) * dims.per_split, dims.rows); row++) {
    let g = dy4[row * (dims.cols / 4u) + col];
    let p = x4[row * quads + left_at];
    let q = x4[row * quads + right_at];
    left[0] += g.x * p;
    left[1] += g.y * p;
    left[2] += g.z * p;
    left[3] += g.w * p;
    right[0] += g.x * q;
    right[1] += g.y * q;
    right[2] += g.z * q;
    right[3] += g.w * q;
  }
  for (var i = 0u; i < 4u; i++) {
    let at = (id.z * dims.cols + 4u * col + i) * quads;
    dw4[at + left_at] = left[i];
    dw4[at + right_at] = select(left[i], right[i], right_at != left_at);
  }
}

// One invocation: one column, over the rows of split id.y.
@compute @workgroup_size(64)
fn linear_backward_b(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= dims.cols) {
    return;
  }
  var sum = 0.0;
  for (var row = id.y * dims.per_split; row < min((id.y + 1u) * dims.per_split, dims.rows); row++) {
    sum += dy[row * dims.cols + id.x];
  }
  db[id.y * dims.cols + id.x] = sum;
}

// One invocation: one element, then those a grid further.
@compute @workgroup_size(64)
fn linear_sum_partials(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * 64u) {
    var sum = 0.0;
    for (var split = 0u; split < dims.splits; split++) {
      sum += partials[split * dims.count + i];
    }
    total[i] = sum;
  }
}

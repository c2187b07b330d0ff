// Label logits from class logits, z [B,K] → y [B,2]; class k counts to y[b,1] if k >= positive, else to y[b,0].
//   logit_sum: y[b,s] = Σ z[b,k]              dz[b,k] = dy[b,s]
//   prob_sum:  y[b,s] = log Σ e^z[b,k]        dz[b,k] = dy[b,s] · e^(z[b,k] − y[b,s])
// prob_sum takes four rows at once, one lane of a vec4 for each, since classes are few.

struct Dims {
  batch: u32,
  classes: u32,
  positive: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> z: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dz: array<f32>;
@group(0) @binding(5) var<storage, read> y_forward: array<f32>;

const threads = 64u;

fn side(k: u32) -> u32 {
  return select(0u, 1u, k >= dims.positive);
}

fn sum(begin: u32, end: u32) -> f32 {
  var total = 0.0;
  for (var k = begin; k < end; k++) {
    total += z[k];
  }
  return total;
}

// Where the four rows of q begin in z and y; beyond the end the last one, again.
struct Rows {
  z: vec4u,
  y: vec4u,
}

fn rows_at(q: u32) -> Rows {
  let rows = min(4u * q + vec4u(0u, 1u, 2u, 3u), vec4u(dims.batch - 1u));
  return Rows(rows * dims.classes, 2u * rows);
}

fn row_quads() -> u32 {
  return (dims.batch + 3u) / 4u;
}

fn logits(first: vec4u, k: u32) -> vec4f {
  return vec4f(z[first.x + k], z[first.y + k], z[first.z + k], z[first.w + k]);
}

fn log_sum_exp(first: vec4u, begin: u32, end: u32) -> vec4f {
  var largest = logits(first, begin);
  for (var k = begin + 1u; k < end; k++) {
    largest = max(largest, logits(first, k));
  }
  var total = vec4f();
  for (var k = begin; k < end; k++) {
    total += exp(logits(first, k) - largest);
  }
  return largest + log(total);
}

fn put_y(at: vec4u, v: vec4f) {
  y[at.x] = v.x;
  y[at.y] = v.y;
  y[at.z] = v.z;
  y[at.w] = v.w;
}

fn put_dz(at: vec4u, v: vec4f) {
  dz[at.x] = v.x;
  dz[at.y] = v.y;
  dz[at.z] = v.z;
  dz[at.w] = v.w;
}

fn read_y(at: vec4u) -> vec4f {
  return vec4f(y_forward[at.x], y_forward[at.y], y_forward[at.z], y_forward[at.w]);
}

fn read_dy(at: vec4u) -> vec4f {
  return vec4f(dy[at.x], dy[at.y], dy[at.z], dy[at.w]);
}

// One invocation: one row.
@compute @workgroup_size(threads)
fn class_aggregation_logit_sum_forward(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    let first = b * dims.classes;
    y[2u * b] = sum(first, first + dims.positive);
    y[2u * b + 1u] = sum(first + dims.positive, first + dims.classes);
  }
}

// One invocation: one row.
@compute @workgroup_size(threads)
fn class_aggregation_logit_sum_backward(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    for (var k = 0u; k < dims.classes; k++) {
      dz[b * dims.classes + k] = dy[2u * b + side(k)];
    }
  }
}

// One invocation: four rows.
@compute @workgroup_size(threads)
fn class_aggregation_prob_sum_forward(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  for (var q = id.x; q < row_quads(); q += groups.x * threads) {
    let rows = rows_at(q);
    put_y(rows.y, log_sum_exp(rows.z, 0u, dims.positive));
    put_y(rows.y + 1u, log_sum_exp(rows.z, dims.positive, dims.classes));
  }
}

// One invocation: four rows.
@compute @workgroup_size(threads)
fn class_aggregation_prob_sum_backward(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  for (var q = id.x; q < row_quads(); q += groups.x * threads) {
    let rows = rows_at(q);
    for (var k = 0u; k < dims.classes; k++) {
      let at = rows.y + side(k);
      put_dz(rows.z + k, read_dy(at) * exp(logits(rows.z, k) - read_y(at)));
    }
  }
}

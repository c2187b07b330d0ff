// Label logits from class logits, z [B,K] → y [B,2]; class k counts to y[b,1] if k >= positive, else to y[b,0].
//   logit_sum: y[b,s] = Σ z[b,k]              dz[b,k] = dy[b,s]
//   prob_sum:  y[b,s] = log Σ e^z[b,k]        dz[b,k] = dy[b,s] · e^(z[b,k] − y[b,s])

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

fn log_sum_exp(begin: u32, end: u32) -> f32 {
  var largest = z[begin];
  for (var k = begin + 1u; k < end; k++) {
    largest = max(largest, z[k]);
  }
  var total = 0.0;
  for (var k = begin; k < end; k++) {
    total += exp(z[k] - largest);
  }
  return largest + log(total);
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

// One invocation: one row.
@compute @workgroup_size(threads)
fn class_aggregation_prob_sum_forward(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    let first = b * dims.classes;
    y[2u * b] = log_sum_exp(first, first + dims.positive);
    y[2u * b + 1u] = log_sum_exp(first + dims.positive, first + dims.classes);
  }
}

// One invocation: one row.
@compute @workgroup_size(threads)
fn class_aggregation_prob_sum_backward(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    for (var k = 0u; k < dims.classes; k++) {
      let at = b * dims.classes + k;
      let logit = 2u * b + side(k);
      dz[at] = dy[logit] * exp(z[at] - y_forward[logit]);
    }
  }
}

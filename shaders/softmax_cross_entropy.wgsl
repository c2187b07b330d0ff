// Categorical cross-entropy, z [B,K], label [B]:
//   y[b] = log Σ_k e^z[b,k] − z[b,label[b]]
//   dz[b,k] = dy[b] · (softmax(z[b,:])_k − [k = label[b]])
// With the uniform distribution in place of a label:
//   y[b] = log Σ_k e^z[b,k] − Σ_k z[b,k] / K
//   dz[b,k] = dy[b] · (softmax(z[b,:])_k − 1/K)

struct Dims {
  batch: u32,
  classes: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> z: array<f32>;
@group(0) @binding(2) var<storage, read> label: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dz: array<f32>;

const threads = 64u;

struct Softmax {
  largest: f32,
  total: f32,
}

// Largest logit of a row and Σ e^(z − largest).
fn softmax(first: u32) -> Softmax {
  var largest = z[first];
  for (var k = 1u; k < dims.classes; k++) {
    largest = max(largest, z[first + k]);
  }
  var total = 0.0;
  for (var k = 0u; k < dims.classes; k++) {
    total += exp(z[first + k] - largest);
  }
  return Softmax(largest, total);
}

// One invocation: one row.
@compute @workgroup_size(threads)
fn softmax_cross_entropy_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    let first = b * dims.classes;
    let s = softmax(first);
    y[b] = log(s.total) - (z[first + label[b]] - s.largest);
  }
}

// One invocation: one row.
@compute @workgroup_size(threads)
fn softmax_cross_entropy_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    let first = b * dims.classes;
    let s = softmax(first);
    for (var k = 0u; k < dims.classes; k++) {
      let probability = exp(z[first + k] - s.largest) / s.total;
      dz[first + k] = dy[b] * (probability - select(0.0, 1.0, k == label[b]));
    }
  }
}

// One invocation: one row.
@compute @workgroup_size(threads)
fn softmax_cross_entropy_uniform_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    let first = b * dims.classes;
    let s = softmax(first);
    var below = 0.0;
    for (var k = 0u; k < dims.classes; k++) {
      below += s.largest - z[first + k];
    }
    y[b] = log(s.total) + below / f32(dims.classes);
  }
}

// One invocation: one row.
@compute @workgroup_size(threads)
fn softmax_cross_entropy_uniform_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    let first = b * dims.classes;
    let s = softmax(first);
    for (var k = 0u; k < dims.classes; k++) {
      dz[first + k] = dy[b] * (exp(z[first + k] - s.largest) / s.total - 1.0 / f32(dims.classes));
    }
  }
}

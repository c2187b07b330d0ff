// Binary cross-entropy with logits, z [B], label [B]:
//   y[b] = max(z,0) − z·label + log(1 + e^−|z|)
//   dz[b] = dy[b] · (sigmoid(z) − label)

struct Dims {
  batch: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> z: array<f32>;
@group(0) @binding(2) var<storage, read> label: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dz: array<f32>;

const threads = 64u;

// log(1 + t) for t in [0,1] as 2 atanh(t / (2 + t)): a sum of small terms, so small t keep all their digits, and
// nothing that a compiler may simplify away. s <= 1/3, so seven terms leave 2e-8.
fn log1p(t: f32) -> f32 {
  let s = t / (2.0 + t);
  let q = s * s;
  let tail = q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0 + q / 13.0)))));
  return 2.0 * (s + s * tail);
}

// One invocation: one row.
@compute @workgroup_size(threads)
fn binary_cross_entropy_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    y[b] = max(z[b], 0.0) - z[b] * f32(label[b]) + log1p(exp(-abs(z[b])));
  }
}

// One invocation: one row.
@compute @workgroup_size(threads)
fn binary_cross_entropy_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    let t = exp(-abs(z[b]));
    let sigmoid = select(t, 1.0, z[b] >= 0.0) / (1.0 + t);
    dz[b] = dy[b] * (sigmoid - f32(label[b]));
  }
}

// Binary cross-entropy with logits, z [B], label [B]:
//   y[b] = max(z,0) − z·label + log(1 + e^−|z|)
//   dz[b] = dy[b] · (sigmoid(z) − label)

struct Dims {
  quads: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> z: array<vec4f>;
@group(0) @binding(2) var<storage, read> label: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(4) var<storage, read> dy: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dz: array<vec4f>;

const threads = 64u;

// log(1 + t) for t in [0,1] as 2 atanh(t / (2 + t)): a sum of small terms, so small t keep all their digits, and
// nothing that a compiler may simplify away. s <= 1/3, so seven terms leave 2e-8.
fn log1p(t: vec4f) -> vec4f {
  let s = t / (2.0 + t);
  let q = s * s;
  let tail = q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0 + q / 13.0)))));
  return 2.0 * (s + s * tail);
}

// One invocation: a vec4 of rows, then those a grid further.
@compute @workgroup_size(threads)
fn binary_cross_entropy_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var q = id.x; q < dims.quads; q += groups.x * threads) {
    let v = z[q];
    y[q] = max(v, vec4f()) - v * vec4f(label[q]) + log1p(exp(-abs(v)));
  }
}

// One invocation: a vec4 of rows.
@compute @workgroup_size(threads)
fn binary_cross_entropy_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var q = id.x; q < dims.quads; q += groups.x * threads) {
    let t = exp(-abs(z[q]));
    let sigmoid = select(t, vec4f(1.0), z[q] >= vec4f()) / (1.0 + t);
    dz[q] = dy[q] * (sigmoid - vec4f(label[q]));
  }
}

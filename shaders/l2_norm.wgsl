// Sum of the norms of several tensors w_i, in a fixed order:
//   l2_norm_squares:   partials[i,p] = Σ_j w_i[p + j · parts]², for tensor i = index, by vec4s
//   l2_norm_forward:   norms[i] = √Σ_p partials[i,p],  y = Σ_i norms[i]
//   l2_norm_backward:  dw_i = dy · w_i / norms[i], 0 where the norm is 0

struct Dims {
  elements: u32,
  index: u32,
  parts: u32,
  count: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;
@group(0) @binding(2) var<storage, read> partials_forward: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> norms: array<f32>;
@group(0) @binding(3) var<storage, read> norms_forward: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> dy: array<f32>;
@group(0) @binding(6) var<storage, read_write> dw: array<vec4f>;

const threads = 64u;

// The q-th vec4 of w, without what lies behind its last element.
fn quad(q: u32) -> vec4f {
  let inside = vec4u(4u * q) + vec4u(0u, 1u, 2u, 3u) < vec4u(dims.elements);
  return select(vec4f(), w[q], inside);
}

// One invocation: one part.
@compute @workgroup_size(threads)
fn l2_norm_squares(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= dims.parts) {
    return;
  }
  var total = vec4f();
  for (var q = id.x; 4u * q < dims.elements; q += dims.parts) {
    let v = quad(q);
    total += v * v;
  }
  partials[dims.index * dims.parts + id.x] = total;
}

// One invocation in all.
@compute @workgroup_size(1)
fn l2_norm_forward() {
  var sum = 0.0;
  for (var i = 0u; i < dims.count; i++) {
    var total = vec4f();
    for (var p = 0u; p < dims.parts; p++) {
      total += partials_forward[i * dims.parts + p];
    }
    let norm = sqrt(dot(total, vec4f(1.0)));
    norms[i] = norm;
    sum += norm;
  }
  y[0] = sum;
}

// One invocation: a vec4 of dw, then those a grid further.
@compute @workgroup_size(threads)
fn l2_norm_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let norm = norms_forward[dims.index];
  let factor = select(0.0, dy[0] / norm, norm > 0.0);
  for (var q = id.x; 4u * q < dims.elements; q += groups.x * threads) {
    dw[q] = factor * w[q];
  }
}

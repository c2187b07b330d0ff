// Categorical cross-entropy, z [B,K], label [B]:
//   y[b] = log Σ_k e^z[b,k] − z[b,label[b]]         p[b,:] = softmax(z[b,:])
//   dz[b,k] = dy[b] · (p[b,k] − [k = label[b]])
// With the uniform distribution in place of a label:
//   y[b] = log Σ_k e^z[b,k] − Σ_k z[b,k] / K
//   dz[b,k] = dy[b] · (p[b,k] − 1/K)
// One lane of a vec4 for each of four rows, since classes are few.

struct Dims {
  batch: u32,
  classes: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> z: array<f32>;
@group(0) @binding(2) var<storage, read> label: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(4) var<storage, read> dy: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dz: array<f32>;
@group(0) @binding(6) var<storage, read_write> p: array<f32>;
@group(0) @binding(7) var<storage, read> p_forward: array<f32>;

const threads = 64u;

// Where the four rows of q begin; beyond the end the last one, again.
struct Rows {
  a: u32,
  b: u32,
  c: u32,
  d: u32,
}

fn rows_at(q: u32) -> Rows {
  let last = dims.batch - 1u;
  let a = 4u * q;
  return Rows(
    a * dims.classes,
    min(a + 1u, last) * dims.classes,
    min(a + 2u, last) * dims.classes,
    min(a + 3u, last) * dims.classes,
  );
}

fn row_quads() -> u32 {
  return (dims.batch + 3u) / 4u;
}

// Class k of the rows.
fn logits(rows: Rows, k: u32) -> vec4f {
  return vec4f(z[rows.a + k], z[rows.b + k], z[rows.c + k], z[rows.d + k]);
}

// The last row is written last by its own lane: those behind it have other labels.
fn put(rows: Rows, k: u32, v: vec4f) {
  dz[rows.d + k] = v.w;
  dz[rows.c + k] = v.z;
  dz[rows.b + k] = v.y;
  dz[rows.a + k] = v.x;
}

fn probabilities(rows: Rows, k: u32) -> vec4f {
  return vec4f(p_forward[rows.a + k], p_forward[rows.b + k], p_forward[rows.c + k], p_forward[rows.d + k]);
}

// Lanes behind the last row give the same as it.
fn keep(rows: Rows, k: u32, v: vec4f) {
  p[rows.a + k] = v.x;
  p[rows.b + k] = v.y;
  p[rows.c + k] = v.z;
  p[rows.d + k] = v.w;
}

// Divides what was kept by its sum.
fn keep_shares(rows: Rows, total: vec4f) {
  for (var k = 0u; k < dims.classes; k++) {
    keep(rows, k, vec4f(p[rows.a + k], p[rows.b + k], p[rows.c + k], p[rows.d + k]) / total);
  }
}

fn largest_of(rows: Rows) -> vec4f {
  var largest = logits(rows, 0u);
  for (var k = 1u; k < dims.classes; k++) {
    largest = max(largest, logits(rows, k));
  }
  return largest;
}

// Of every entry, one invocation: four rows, then those a grid further.
@compute @workgroup_size(threads)
fn softmax_cross_entropy_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var q = id.x; q < row_quads(); q += groups.x * threads) {
    let rows = rows_at(q);
    let largest = largest_of(rows);
    var total = vec4f();
    var chosen = vec4f();
    for (var k = 0u; k < dims.classes; k++) {
      let below = logits(rows, k) - largest;
      let e = exp(below);
      keep(rows, k, e);
      total += e;
      chosen = select(chosen, below, label[q] == vec4u(k));
    }
    keep_shares(rows, total);
    y[q] = log(total) - chosen;
  }
}

@compute @workgroup_size(threads)
fn softmax_cross_entropy_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var q = id.x; q < row_quads(); q += groups.x * threads) {
    let rows = rows_at(q);
    for (var k = 0u; k < dims.classes; k++) {
      let target_share = select(vec4f(), vec4f(1.0), label[q] == vec4u(k));
      put(rows, k, dy[q] * (probabilities(rows, k) - target_share));
    }
  }
}

@compute @workgroup_size(threads)
fn softmax_cross_entropy_uniform_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var q = id.x; q < row_quads(); q += groups.x * threads) {
    let rows = rows_at(q);
    let largest = largest_of(rows);
    var total = vec4f();
    var sum = vec4f();
    for (var k = 0u; k < dims.classes; k++) {
      let below = logits(rows, k) - largest;
      let e = exp(below);
      keep(rows, k, e);
      total += e;
      sum += below;
    }
    keep_shares(rows, total);
    y[q] = log(total) - sum / f32(dims.classes);
  }
}

@compute @workgroup_size(threads)
fn softmax_cross_entropy_uniform_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var q = id.x; q < row_quads(); q += groups.x * threads) {
    let rows = rows_at(q);
    for (var k = 0u; k < dims.classes; k++) {
      put(rows, k, dy[q] * (probabilities(rows, k) - 1.0 / f32(dims.classes)));
    }
  }
}

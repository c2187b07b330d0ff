// y = factor · x where a random number of 24 bits reaches the threshold, else 0. The gradient is the same of dy.
// The number of element 4 · q + lane is that lane of pcg4d(seed, step, stream, q), as in random.ts.

struct Dims {
  quads: u32,
  stream: u32,
  threshold: u32,
  factor: f32,
}

struct State {
  step: u32,
  cursor: u32,
  halted: u32,
  seed: u32,
  clip: f32,
  unused0: u32,
  unused1: u32,
  unused2: u32,
  schedule: array<vec4f>,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> state: State;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

const threads = 64u;

// Jarzynski and Olano, Hash Functions for GPU Rendering, JCGT 9(3), 2020.
fn pcg4d(key: vec4u) -> vec4u {
  var v = key * 1664525u + 1013904223u;
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  v ^= v >> vec4u(16u);
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  return v;
}

// One invocation: a vec4 of y, then those a grid further.
@compute @workgroup_size(threads)
fn dropout_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let seed = state.seed;
  let step = state.step;
  for (var q = id.x; q < dims.quads; q += groups.x * threads) {
    let bits = pcg4d(vec4u(seed, step, dims.stream, q)) >> vec4u(8u);
    y[q] = select(vec4f(), dims.factor * x[q], bits >= vec4u(dims.threshold));
  }
}

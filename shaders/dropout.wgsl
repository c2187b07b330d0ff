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

// The random bits of four vec4s: component `lane` of pcg4d for each of four keys whose last word is in w. Jarzynski and
// Olano, Hash Functions for GPU Rendering, JCGT 9(3), 2020.
struct Bits {
  x: vec4u,
  y: vec4u,
  z: vec4u,
  w: vec4u,
}

fn pcg4d(seed: u32, step: u32, q: vec4u) -> Bits {
  var x = vec4u(seed * 1664525u + 1013904223u);
  var y = vec4u(step * 1664525u + 1013904223u);
  var z = vec4u(dims.stream * 1664525u + 1013904223u);
  var w = q * 1664525u + 1013904223u;
  x += y * w;
  y += z * x;
  z += x * y;
  w += y * z;
  x ^= x >> vec4u(16u);
  y ^= y >> vec4u(16u);
  z ^= z >> vec4u(16u);
  w ^= w >> vec4u(16u);
  x += y * w;
  y += z * x;
  z += x * y;
  w += y * z;
  return Bits(x >> vec4u(8u), y >> vec4u(8u), z >> vec4u(8u), w >> vec4u(8u));
}

fn drop(q: u32, bits: vec4u) {
  y[q] = select(vec4f(), dims.factor * x[q], bits >= vec4u(dims.threshold));
}

// One invocation: four vec4s of y, then those a grid further. The last ones may be fewer; their tests stand apart, since bits
// that are used here and there are computed here and there.
@compute @workgroup_size(threads)
fn dropout_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let seed = state.seed;
  let step = state.step;
  for (var i = id.x; i < (dims.quads + 3u) / 4u; i += groups.x * threads) {
    let q = 4u * i;
    let b = pcg4d(seed, step, vec4u(q) + vec4u(0u, 1u, 2u, 3u));
    let first = vec4u(b.x.x, b.y.x, b.z.x, b.w.x);
    let second = vec4u(b.x.y, b.y.y, b.z.y, b.w.y);
    let third = vec4u(b.x.z, b.y.z, b.z.z, b.w.z);
    let fourth = vec4u(b.x.w, b.y.w, b.z.w, b.w.w);
    drop(q, first);
    if (q + 3u < dims.quads) {
      drop(q + 1u, second);
      drop(q + 2u, third);
      drop(q + 3u, fourth);
    } else {
      if (q + 1u < dims.quads) {
        drop(q + 1u, second);
      }
      if (q + 2u < dims.quads) {
        drop(q + 2u, third);
      }
    }
  }
}

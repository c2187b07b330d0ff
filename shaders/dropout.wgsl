// y = factor · x where a random number of 24 bits reaches the threshold, else 0. The gradient is the same of dy.
//   relu_dropout, sigmoid_dropout:  y = factor · f(x) there; what was dropped is read from y in the gradient:
//     relu_dropout:     dx = y > 0 ? factor · dy : 0
//     sigmoid_dropout:  dx = y > 0 ? factor · dy · s · (1 − s) : 0,  s = y · inverse,  inverse = 1 / factor
// The number of element 4 · q + lane is that lane of pcg4d(seed, step, stream, q), as in random.ts.

struct Dims {
  quads: u32,
  stream: u32,
  threshold: u32,
  factor: f32,
  inverse: f32,
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
@group(0) @binding(3) var<storage, read> y_forward: array<vec4f>;
@group(0) @binding(4) var<storage, read> dy: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dx: array<vec4f>;

const threads = 64u;

// The random bits of four vec4s.
struct Bits {
  x: vec4u,
  y: vec4u,
  z: vec4u,
  w: vec4u,
}

// pcg4d for the four keys that end with q: word `lane` of it is component `lane`. Jarzynski and Olano, Hash Functions for GPU
// Rendering, JCGT 9(3), 2020.
fn pcg4d(seed: u32, step: u32, q: u32) -> Bits {
  var x = vec4u(seed * 1664525u + 1013904223u);
  var y = vec4u(step * 1664525u + 1013904223u);
  var z = vec4u(dims.stream * 1664525u + 1013904223u);
  var w = (vec4u(q) + vec4u(0u, 1u, 2u, 3u)) * 1664525u + 1013904223u;
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
  let a = x >> vec4u(8u);
  let b = y >> vec4u(8u);
  let c = z >> vec4u(8u);
  let d = w >> vec4u(8u);
  return Bits(
    vec4u(a.x, b.x, c.x, d.x),
    vec4u(a.y, b.y, c.y, d.y),
    vec4u(a.z, b.z, c.z, d.z),
    vec4u(a.w, b.w, c.w, d.w),
  );
}

fn keep(q: u32, v: vec4f, bits: vec4u) {
  y[q] = select(vec4f(), dims.factor * v, bits >= vec4u(dims.threshold));
}

fn drop(q: u32, bits: vec4u) {
  keep(q, x[q], bits);
}

fn relu_drop(q: u32, bits: vec4u) {
  let v = x[q];
  keep(q, select(v, vec4f(), v < vec4f()), bits);
}

// As in elementwise.wgsl.
fn sigmoid_drop(q: u32, bits: vec4u) {
  let most = vec4f(87.0);
  let v = x[q];
  let e = exp(select(v, most, v > most));
  keep(q, e / (1.0 + e), bits);
}

// One invocation: four vec4s of y, then those a grid further. The last ones may be fewer; their tests stand apart, since bits
// that are used here and there are computed here and there.
@compute @workgroup_size(threads)
fn dropout_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let seed = state.seed;
  let step = state.step;
  for (var i = id.x; i < (dims.quads + 3u) / 4u; i += groups.x * threads) {
    let q = 4u * i;
    let bits = pcg4d(seed, step, q);
    drop(q, bits.x);
    if (q + 3u < dims.quads) {
      drop(q + 1u, bits.y);
      drop(q + 2u, bits.z);
      drop(q + 3u, bits.w);
    } else {
      if (q + 1u < dims.quads) {
        drop(q + 1u, bits.y);
      }
      if (q + 2u < dims.quads) {
        drop(q + 2u, bits.z);
      }
    }
  }
}

// As dropout_forward.
@compute @workgroup_size(threads)
fn relu_dropout_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let seed = state.seed;
  let step = state.step;
  for (var i = id.x; i < (dims.quads + 3u) / 4u; i += groups.x * threads) {
    let q = 4u * i;
    let bits = pcg4d(seed, step, q);
    relu_drop(q, bits.x);
    if (q + 3u < dims.quads) {
      relu_drop(q + 1u, bits.y);
      relu_drop(q + 2u, bits.z);
      relu_drop(q + 3u, bits.w);
    } else {
      if (q + 1u < dims.quads) {
        relu_drop(q + 1u, bits.y);
      }
      if (q + 2u < dims.quads) {
        relu_drop(q + 2u, bits.z);
      }
    }
  }
}

// As dropout_forward.
@compute @workgroup_size(threads)
fn sigmoid_dropout_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let seed = state.seed;
  let step = state.step;
  for (var i = id.x; i < (dims.quads + 3u) / 4u; i += groups.x * threads) {
    let q = 4u * i;
    let bits = pcg4d(seed, step, q);
    sigmoid_drop(q, bits.x);
    if (q + 3u < dims.quads) {
      sigmoid_drop(q + 1u, bits.y);
      sigmoid_drop(q + 2u, bits.z);
      sigmoid_drop(q + 3u, bits.w);
    } else {
      if (q + 1u < dims.quads) {
        sigmoid_drop(q + 1u, bits.y);
      }
      if (q + 2u < dims.quads) {
        sigmoid_drop(q + 2u, bits.z);
      }
    }
  }
}

// One invocation: a vec4 of dx, then those a grid further.
@compute @workgroup_size(threads)
fn relu_dropout_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    dx[i] = select(vec4f(), dims.factor * dy[i], y_forward[i] > vec4f());
  }
}

// One invocation: a vec4 of dx, then those a grid further.
@compute @workgroup_size(threads)
fn sigmoid_dropout_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    let v = y_forward[i];
    let s = dims.inverse * v;
    dx[i] = select(vec4f(), dims.factor * dy[i] * s * (1.0 - s), v > vec4f());
  }
}

// Elementwise ops over vec4s; buffers are padded to whole vec4s, so the tail needs no care.
//   add: y = a + b                 sub: y = a - b              mul: y = a · b
//   scale: y = factor · x          relu: y = x < 0 ? 0 : x     leaky_relu: y = x > 0 ? x : slope · x
//   sigmoid: y = 1 / (1 + e^-x)    tanh: y = (e^x - e^-x) / (e^x + e^-x)
// Every backward writes dx from dy and whichever of x, y the derivative needs. relu is a select because
// max(NaN, 0) may be 0, which would hide where a NaN came from.

struct Dims {
  quads: u32,
  factor: f32,
  slope: f32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> dy: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(3) var<storage, read> y_forward: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dx: array<vec4f>;
@group(0) @binding(5) var<storage, read> a: array<vec4f>;
@group(0) @binding(6) var<storage, read> b: array<vec4f>;

const threads = 64u;

// 1 / (1 + e^-x) with e to negative powers only, which cannot overflow.
fn sigmoid(v: vec4f) -> vec4f {
  let e = exp(-abs(v));
  return select(e, vec4f(1.0), v >= vec4f()) / (1.0 + e);
}

// WGSL's own tanh may overflow; (1 - e^-2|x|) / (1 + e^-2|x|) cannot, but cancels near 0, where Lambert's
// continued fraction x / (1 + x²/(3 + x²/(5 + x²/(7 + x²/9)))) takes over: below 0.6 it is exact to 1e-9.
fn tangent(v: vec4f) -> vec4f {
  let e = exp(-2.0 * abs(v));
  let far = sign(v) * (1.0 - e) / (1.0 + e);
  let s = v * v;
  let near = v * (945.0 + s * (105.0 + s)) / (945.0 + s * (420.0 + s * 15.0));
  return select(far, near, abs(v) < vec4f(0.6));
}

// Of every entry, one invocation: a vec4 of the result, then those a grid further.
@compute @workgroup_size(threads)
fn add_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    y[i] = a[i] + b[i];
  }
}

@compute @workgroup_size(threads)
fn sub_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    y[i] = a[i] - b[i];
  }
}

@compute @workgroup_size(threads)
fn mul_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    y[i] = a[i] * b[i];
  }
}

@compute @workgroup_size(threads)
fn scale_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    y[i] = dims.factor * x[i];
  }
}

@compute @workgroup_size(threads)
fn relu_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    y[i] = select(x[i], vec4f(), x[i] < vec4f());
  }
}

@compute @workgroup_size(threads)
fn relu_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    dx[i] = select(vec4f(), dy[i], y_forward[i] > vec4f());
  }
}

@compute @workgroup_size(threads)
fn leaky_relu_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    y[i] = select(dims.slope * x[i], x[i], x[i] > vec4f());
  }
}

@compute @workgroup_size(threads)
fn leaky_relu_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    dx[i] = select(dims.slope * dy[i], dy[i], x[i] > vec4f());
  }
}

@compute @workgroup_size(threads)
fn sigmoid_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    y[i] = sigmoid(x[i]);
  }
}

@compute @workgroup_size(threads)
fn sigmoid_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    dx[i] = dy[i] * y_forward[i] * (1.0 - y_forward[i]);
  }
}

@compute @workgroup_size(threads)
fn tanh_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    y[i] = tangent(x[i]);
  }
}

@compute @workgroup_size(threads)
fn tanh_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    dx[i] = dy[i] * (1.0 - y_forward[i] * y_forward[i]);
  }
}

@compute @workgroup_size(threads)
fn fill_zero(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    y[i] = vec4f();
  }
}

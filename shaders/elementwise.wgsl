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

// e^x / (1 + e^x), where e^x is held back from overflowing.
fn sigmoid(v: vec4f) -> vec4f {
  let most = vec4f(87.0);
  let e = exp(select(v, most, v > most));
  return e / (1.0 + e);
}

// x · p(x²) / q(x²), Eigen's rational fit (ptanh), held where it comes within 3e-7 of ±1; relative errors are below 4e-7.
// WGSL's own tanh may overflow, and cancels near 0. Limits by select: min and max may lose a NaN.
fn tangent(x: vec4f) -> vec4f {
  let least = vec4f(-7.9053111);
  let most = vec4f(7.9053111);
  let above = select(x, least, x < least);
  let v = select(above, most, above > most);
  let s = v * v;
  let t = s * s;
  let p = (4.8935246e-3 + s * 6.3726195e-4) + t * ((1.48572235e-5 + s * 5.1222973e-8) +
    t * ((-8.6046715e-11 + s * 2.0001879e-13) + t * -2.7607684e-16));
  let q = (4.893525e-3 + s * 2.2684347e-3) + t * (1.1853471e-4 + s * 1.1982584e-6);
  return v * p / q;
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

// Complex numbers as two halves of a row of 2 · size: real parts, then imaginary ones.
//   complex_unit:  y = (cos x, sin x), x [rows,size]           dx = −sin x · dre + cos x · dim
//   complex_log:   y = (½ ln(re² + im² + 1e-8), arg x)         d re = (re · dln / (ρ + 1e-8)) − im · darg / ρ
//                                                              d im = (im · dln / (ρ + 1e-8)) + re · darg / ρ
//   complex_exp:   y = (e^re · cos im, e^re · sin im)          d re = ⟨y, dy⟩, d im = y_re · dim − y_im · dre
// with ρ = re² + im²; at ρ = 0 the gradient of arg is taken as 0. WGSL allows sin and cos an error of 5e-4 and atan2 one
// of 4096 ulp, so they are written out: π/2 in three pieces (Cody and Waite) and polynomials, errors about 1e-7.
// _vec4 entries are for a size of whole vec4s.

struct Dims {
  count: u32,
  size: u32,
  quads: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> x4: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(2) var<storage, read> y_forward: array<f32>;
@group(0) @binding(2) var<storage, read> y_forward4: array<vec4f>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read> dy4: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx4: array<vec4f>;

const threads = 64u;
const floor_of_log = 1e-8;

struct Complex {
  re: vec4f,
  im: vec4f,
}

// Where four neighbours of item i are in rows of so many halves; beyond the end the last one, again.
fn at(i: u32, halves: u32) -> vec4u {
  let j = min(4u * (i % dims.quads) + vec4u(0u, 1u, 2u, 3u), vec4u(dims.size - 1u));
  return i / dims.quads * halves * dims.size + j;
}

fn read_x(i: vec4u) -> vec4f {
  return vec4f(x[i.x], x[i.y], x[i.z], x[i.w]);
}

fn read_y(i: vec4u) -> vec4f {
  return vec4f(y_forward[i.x], y_forward[i.y], y_forward[i.z], y_forward[i.w]);
}

fn read_dy(i: vec4u) -> vec4f {
  return vec4f(dy[i.x], dy[i.y], dy[i.z], dy[i.w]);
}

fn write_y(i: vec4u, v: vec4f) {
  y[i.x] = v.x;
  y[i.y] = v.y;
  y[i.z] = v.z;
  y[i.w] = v.w;
}

fn write_dx(i: vec4u, v: vec4f) {
  dx[i.x] = v.x;
  dx[i.y] = v.y;
  dx[i.z] = v.z;
  dx[i.w] = v.w;
}

// −v where the highest bit is set.
fn negated(v: vec4f, bits: vec4u) -> vec4f {
  return bitcast<vec4f>(bitcast<vec4u>(v) ^ (bits & vec4u(0x80000000u)));
}

// cos v and sin v: v = r + n · π/2, |r| <= π/4.
fn unit(v: vec4f) -> Complex {
  let n = round(v * 0.63661977);
  let r = ((v - n * 1.5703125) - n * 0.0004837512969970703) - n * 7.54978995489188e-8;
  let w = r * r;
  let s = r + r * w * (-0.16666655 + w * (0.008332187 - w * 0.00019517897));
  let c = (1.0 - 0.5 * w) + w * w * (0.041666653 + w * (-0.001388761 + w * 2.446175e-5));
  // Beside 1.5 · 2²³ the low bits of a float are those of a whole number.
  let quarter = bitcast<vec4u>(n + 12582912.0);
  let odd = (quarter & vec4u(1u)) != vec4u();
  return Complex(
    negated(select(c, s, odd), (quarter + vec4u(1u)) << vec4u(30u)),
    negated(select(s, c, odd), quarter << vec4u(30u)),
  );
}

// The angle of (re, im), of −0 as of what is just below 0. Beyond π/8 from an axis it is taken from the diagonal.
fn angle(re: vec4f, im: vec4f) -> vec4f {
  let a = abs(re);
  let b = abs(im);
  let small = select(b, a, a < b);
  let large = select(a, b, a < b);
  let diagonal = small > 0.41421356 * large;
  let below = select(large, small + large, diagonal);
  let t = select(small, small - large, diagonal) / select(below, vec4f(1.0), below == vec4f());
  let w = t * t;
  let p = t + t * w * (-0.3333295 + w * (0.19977728 + w * (-0.13877799 + w * 0.08053956)));
  let first = p + select(vec4f(), vec4f(0.78539816), diagonal);
  let second = select(first, 1.5707963 - first, a < b);
  let third = select(second, 3.1415927 - second, bitcast<vec4i>(re) < vec4i());
  return negated(third, bitcast<vec4u>(im));
}

// The gradient of complex_log by re and im.
fn log_slope(re: vec4f, im: vec4f, dln: vec4f, darg: vec4f) -> Complex {
  let square = re * re + im * im;
  let outward = dln / (square + floor_of_log);
  let zero = square == vec4f();
  let around = select(darg, vec4f(), zero) / select(square, vec4f(1.0), zero);
  return Complex(re * outward - im * around, im * outward + re * around);
}

// As at(i, 2u), of whole vec4s.
fn parts_at(i: u32) -> u32 {
  return i + i / dims.quads * dims.quads;
}

// Of every entry, one invocation: four neighbours in a row, then those a grid further.
@compute @workgroup_size(threads)
fn complex_unit_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let u = unit(read_x(at(i, 1u)));
    write_y(at(i, 2u), u.re);
    write_y(at(i, 2u) + dims.size, u.im);
  }
}

@compute @workgroup_size(threads)
fn complex_unit_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let k = at(i, 2u);
    write_dx(at(i, 1u), read_y(k) * read_dy(k + dims.size) - read_y(k + dims.size) * read_dy(k));
  }
}

@compute @workgroup_size(threads)
fn complex_log_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let k = at(i, 2u);
    let re = read_x(k);
    let im = read_x(k + dims.size);
    write_y(k, 0.5 * log(re * re + im * im + floor_of_log));
    write_y(k + dims.size, angle(re, im));
  }
}

@compute @workgroup_size(threads)
fn complex_log_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let k = at(i, 2u);
    let d = log_slope(read_x(k), read_x(k + dims.size), read_dy(k), read_dy(k + dims.size));
    write_dx(k, d.re);
    write_dx(k + dims.size, d.im);
  }
}

@compute @workgroup_size(threads)
fn complex_exp_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let k = at(i, 2u);
    let length = exp(read_x(k));
    let u = unit(read_x(k + dims.size));
    write_y(k, length * u.re);
    write_y(k + dims.size, length * u.im);
  }
}

@compute @workgroup_size(threads)
fn complex_exp_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let k = at(i, 2u);
    let re = read_y(k);
    let im = read_y(k + dims.size);
    let dre = read_dy(k);
    let dim = read_dy(k + dims.size);
    write_dx(k, re * dre + im * dim);
    write_dx(k + dims.size, re * dim - im * dre);
  }
}

@compute @workgroup_size(threads)
fn complex_unit_forward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let k = parts_at(i);
    let u = unit(x4[i]);
    y4[k] = u.re;
    y4[k + dims.quads] = u.im;
  }
}

@compute @workgroup_size(threads)
fn complex_unit_backward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let k = parts_at(i);
    dx4[i] = y_forward4[k] * dy4[k + dims.quads] - y_forward4[k + dims.quads] * dy4[k];
  }
}

@compute @workgroup_size(threads)
fn complex_log_forward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let k = parts_at(i);
    let re = x4[k];
    let im = x4[k + dims.quads];
    y4[k] = 0.5 * log(re * re + im * im + floor_of_log);
    y4[k + dims.quads] = angle(re, im);
  }
}

@compute @workgroup_size(threads)
fn complex_log_backward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let k = parts_at(i);
    let d = log_slope(x4[k], x4[k + dims.quads], dy4[k], dy4[k + dims.quads]);
    dx4[k] = d.re;
    dx4[k + dims.quads] = d.im;
  }
}

@compute @workgroup_size(threads)
fn complex_exp_forward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let k = parts_at(i);
    let length = exp(x4[k]);
    let u = unit(x4[k + dims.quads]);
    y4[k] = length * u.re;
    y4[k + dims.quads] = length * u.im;
  }
}

@compute @workgroup_size(threads)
fn complex_exp_backward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let k = parts_at(i);
    let re = y_forward4[k];
    let im = y_forward4[k + dims.quads];
    let dre = dy4[k];
    let dim = dy4[k + dims.quads];
    dx4[k] = re * dre + im * dim;
    dx4[k + dims.quads] = re * dim - im * dre;
  }
}

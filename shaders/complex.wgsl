// Complex numbers as two halves of a row of 2 · size: real parts, then imaginary ones.
//   complex_unit:  y = (cos x, sin x), x [rows,size]           dx = −sin x · dre + cos x · dim
//   complex_log:   y = (½ ln(re² + im² + 1e-8), arg x)         d re = (re · dln / (ρ + 1e-8)) − im · darg / ρ
//                                                              d im = (im · dln / (ρ + 1e-8)) + re · darg / ρ
//   complex_exp:   y = (e^re · cos im, e^re · sin im)          d re = ⟨y, dy⟩, d im = y_re · dim − y_im · dre
// with ρ = re² + im²; at ρ = 0 the gradient of arg is taken as 0. WGSL allows sin and cos an error of 5e-4 and atan2 one
// of 4096 ulp, so they are written out: π/2 in three pieces (Cody and Waite) and polynomials, errors about 1e-7.

struct Dims {
  count: u32,
  size: u32,
  quads: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read> y_forward: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;

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

// cos v and sin v: v = r + n · π/2, |r| <= π/4.
fn unit(v: vec4f) -> Complex {
  let n = round(v * 0.63661977);
  let r = ((v - n * 1.5703125) - n * 0.0004837512969970703) - n * 7.54978995489188e-8;
  let w = r * r;
  let s = r + r * w * (-0.16666655 + w * (0.008332187 - w * 0.00019517897));
  let c = (1.0 - 0.5 * w) + w * w * (0.041666653 + w * (-0.001388761 + w * 2.446175e-5));
  let quarter = vec4i(n);
  let odd = (quarter & vec4i(1)) != vec4i();
  let re = select(c, s, odd);
  let im = select(s, c, odd);
  return Complex(
    select(re, -re, ((quarter + vec4i(1)) & vec4i(2)) != vec4i()),
    select(im, -im, (quarter & vec4i(2)) != vec4i()),
  );
}

// The angle of (re, im), of −0 as of what is just below 0. Beyond π/8 from an axis it is taken from the diagonal.
fn angle(re: vec4f, im: vec4f) -> vec4f {
  let steep = abs(im) > abs(re);
  let small = select(abs(im), abs(re), steep);
  let large = select(abs(re), abs(im), steep);
  let diagonal = small > 0.41421356 * large;
  let below = select(large, small + large, diagonal);
  let t = select(small, small - large, diagonal) / select(below, vec4f(1.0), below == vec4f());
  let w = t * t;
  let p = t + t * w * (-0.3333295 + w * (0.19977728 + w * (-0.13877799 + w * 0.08053956)));
  let first = p + select(vec4f(), vec4f(0.78539816), diagonal);
  let second = select(first, 1.5707963 - first, steep);
  let third = select(second, 3.1415927 - second, bitcast<vec4i>(re) < vec4i());
  return select(third, -third, bitcast<vec4i>(im) < vec4i());
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
    let re = read_x(k);
    let im = read_x(k + dims.size);
    let square = re * re + im * im;
    let outward = read_dy(k) / (square + floor_of_log);
    let zero = square == vec4f();
    let around = select(read_dy(k + dims.size), vec4f(), zero) / select(square, vec4f(1.0), zero);
    write_dx(k, re * outward - im * around);
    write_dx(k + dims.size, im * outward + re * around);
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

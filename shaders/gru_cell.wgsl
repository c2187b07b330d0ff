// Gated recurrent unit, gi = x·W_ihᵀ + b_ih and gh = h·W_hhᵀ + b_hh [N,3,A], h [N,A] → y [N,A]; parts r, z, n:
//   r = σ(gi_r + gh_r)    z = σ(gi_z + gh_z)    n = tanh(gi_n + r · gh_n)    y = (1 − z) · n + z · h
// and backward, with the gradients of what σ and tanh are taken of:
//   pn = dy · (1 − z) · (1 − n²)    pz = dy · (h − n) · z · (1 − z)    pr = pn · gh_n · r · (1 − r)
//   dgi = (pr, pz, pn)              dgh = (pr, pz, r · pn)             dh = dy · z
// The forward pass keeps the gates (r, z, n). _vec4 entries are for A of whole vec4s; width is A, there counted in vec4s. The
// others splat each number.

struct Dims {
  rows: u32,
  width: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> gi: array<f32>;
@group(0) @binding(1) var<storage, read> gi4: array<vec4f>;
@group(0) @binding(2) var<storage, read> gh: array<f32>;
@group(0) @binding(2) var<storage, read> gh4: array<vec4f>;
@group(0) @binding(3) var<storage, read> h: array<f32>;
@group(0) @binding(3) var<storage, read> h4: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(5) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read> dy4: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> dgi: array<f32>;
@group(0) @binding(6) var<storage, read_write> dgi4: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> dgh: array<f32>;
@group(0) @binding(7) var<storage, read_write> dgh4: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> dh: array<f32>;
@group(0) @binding(8) var<storage, read_write> dh4: array<vec4f>;
@group(0) @binding(9) var<storage, read_write> gates: array<f32>;
@group(0) @binding(9) var<storage, read_write> gates4: array<vec4f>;
@group(0) @binding(9) var<storage, read> kept: array<f32>;
@group(0) @binding(9) var<storage, read> kept4: array<vec4f>;

const threads = 64u;

// Of four columns: r, z, n, or the gradients of what they are made of.
struct Gates {
  r: vec4f,
  z: vec4f,
  n: vec4f,
}

// As in elementwise.wgsl.
fn sigmoid(v: vec4f) -> vec4f {
  let most = vec4f(87.0);
  let e = exp(select(v, most, v > most));
  return e / (1.0 + e);
}

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

fn gates_of(r: vec4f, z: vec4f, n: vec4f, gh_n: vec4f) -> Gates {
  let reset = sigmoid(r);
  return Gates(reset, sigmoid(z), tangent(n + reset * gh_n));
}

// (pr, pz, pn) from the gates, gh_n, h and dy.
fn flows(g: Gates, gh_n: vec4f, state: vec4f, flow: vec4f) -> Gates {
  let pn = flow * (1.0 - g.z) * (1.0 - g.n * g.n);
  let pz = flow * (state - g.n) * g.z * (1.0 - g.z);
  return Gates(pn * gh_n * g.r * (1.0 - g.r), pz, pn);
}

// Where column i of all rows has its part r; parts z and n are a width further each.
fn part_at(i: u32) -> u32 {
  return i + i / dims.width * (2u * dims.width);
}

// Of every entry, one invocation: a column, or vec4 of columns, of a row, then those a grid further.
@compute @workgroup_size(threads)
fn gru_cell_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let width = dims.width;
  for (var i = id.x; i < dims.rows * dims.width; i += groups.x * threads) {
    let r = part_at(i);
    let z = r + width;
    let n = z + width;
    let g = gates_of(vec4f(gi[r] + gh[r]), vec4f(gi[z] + gh[z]), vec4f(gi[n]), vec4f(gh[n]));
    y[i] = (g.n + g.z * (vec4f(h[i]) - g.n)).x;
    gates[r] = g.r.x;
    gates[z] = g.z.x;
    gates[n] = g.n.x;
  }
}

@compute @workgroup_size(threads)
fn gru_cell_forward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let width = dims.width;
  for (var i = id.x; i < dims.rows * dims.width; i += groups.x * threads) {
    let r = part_at(i);
    let z = r + width;
    let n = z + width;
    let g = gates_of(gi4[r] + gh4[r], gi4[z] + gh4[z], gi4[n], gh4[n]);
    y4[i] = g.n + g.z * (h4[i] - g.n);
    gates4[r] = g.r;
    gates4[z] = g.z;
    gates4[n] = g.n;
  }
}

@compute @workgroup_size(threads)
fn gru_cell_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let width = dims.width;
  for (var i = id.x; i < dims.rows * dims.width; i += groups.x * threads) {
    let r = part_at(i);
    let z = r + width;
    let n = z + width;
    let g = Gates(vec4f(kept[r]), vec4f(kept[z]), vec4f(kept[n]));
    let p = flows(g, vec4f(gh[n]), vec4f(h[i]), vec4f(dy[i]));
    dgi[r] = p.r.x;
    dgi[z] = p.z.x;
    dgi[n] = p.n.x;
    dgh[r] = p.r.x;
    dgh[z] = p.z.x;
    dgh[n] = (g.r * p.n).x;
    dh[i] = dy[i] * g.z.x;
  }
}

@compute @workgroup_size(threads)
fn gru_cell_backward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let width = dims.width;
  for (var i = id.x; i < dims.rows * dims.width; i += groups.x * threads) {
    let r = part_at(i);
    let z = r + width;
    let n = z + width;
    let g = Gates(kept4[r], kept4[z], kept4[n]);
    let p = flows(g, gh4[n], h4[i], dy4[i]);
    dgi4[r] = p.r;
    dgi4[z] = p.z;
    dgi4[n] = p.n;
    dgh4[r] = p.r;
    dgh4[z] = p.z;
    dgh4[n] = g.r * p.n;
    dh4[i] = dy4[i] * g.z;
  }
}

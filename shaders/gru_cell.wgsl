// Gated recurrent unit, gi = x·W_ihᵀ + b_ih and gh = h·W_hhᵀ + b_hh [N,3,A], h [N,A] → y [N,A]; parts r, z, n:
//   r = σ(gi_r + gh_r)    z = σ(gi_z + gh_z)    n = tanh(gi_n + r · gh_n)    y = (1 − z) · n + z · h
// and backward, with the gradients of what σ and tanh are taken of:
//   pn = dy · (1 − z) · (1 − n²)    pz = dy · (h − n) · z · (1 − z)    pr = pn · gh_n · r · (1 − r)
//   dgi = (pr, pz, pn)              dgh = (pr, pz, r · pn)             dh = dy · z
// _vec4 entries are for A of whole vec4s; width is A, there counted in vec4s. The others splat each number.

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

const threads = 64u;

// Of four columns.
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
  let most = vec4f(7.9053111);
  let above = select(x, -most, x < -most);
  let v = select(above, most, above > most);
  let s = v * v;
  let t = s * s;
  let p = (4.8935246e-3 + s * 6.3726195e-4) + t * ((1.48572235e-5 + s * 5.1222973e-8) +
    t * ((-8.6046715e-11 + s * 2.0001879e-13) + t * -2.7607684e-16));
  let q = (4.893525e-3 + s * 2.2684347e-3) + t * (1.1853471e-4 + s * 1.1982584e-6);
  return v * p / q;
}

// Of column j of a row whose parts begin at `at`.
fn gates(at: u32, j: u32) -> Gates {
  let r_at = at + j;
  let z_at = r_at + dims.width;
  let n_at = z_at + dims.width;
  let r = sigmoid(vec4f(gi[r_at] + gh[r_at]));
  let z = sigmoid(vec4f(gi[z_at] + gh[z_at]));
  return Gates(r, z, tangent(vec4f(gi[n_at]) + r * gh[n_at]));
}

fn gates4(at: u32, j: u32) -> Gates {
  let r_at = at + j;
  let z_at = r_at + dims.width;
  let n_at = z_at + dims.width;
  let r = sigmoid(gi4[r_at] + gh4[r_at]);
  let z = sigmoid(gi4[z_at] + gh4[z_at]);
  return Gates(r, z, tangent(gi4[n_at] + r * gh4[n_at]));
}

// (pr, pz, pn) from the gates, gh_n, h and dy.
fn flows(g: Gates, gh_n: vec4f, state: vec4f, flow: vec4f) -> Gates {
  let pn = flow * (1.0 - g.z) * (1.0 - g.n * g.n);
  let pz = flow * (state - g.n) * g.z * (1.0 - g.z);
  return Gates(pn * gh_n * g.r * (1.0 - g.r), pz, pn);
}

// Of every entry, one invocation: a row, then those a grid further.
@compute @workgroup_size(threads)
fn gru_cell_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var row = id.x; row < dims.rows; row += groups.x * threads) {
    for (var j = 0u; j < dims.width; j++) {
      let g = gates(3u * row * dims.width, j);
      let at = row * dims.width + j;
      y[at] = (g.n + g.z * (vec4f(h[at]) - g.n)).x;
    }
  }
}

@compute @workgroup_size(threads)
fn gru_cell_forward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var row = id.x; row < dims.rows; row += groups.x * threads) {
    for (var j = 0u; j < dims.width; j++) {
      let g = gates4(3u * row * dims.width, j);
      let at = row * dims.width + j;
      y4[at] = g.n + g.z * (h4[at] - g.n);
    }
  }
}

@compute @workgroup_size(threads)
fn gru_cell_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let width = dims.width;
  for (var row = id.x; row < dims.rows; row += groups.x * threads) {
    for (var j = 0u; j < width; j++) {
      let at = row * width + j;
      let to = 3u * row * width + j;
      let g = gates(to - j, j);
      let p = flows(g, vec4f(gh[to + 2u * width]), vec4f(h[at]), vec4f(dy[at]));
      dgi[to] = p.r.x;
      dgi[to + width] = p.z.x;
      dgi[to + 2u * width] = p.n.x;
      dgh[to] = p.r.x;
      dgh[to + width] = p.z.x;
      dgh[to + 2u * width] = (g.r * p.n).x;
      dh[at] = dy[at] * g.z.x;
    }
  }
}

@compute @workgroup_size(threads)
fn gru_cell_backward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let width = dims.width;
  for (var row = id.x; row < dims.rows; row += groups.x * threads) {
    for (var j = 0u; j < width; j++) {
      let at = row * width + j;
      let to = 3u * row * width + j;
      let g = gates4(to - j, j);
      let p = flows(g, gh4[to + 2u * width], h4[at], dy4[at]);
      dgi4[to] = p.r;
      dgi4[to + width] = p.z;
      dgi4[to + 2u * width] = p.n;
      dgh4[to] = p.r;
      dgh4[to + width] = p.z;
      dgh4[to + 2u * width] = g.r * p.n;
      dh4[at] = dy4[at] * g.z;
    }
  }
}

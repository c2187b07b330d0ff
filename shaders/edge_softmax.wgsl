// Edge weights of the complete graph of a row's fields, x [B,F,2] → y [B,F,F], x[f] = (s_f, t_f):
//   e[i,j] = LeakyReLU(s_i + t_j)                y[i,:] = softmax over j ≠ i of e[i,:], y[i,i] = 0
//   de[i,j] = y · (dy − Σ_j y · dy), through the LeakyReLU;   ds_i = Σ_j de[i,j]    dt_j = Σ_i de[i,j]

struct Dims {
  batch: u32,
  fields: u32,
  slope: f32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> y_forward: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

const threads = 64u;

// Four rows, one lane of a vec4 for each; beyond the end the last one, again.
fn rows_at(q: u32) -> vec4u {
  return min(4u * q + vec4u(0u, 1u, 2u, 3u), vec4u(dims.batch - 1u));
}

fn load(i: vec4u) -> vec4f {
  return vec4f(x[i.x], x[i.y], x[i.z], x[i.w]);
}

fn found(i: vec4u) -> vec4f {
  return vec4f(y[i.x], y[i.y], y[i.z], y[i.w]);
}

fn put(i: vec4u, v: vec4f) {
  y[i.x] = v.x;
  y[i.y] = v.y;
  y[i.z] = v.z;
  y[i.w] = v.w;
}

fn load_y(i: vec4u) -> vec4f {
  return vec4f(y_forward[i.x], y_forward[i.y], y_forward[i.z], y_forward[i.w]);
}

fn load_dy(i: vec4u) -> vec4f {
  return vec4f(dy[i.x], dy[i.y], dy[i.z], dy[i.w]);
}

fn load_dx(i: vec4u) -> vec4f {
  return vec4f(dx[i.x], dx[i.y], dx[i.z], dx[i.w]);
}

fn put_dx(i: vec4u, v: vec4f) {
  dx[i.x] = v.x;
  dx[i.y] = v.y;
  dx[i.z] = v.z;
  dx[i.w] = v.w;
}

fn edge(s: vec4f, t: vec4f) -> vec4f {
  let sum = s + t;
  return select(dims.slope * sum, sum, sum > vec4f());
}

// One invocation: the edges of four rows, then those a grid further.
@compute @workgroup_size(threads)
fn edge_softmax_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var q = id.x; q < (dims.batch + 3u) / 4u; q += groups.x * threads) {
    let pairs = rows_at(q) * (2u * dims.fields);
    let edges = rows_at(q) * (dims.fields * dims.fields);
    for (var i = 0u; i < dims.fields; i++) {
      let s = load(pairs + 2u * i);
      let at = edges + i * dims.fields;
      var largest = vec4f(-3e38);
      for (var j = 0u; j < dims.fields; j++) {
        let e = edge(s, load(pairs + (2u * j + 1u)));
        largest = select(max(largest, e), largest, j == i);
      }
      var total = vec4f();
      for (var j = 0u; j < dims.fields; j++) {
        let e = edge(s, load(pairs + (2u * j + 1u)));
        let share = select(exp(e - largest), vec4f(), j == i);
        put(at + j, share);
        total += share;
      }
      for (var j = 0u; j < dims.fields; j++) {
        put(at + j, found(at + j) / total);
      }
    }
  }
}

// One invocation: the fields of four rows, then those a grid further.
@compute @workgroup_size(threads)
fn edge_softmax_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var q = id.x; q < (dims.batch + 3u) / 4u; q += groups.x * threads) {
    let pairs = rows_at(q) * (2u * dims.fields);
    let edges = rows_at(q) * (dims.fields * dims.fields);
    for (var j = 0u; j < dims.fields; j++) {
      put_dx(pairs + (2u * j + 1u), vec4f());
    }
    for (var i = 0u; i < dims.fields; i++) {
      let s = load(pairs + 2u * i);
      let at = edges + i * dims.fields;
      var total = vec4f();
      for (var j = 0u; j < dims.fields; j++) {
        total += load_y(at + j) * load_dy(at + j);
      }
      var ds = vec4f();
      for (var j = 0u; j < dims.fields; j++) {
        let to = pairs + (2u * j + 1u);
        let inner = load_y(at + j) * (load_dy(at + j) - total);
        let de = select(dims.slope * inner, inner, s + load(to) > vec4f());
        put_dx(to, load_dx(to) + de);
        ds += de;
      }
      put_dx(pairs + 2u * i, ds);
    }
  }
}

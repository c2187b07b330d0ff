// Scaled dot-product attention of the fields of a row, heads side by side: qkv [B,F,3,H,d] → y [B,F,H,d],
//   w[i,:] = softmax_j(scale · ⟨q_i, k_j⟩)   kept = w · dropout mask    y_i = Σ_j kept[i,j] · v_j
//   g[i,j] = ⟨dy_i, v_j⟩                     s[i,j] = scale · (kept · g − w · Σ_j kept · g), the gradient of ⟨q_i, k_j⟩
//   dq_i = Σ_j s[i,j] · k_j                  dk_j = Σ_i s[i,j] · q_i                       dv_j = Σ_i kept[i,j] · dy_i
// d is `width` whole vec4s. w, kept and s are [B,H,F,quads] vec4s over j, zero beyond the last field.

struct Dims {
  batch: u32,
  fields: u32,
  heads: u32,
  width: u32,
  quads: u32,
  scale: f32,
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
@group(0) @binding(2) var<storage, read> qkv4: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> w4: array<vec4f>;
@group(0) @binding(3) var<storage, read> w_forward4: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> kept4: array<vec4f>;
@group(0) @binding(4) var<storage, read> kept_forward4: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(6) var<storage, read> dy4: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> s4: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> dqkv4: array<vec4f>;

const threads = 64u;
// Far enough below every score that e^x is 0.
const lowest = -3e38;

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

// What dropout multiplies the vec4 at `at` by, as in dropout.wgsl.
fn mask(at: u32) -> vec4f {
  if (dims.threshold == 0u) {
    return vec4f(1.0);
  }
  let bits = pcg4d(vec4u(state.seed, state.step, dims.stream, at)) >> vec4u(8u);
  return select(vec4f(), vec4f(dims.factor), bits >= vec4u(dims.threshold));
}

// Σ of the lanes.
fn across(v: vec4f) -> f32 {
  return dot(v, vec4f(1.0));
}

// A head of a row: where its first query, key and value are, its first result, and its first weights.
struct Head {
  queries: u32,
  keys: u32,
  values: u32,
  results: u32,
  weights: u32,
}

fn head_of(n: u32) -> Head {
  let all = dims.heads * dims.width;
  let row = n / dims.heads * dims.fields * all;
  let head = n % dims.heads * dims.width;
  let queries = 3u * row + head;
  return Head(queries, queries + all, queries + 2u * all, row + head, n * dims.fields * dims.quads);
}

// From one field to the next: in qkv, and in y.
fn qkv_stride() -> u32 {
  return 3u * y_stride();
}

fn y_stride() -> u32 {
  return dims.heads * dims.width;
}

// Where four fields are of which the first one of all is at `first`; the last one again in place of those beyond it.
fn four(first: u32, q: u32) -> vec4u {
  return first + min(4u * q + vec4u(0u, 1u, 2u, 3u), vec4u(dims.fields - 1u)) * qkv_stride();
}

// A vec4 for each of four fields.
struct Four {
  s0: vec4f,
  s1: vec4f,
  s2: vec4f,
  s3: vec4f,
}

// Adds the products of `v` with a vec4 of each field.
fn add_products(s: Four, v: vec4f, f: vec4u) -> Four {
  return Four(s.s0 + v * qkv4[f.x], s.s1 + v * qkv4[f.y], s.s2 + v * qkv4[f.z], s.s3 + v * qkv4[f.w]);
}

// Adds `v` times a weight of each field.
fn add_weighted(s: Four, weights: vec4f, v: vec4f) -> Four {
  return Four(s.s0 + weights.x * v, s.s1 + weights.y * v, s.s2 + weights.z * v, s.s3 + weights.w * v);
}

// Σ of the lanes of each.
fn sums_of(s: Four) -> vec4f {
  return (vec4f(s.s0.x, s.s1.x, s.s2.x, s.s3.x) + vec4f(s.s0.y, s.s1.y, s.s2.y, s.s3.y)) +
    (vec4f(s.s0.z, s.s1.z, s.s2.z, s.s3.z) + vec4f(s.s0.w, s.s1.w, s.s2.w, s.s3.w));
}

// Σ of a vec4 of each field, times its weight.
fn mixed(f: vec4u, weights: vec4f) -> vec4f {
  return (weights.x * qkv4[f.x] + weights.y * qkv4[f.y]) + (weights.z * qkv4[f.z] + weights.w * qkv4[f.w]);
}

// Writes w and kept of one query.
fn attend(query: u32, keys: u32, at: u32) {
  var largest = vec4f(lowest);
  for (var q = 0u; q < dims.quads; q++) {
    let k = four(keys, q);
    var s = Four();
    for (var c = 0u; c < dims.width; c++) {
      s = add_products(s, qkv4[query + c], k + c);
    }
    let valid = 4u * q + vec4u(0u, 1u, 2u, 3u) < vec4u(dims.fields);
    let score = select(vec4f(lowest), dims.scale * sums_of(s), valid);
    w4[at + q] = score;
    largest = max(largest, score);
  }
  let top = vec4f(max(max(largest.x, largest.y), max(largest.z, largest.w)));
  var total = vec4f();
  for (var q = 0u; q < dims.quads; q++) {
    let e = exp(w4[at + q] - top);
    w4[at + q] = e;
    total += e;
  }
  let sum = across(total);
  for (var q = 0u; q < dims.quads; q++) {
    let share = w4[at + q] / sum;
    w4[at + q] = share;
    kept4[at + q] = share * mask(at + q);
  }
}

// One invocation: a head of a row, then those a grid further.
@compute @workgroup_size(threads)
fn attention_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var n = id.x; n < dims.batch * dims.heads; n += groups.x * threads) {
    let head = head_of(n);
    for (var i = 0u; i < dims.fields; i++) {
      let at = head.weights + i * dims.quads;
      attend(head.queries + i * qkv_stride(), head.keys, at);
      for (var c = 0u; c < dims.width; c++) {
        var sum = vec4f();
        for (var q = 0u; q < dims.quads; q++) {
          sum += mixed(four(head.values + c, q), kept4[at + q]);
        }
        y4[head.results + i * y_stride() + c] = sum;
      }
    }
  }
}

// Writes s of one query; the gradient of its result is at `result` of dy.
fn unattend(result: u32, values: u32, at: u32) {
  var total = vec4f();
  for (var q = 0u; q < dims.quads; q++) {
    let v = four(values, q);
    var s = Four();
    for (var c = 0u; c < dims.width; c++) {
      s = add_products(s, dy4[result + c], v + c);
    }
    let flow = kept_forward4[at + q] * sums_of(s);
    s4[at + q] = flow;
    total += flow;
  }
  let sum = across(total);
  for (var q = 0u; q < dims.quads; q++) {
    s4[at + q] = dims.scale * (s4[at + q] - sum * w_forward4[at + q]);
  }
}

// Writes a vec4 of each of four fields, those there are.
fn put(first: u32, q: u32, s: Four) {
  let values = array<vec4f, 4>(s.s0, s.s1, s.s2, s.s3);
  for (var j = 0u; j < 4u; j++) {
    if (4u * q + j < dims.fields) {
      dqkv4[first + (4u * q + j) * qkv_stride()] = values[j];
    }
  }
}

// One invocation: a head of a row, then those a grid further.
@compute @workgroup_size(threads)
fn attention_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var n = id.x; n < dims.batch * dims.heads; n += groups.x * threads) {
    let head = head_of(n);
    for (var i = 0u; i < dims.fields; i++) {
      let at = head.weights + i * dims.quads;
      unattend(head.results + i * y_stride(), head.values, at);
      for (var c = 0u; c < dims.width; c++) {
        var dq = vec4f();
        for (var q = 0u; q < dims.quads; q++) {
          dq += mixed(four(head.keys + c, q), s4[at + q]);
        }
        dqkv4[head.queries + i * qkv_stride() + c] = dq;
      }
    }
    for (var q = 0u; q < dims.quads; q++) {
      for (var c = 0u; c < dims.width; c++) {
        var dk = Four();
        var dv = Four();
        for (var i = 0u; i < dims.fields; i++) {
          let at = head.weights + i * dims.quads + q;
          dk = add_weighted(dk, s4[at], qkv4[head.queries + i * qkv_stride() + c]);
          dv = add_weighted(dv, kept_forward4[at], dy4[head.results + i * y_stride() + c]);
        }
        put(head.keys + c, q, dk);
        put(head.values + c, q, dv);
      }
    }
  }
}

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

// The random bits of four vec4s as in dropout.wgsl: component `lane` of pcg4d for each of four keys whose last word is
// in w. Jarzynski and Olano, Hash Functions for GPU Rendering, JCGT 9(3), 2020.
struct Bits {
  x: vec4u,
  y: vec4u,
  z: vec4u,
  w: vec4u,
}

fn pcg4d(at: vec4u) -> Bits {
  var x = vec4u(state.seed * 1664525u + 1013904223u);
  var y = vec4u(state.step * 1664525u + 1013904223u);
  var z = vec4u(dims.stream * 1664525u + 1013904223u);
  var w = at * 1664525u + 1013904223u;
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

// Writes kept at `at`, if that is before `end`.
fn keep(at: u32, end: u32, bits: vec4u) {
  if (at < end) {
    kept4[at] = select(vec4f(), dims.factor * w4[at], bits >= vec4u(dims.threshold));
  }
}

// Writes kept of all weights of a head.
fn drop(first: u32, end: u32) {
  if (dims.threshold == 0u) {
    for (var at = first; at < end; at++) {
      kept4[at] = w4[at];
    }
    return;
  }
  for (var at = first; at < end; at += 4u) {
    let bits = pcg4d(at + vec4u(0u, 1u, 2u, 3u));
    keep(at, end, vec4u(bits.x.x, bits.y.x, bits.z.x, bits.w.x));
    keep(at + 1u, end, vec4u(bits.x.y, bits.y.y, bits.z.y, bits.w.y));
    keep(at + 2u, end, vec4u(bits.x.z, bits.y.z, bits.z.z, bits.w.z));
    keep(at + 3u, end, vec4u(bits.x.w, bits.y.w, bits.z.w, bits.w.w));
  }
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

// Where four fields are.
struct Places {
  f0: u32,
  f1: u32,
  f2: u32,
  f3: u32,
}

// Where a field is if the first one is at `first`; the last one in place of those beyond it.
fn place(first: u32, field: u32) -> u32 {
  return first + min(field, dims.fields - 1u) * qkv_stride();
}

fn places(first: u32, q: u32) -> Places {
  let j = 4u * q;
  return Places(place(first, j), place(first, j + 1u), place(first, j + 2u), place(first, j + 3u));
}

// A vec4 for each of four fields.
struct Four {
  s0: vec4f,
  s1: vec4f,
  s2: vec4f,
  s3: vec4f,
}

// Adds the products of `v` with vec4 c of each field.
fn add_products(s: Four, v: vec4f, at: Places, c: u32) -> Four {
  return Four(
    s.s0 + v * qkv4[at.f0 + c], s.s1 + v * qkv4[at.f1 + c],
    s.s2 + v * qkv4[at.f2 + c], s.s3 + v * qkv4[at.f3 + c],
  );
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
fn mixed(at: Places, weights: vec4f) -> vec4f {
  return (weights.x * qkv4[at.f0] + weights.y * qkv4[at.f1]) + (weights.z * qkv4[at.f2] + weights.w * qkv4[at.f3]);
}

// Writes w of one query.
fn attend(query: u32, keys: u32, at: u32) {
  var largest = vec4f(lowest);
  for (var q = 0u; q < dims.quads; q++) {
    let at_keys = places(keys, q);
    var s = Four();
    for (var c = 0u; c < dims.width; c++) {
      s = add_products(s, qkv4[query + c], at_keys, c);
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
    w4[at + q] /= sum;
  }
}

// One invocation: a head of a row, then those a grid further.
@compute @workgroup_size(threads)
fn attention_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var n = id.x; n < dims.batch * dims.heads; n += groups.x * threads) {
    let head = head_of(n);
    for (var i = 0u; i < dims.fields; i++) {
      attend(head.queries + i * qkv_stride(), head.keys, head.weights + i * dims.quads);
    }
    drop(head.weights, head.weights + dims.fields * dims.quads);
    for (var i = 0u; i < dims.fields; i++) {
      let at = head.weights + i * dims.quads;
      for (var c = 0u; c < dims.width; c++) {
        var sum = vec4f();
        for (var q = 0u; q < dims.quads; q++) {
          sum += mixed(places(head.values + c, q), kept4[at + q]);
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
    let at_values = places(values, q);
    var s = Four();
    for (var c = 0u; c < dims.width; c++) {
      s = add_products(s, dy4[result + c], at_values, c);
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
          dq += mixed(places(head.keys + c, q), s4[at + q]);
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

// Scaled dot-product attention of the fields of a row, heads side by side: qkv [B,F,3,H,d] → y [B,F,H,d],
//   w[i,:] = softmax_j(⟨q_i, k_j⟩ / √d)    kept = w · dropout mask    y_i = Σ_j kept[i,j] · v_j
//   g[i,j] = ⟨dy_i, v_j⟩                   s[i,j] = (kept · g − w · Σ_j kept · g) / √d, the gradient of ⟨q_i, k_j⟩
//   dq_i = Σ_j s[i,j] · k_j                dk_j = Σ_i s[i,j] · q_i                       dv_j = Σ_i kept[i,j] · dy_i
// w, kept and s are [B,H,F,quads] vec4s over j, zero beyond the last field, so that four fields go at once; for them keys
// and values are turned to kv [B,H,2,d,quads] first.

struct Dims {
  batch: u32,
  fields: u32,
  heads: u32,
  dim: u32,
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
@group(0) @binding(2) var<storage, read> qkv: array<f32>;
@group(0) @binding(3) var<storage, read_write> kv4: array<vec4f>;
@group(0) @binding(3) var<storage, read> kv_forward4: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> w4: array<vec4f>;
@group(0) @binding(4) var<storage, read> w_forward4: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> kept4: array<vec4f>;
@group(0) @binding(5) var<storage, read> kept_forward4: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> y: array<f32>;
@group(0) @binding(7) var<storage, read> dy: array<f32>;
@group(0) @binding(8) var<storage, read_write> s4: array<vec4f>;
@group(0) @binding(9) var<storage, read_write> dqkv: array<f32>;

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

// Turns the column of qkv that begins at `first` into the vec4s of kv from `to` on.
fn turn(first: u32, to: u32) {
  let stride = 3u * dims.heads * dims.dim;
  for (var q = 0u; q < dims.quads; q++) {
    let f = first + min(4u * q + vec4u(0u, 1u, 2u, 3u), vec4u(dims.fields - 1u)) * stride;
    kv4[to + q] = vec4f(qkv[f.x], qkv[f.y], qkv[f.z], qkv[f.w]);
  }
}

// Writes w and kept of one query, which is at `query` of qkv, from the keys at `keys` of kv.
fn attend(query: u32, keys: u32, at: u32) {
  var largest = vec4f(lowest);
  for (var q = 0u; q < dims.quads; q++) {
    var score = vec4f();
    for (var d = 0u; d < dims.dim; d++) {
      score += qkv[query + d] * kv4[keys + d * dims.quads + q];
    }
    score = select(vec4f(lowest), dims.scale * score, 4u * q + vec4u(0u, 1u, 2u, 3u) < vec4u(dims.fields));
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
  let width = dims.heads * dims.dim;
  for (var n = id.x; n < dims.batch * dims.heads; n += groups.x * threads) {
    let row = n / dims.heads * dims.fields;
    let head = n % dims.heads * dims.dim;
    let queries = 3u * row * width + head;
    let keys = 2u * n * dims.dim * dims.quads;
    let values = keys + dims.dim * dims.quads;
    for (var d = 0u; d < dims.dim; d++) {
      turn(queries + width + d, keys + d * dims.quads);
      turn(queries + 2u * width + d, values + d * dims.quads);
    }
    for (var i = 0u; i < dims.fields; i++) {
      let at = (n * dims.fields + i) * dims.quads;
      attend(queries + 3u * i * width, keys, at);
      for (var d = 0u; d < dims.dim; d++) {
        var sum = vec4f();
        for (var q = 0u; q < dims.quads; q++) {
          sum += kept4[at + q] * kv4[values + d * dims.quads + q];
        }
        y[(row + i) * width + head + d] = across(sum);
      }
    }
  }
}

// Writes s of one query; the gradient of its result is at `result` of dy, the values at `values` of kv.
fn unattend(result: u32, values: u32, at: u32) {
  var total = vec4f();
  for (var q = 0u; q < dims.quads; q++) {
    var g = vec4f();
    for (var d = 0u; d < dims.dim; d++) {
      g += dy[result + d] * kv_forward4[values + d * dims.quads + q];
    }
    let flow = kept_forward4[at + q] * g;
    s4[at + q] = flow;
    total += flow;
  }
  let sum = across(total);
  for (var q = 0u; q < dims.quads; q++) {
    s4[at + q] = dims.scale * (s4[at + q] - sum * w_forward4[at + q]);
  }
}

// Writes the four fields 4 · q … 4 · q + 3 of a column of dqkv that begins at `first`, those there are.
fn put(first: u32, q: u32, value: vec4f) {
  let stride = 3u * dims.heads * dims.dim;
  let at = first + 4u * q * stride;
  let count = dims.fields - 4u * q;
  dqkv[at] = value.x;
  if (count > 1u) {
    dqkv[at + stride] = value.y;
  }
  if (count > 2u) {
    dqkv[at + 2u * stride] = value.z;
  }
  if (count > 3u) {
    dqkv[at + 3u * stride] = value.w;
  }
}

// One invocation: a head of a row, then those a grid further.
@compute @workgroup_size(threads)
fn attention_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let width = dims.heads * dims.dim;
  for (var n = id.x; n < dims.batch * dims.heads; n += groups.x * threads) {
    let row = n / dims.heads * dims.fields;
    let head = n % dims.heads * dims.dim;
    let queries = 3u * row * width + head;
    let keys = 2u * n * dims.dim * dims.quads;
    let results = row * width + head;
    let weights = n * dims.fields * dims.quads;
    for (var i = 0u; i < dims.fields; i++) {
      let at = weights + i * dims.quads;
      unattend(results + i * width, keys + dims.dim * dims.quads, at);
      for (var d = 0u; d < dims.dim; d++) {
        var dq = vec4f();
        for (var q = 0u; q < dims.quads; q++) {
          dq += s4[at + q] * kv_forward4[keys + d * dims.quads + q];
        }
        dqkv[queries + 3u * i * width + d] = across(dq);
      }
    }
    for (var q = 0u; q < dims.quads; q++) {
      for (var d = 0u; d < dims.dim; d++) {
        var dk = vec4f();
        var dv = vec4f();
        for (var i = 0u; i < dims.fields; i++) {
          let at = weights + i * dims.quads + q;
          dk += qkv[queries + 3u * i * width + d] * s4[at];
          dv += dy[results + i * width + d] * kept_forward4[at];
        }
        put(queries + width + d, q, dk);
        put(queries + 2u * width + d, q, dv);
      }
    }
  }
}

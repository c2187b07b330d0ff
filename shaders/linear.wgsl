// Affine map, x [rows,inner], w [cols,inner], b [cols] → y = x·wᵀ + b, with dx = dy·w, dw = dyᵀ·x, db = Σ_rows dy.
// All products are a [rows,inner] · b [inner,cols], by register tiles of 4 rows × 8 columns without barriers; the
// sizes below are those of the product at hand. What is read along inner is packed first, so that a tile reads memory
// in order and any size will do: in panels of 4 · wide columns, [panel][inner][wide] vec4s. Columns beyond the edge
// repeat a valid one and are left out of the result.
//   linear_pack           panels of s, of which element (k,c) is s[k · inner_step + c · col_step]
//   linear_pack_vec4      panels of s [inner,quads]
//   linear_forward        y = a·p + b, p in panels of 8
//   linear_backward_x     y = a·p, p in panels of 8
//   linear_backward_w     y = gᵀ·p, g in panels of 4, p in panels of 8                   over per_split of inner each
//   linear_backward_b     y = Σ_inner g, g in panels of 4                                over per_split of inner each
//   linear_sum_partials   total = Σ_splits partials [splits,quads]

struct Dims {
  rows: u32,
  inner: u32,
  cols: u32,
  quads: u32,
  wide: u32,
  inner_step: u32,
  col_step: u32,
  count: u32,
  per_split: u32,
  splits: u32,
  stride: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> s: array<f32>;
@group(0) @binding(1) var<storage, read> s4: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> packed4: array<vec4f>;
@group(0) @binding(3) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read> g4: array<vec4f>;
@group(0) @binding(4) var<storage, read> p4: array<vec4f>;
@group(0) @binding(5) var<storage, read> b: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(7) var<storage, read> partials4: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> total4: array<vec4f>;

const threads = 64u;
// Steps of inner that an invocation packs: long enough to outweigh its start.
const span = 32u;

// Where vec4 `quad` of the columns is at step k.
fn place(quad: u32, k: u32) -> u32 {
  return (quad / dims.wide * dims.inner + k) * dims.wide + quad % dims.wide;
}

// One invocation: a block of one vec4 of columns, then those a grid further.
@compute @workgroup_size(threads)
fn linear_pack(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let quad = i % dims.quads;
    let first = i / dims.quads * span;
    let end = min(first + span, dims.inner);
    let c = min(4u * quad + vec4u(0u, 1u, 2u, 3u), vec4u(dims.cols - 1u)) * dims.col_step;
    let to = place(quad, 0u);
    for (var k = first; k < end; k++) {
      let at = k * dims.inner_step;
      packed4[to + k * dims.wide] = vec4f(s[c.x + at], s[c.y + at], s[c.z + at], s[c.w + at]);
    }
  }
}

// One invocation: a block of one vec4 of columns, then those a grid further; cols counts vec4s.
@compute @workgroup_size(threads)
fn linear_pack_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let quad = i % dims.quads;
    let first = i / dims.quads * span;
    let end = min(first + span, dims.inner);
    let source = min(quad, dims.cols - 1u);
    let to = place(quad, 0u);
    for (var k = first; k < end; k++) {
      packed4[to + k * dims.wide] = s4[source + k * dims.cols];
    }
  }
}

// Writes eight columns of a row of the result that begins at `base`, but none beyond its edges.
fn store(base: u32, row: u32, col: u32, left: vec4f, right: vec4f) {
  if (row >= dims.rows) {
    return;
  }
  let at = base + row * dims.cols + col;
  let count = dims.cols - col;
  if (count >= 8u) {
    y[at] = left.x;
    y[at + 1u] = left.y;
    y[at + 2u] = left.z;
    y[at + 3u] = left.w;
    y[at + 4u] = right.x;
    y[at + 5u] = right.y;
    y[at + 6u] = right.z;
    y[at + 7u] = right.w;
    return;
  }
  y[at] = left.x;
  if (count > 1u) {
    y[at + 1u] = left.y;
  }
  if (count > 2u) {
    y[at + 2u] = left.z;
  }
  if (count > 3u) {
    y[at + 3u] = left.w;
  }
  if (count > 4u) {
    y[at + 4u] = right.x;
  }
  if (count > 5u) {
    y[at + 5u] = right.y;
  }
  if (count > 6u) {
    y[at + 6u] = right.z;
  }
}

// 4×8 of a·p + (left, right). A workgroup takes 256 rows of one panel; the panels of these rows come first, so that
// both stay in the caches.
fn product(id: vec3u, left: vec4f, right: vec4f) {
  let row = 4u * (id.z * threads + id.x);
  let r = min(row + vec4u(0u, 1u, 2u, 3u), vec4u(dims.rows - 1u)) * dims.inner;
  let panel = 2u * id.y * dims.inner;
  var left0 = vec4f();
  var left1 = vec4f();
  var left2 = vec4f();
  var left3 = vec4f();
  var right0 = vec4f();
  var right1 = vec4f();
  var right2 = vec4f();
  var right3 = vec4f();
  for (var k = 0u; k < dims.inner; k++) {
    let p = p4[panel + 2u * k];
    let q = p4[panel + 2u * k + 1u];
    let a0 = vec4f(a[r.x + k]);
    left0 += a0 * p;
    right0 += a0 * q;
    let a1 = vec4f(a[r.y + k]);
    left1 += a1 * p;
    right1 += a1 * q;
    let a2 = vec4f(a[r.z + k]);
    left2 += a2 * p;
    right2 += a2 * q;
    let a3 = vec4f(a[r.w + k]);
    left3 += a3 * p;
    right3 += a3 * q;
  }
  let col = 8u * id.y;
  store(0u, row, col, left0 + left, right0 + right);
  store(0u, row + 1u, col, left1 + left, right1 + right);
  store(0u, row + 2u, col, left2 + left, right2 + right);
  store(0u, row + 3u, col, left3 + left, right3 + right);
}

// One invocation: 4×8 of y.
@compute @workgroup_size(threads)
fn linear_forward(@builtin(global_invocation_id) id: vec3u) {
  let last = vec4u(dims.cols - 1u);
  let c = min(8u * id.y + vec4u(0u, 1u, 2u, 3u), last);
  let d = min(8u * id.y + vec4u(4u, 5u, 6u, 7u), last);
  product(id, vec4f(b[c.x], b[c.y], b[c.z], b[c.w]), vec4f(b[d.x], b[d.y], b[d.z], b[d.w]));
}

// One invocation: 4×8 of dx.
@compute @workgroup_size(threads)
fn linear_backward_x(@builtin(global_invocation_id) id: vec3u) {
  product(id, vec4f(), vec4f());
}

// One invocation: 4×8 of y, over one split of inner; ordered as above within each split.
@compute @workgroup_size(threads)
fn linear_backward_w(@builtin(global_invocation_id) id: vec3u) {
  let blocks = (dims.rows + 4u * threads - 1u) / (4u * threads);
  let split = id.z / blocks;
  let row = 4u * (id.z % blocks * threads + id.x);
  if (row >= dims.rows) {
    return;
  }
  let first = split * dims.per_split;
  let end = min(first + dims.per_split, dims.inner);
  let tile = row * dims.inner;
  let panel = 2u * id.y * dims.inner;
  var left0 = vec4f();
  var left1 = vec4f();
  var left2 = vec4f();
  var left3 = vec4f();
  var right0 = vec4f();
  var right1 = vec4f();
  var right2 = vec4f();
  var right3 = vec4f();
  for (var k = first; k < end; k++) {
    let p = p4[panel + 2u * k];
    let q = p4[panel + 2u * k + 1u];
    let g0 = vec4f(g[tile + 4u * k]);
    left0 += g0 * p;
    right0 += g0 * q;
    let g1 = vec4f(g[tile + 4u * k + 1u]);
    left1 += g1 * p;
    right1 += g1 * q;
    let g2 = vec4f(g[tile + 4u * k + 2u]);
    left2 += g2 * p;
    right2 += g2 * q;
    let g3 = vec4f(g[tile + 4u * k + 3u]);
    left3 += g3 * p;
    right3 += g3 * q;
  }
  let col = 8u * id.y;
  let base = split * dims.stride;
  store(base, row, col, left0, right0);
  store(base, row + 1u, col, left1, right1);
  store(base, row + 2u, col, left2, right2);
  store(base, row + 3u, col, left3, right3);
}

// One invocation: four columns, over split id.y of inner.
@compute @workgroup_size(threads)
fn linear_backward_b(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= dims.quads) {
    return;
  }
  let first = id.y * dims.per_split;
  let end = min(first + dims.per_split, dims.inner);
  var sum = vec4f();
  for (var k = first; k < end; k++) {
    sum += g4[id.x * dims.inner + k];
  }
  y4[id.y * dims.quads + id.x] = sum;
}

// One invocation: four elements, then those a grid further.
@compute @workgroup_size(threads)
fn linear_sum_partials(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.quads; i += groups.x * threads) {
    var sum = vec4f();
    for (var split = 0u; split < dims.splits; split++) {
      sum += partials4[split * dims.quads + i];
    }
    total4[i] = sum;
  }
}

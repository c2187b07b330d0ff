// Affine map, x [rows,inner], w [cols,inner], b [cols] → y = x·wᵀ + b, with dx = dy·w, dw = dyᵀ·x, db = Σ_rows dy.
// All products are a [rows,inner] · b [inner,cols], by register tiles of 5 rows × 8 columns without barriers; the
// sizes below are those of the product at hand. What is read along inner is packed first, so that memory is read in
// order: in panels of 8 columns, [panel][inner][8], or of 5. Columns beyond the edge repeat valid ones.
//   linear_pack             pairs of panels of s [inner,cols]
//   linear_pack_transposed  panels of sᵀ, s [cols,inner]
//   linear_pack_fives       panels of 5 of s [inner,cols]; y = Σ_inner s                 over a block of inner each
//   linear_forward          y = a·p + b
//   linear_backward_x       y = a·p
//   linear_backward_w       y = gᵀ·p, g in panels of 5                                   over per_split of inner each
//   linear_sum_partials     total = Σ_splits partials [splits,count]

struct Dims {
  rows: u32,
  inner: u32,
  cols: u32,
  panels: u32,
  count: u32,
  per_split: u32,
  splits: u32,
  stride: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> s: array<f32>;
@group(0) @binding(2) var<storage, read_write> packed: array<f32>;
@group(0) @binding(3) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> g: array<f32>;
@group(0) @binding(4) var<storage, read> p4: array<vec4f>;
@group(0) @binding(5) var<storage, read> b: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<f32>;
@group(0) @binding(7) var<storage, read> partials4: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> total4: array<vec4f>;

const threads = 64u;
// Steps of inner that an invocation packs: long enough to outweigh its start.
const span = 32u;

fn four(at: u32) -> vec4f {
  return vec4f(s[at], s[at + 1u], s[at + 2u], s[at + 3u]);
}

fn pack_four(to: u32, v: vec4f) {
  packed[to] = v.x;
  packed[to + 1u] = v.y;
  packed[to + 2u] = v.z;
  packed[to + 3u] = v.w;
}

// One invocation: a block of two panels, so that what is read together is used together, then those a grid further.
@compute @workgroup_size(threads)
fn linear_pack(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let col = 16u * (i % dims.panels);
    let first = i / dims.panels * span;
    let end = min(first + span, dims.inner);
    let left = col * dims.inner;
    let right = left + 8u * dims.inner;
    if (col + 16u <= dims.cols) {
      for (var k = first; k < end; k++) {
        let at = k * dims.cols + col;
        pack_four(left + 8u * k, four(at));
        pack_four(left + 8u * k + 4u, four(at + 4u));
        pack_four(right + 8u * k, four(at + 8u));
        pack_four(right + 8u * k + 4u, four(at + 12u));
      }
      continue;
    }
    for (var c = 0u; c < 16u; c++) {
      let to = left + c / 8u * 8u * dims.inner + c % 8u;
      for (var k = first; k < end; k++) {
        packed[to + 8u * k] = s[k * dims.cols + min(col + c, dims.cols - 1u)];
      }
    }
  }
}

// One invocation: a block of four columns, then those a grid further. What follows in memory comes first.
@compute @workgroup_size(threads)
fn linear_pack_transposed(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let blocks = (dims.inner + span - 1u) / span;
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let col = 4u * (i / blocks);
    let first = i % blocks * span;
    let c0 = min(col, dims.cols - 1u) * dims.inner;
    let c1 = min(col + 1u, dims.cols - 1u) * dims.inner;
    let c2 = min(col + 2u, dims.cols - 1u) * dims.inner;
    let c3 = min(col + 3u, dims.cols - 1u) * dims.inner;
    let to = col / 8u * 8u * dims.inner + col % 8u;
    for (var k = first; k < min(first + span, dims.inner); k++) {
      pack_four(to + 8u * k, vec4f(s[c0 + k], s[c1 + k], s[c2 + k], s[c3 + k]));
    }
  }
}

fn put_four(at: u32, v: vec4f) {
  y[at] = v.x;
  y[at + 1u] = v.y;
  y[at + 2u] = v.z;
  y[at + 3u] = v.w;
}

// One invocation: a block of one panel of five columns, then those a grid further.
@compute @workgroup_size(threads)
fn linear_pack_fives(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let col = 5u * (i % dims.panels);
    let split = i / dims.panels;
    let first = split * span;
    let end = min(first + span, dims.inner);
    let total = split * dims.stride + col;
    if (col + 5u <= dims.cols) {
      var sum = vec4f();
      var fifth = 0.0;
      for (var k = first; k < end; k++) {
        let at = k * dims.cols + col;
        let to = col * dims.inner + 5u * k;
        let v = four(at);
        let last = s[at + 4u];
        pack_four(to, v);
        packed[to + 4u] = last;
        sum += v;
        fifth += last;
      }
      put_four(total, sum);
      y[total + 4u] = fifth;
      continue;
    }
    for (var c = 0u; c < 5u; c++) {
      let source = min(col + c, dims.cols - 1u);
      var sum = 0.0;
      for (var k = first; k < end; k++) {
        let value = s[k * dims.cols + source];
        packed[col * dims.inner + 5u * k + c] = value;
        sum += value;
      }
      if (col + c < dims.cols) {
        y[total + c] = sum;
      }
    }
  }
}

fn put_eight(at: u32, left: vec4f, right: vec4f) {
  put_four(at, left);
  put_four(at + 4u, right);
}

fn put_within(at: u32, count: u32, i: u32, value: f32) {
  if (i < count) {
    y[at + i] = value;
  }
}

// Writes eight columns of a row of the result that begins at `base`, but none beyond its edges.
fn put_row(base: u32, row: u32, col: u32, left: vec4f, right: vec4f) {
  if (row < dims.rows) {
    let at = base + row * dims.cols + col;
    let count = dims.cols - col;
    put_within(at, count, 0u, left.x);
    put_within(at, count, 1u, left.y);
    put_within(at, count, 2u, left.z);
    put_within(at, count, 3u, left.w);
    put_within(at, count, 4u, right.x);
    put_within(at, count, 5u, right.y);
    put_within(at, count, 6u, right.z);
    put_within(at, count, 7u, right.w);
  }
}

// 5 rows × 8 columns in registers.
struct Tile {
  left0: vec4f, left1: vec4f, left2: vec4f, left3: vec4f, left4: vec4f,
  right0: vec4f, right1: vec4f, right2: vec4f, right3: vec4f, right4: vec4f,
}

// Writes a tile, plus (left, right), of the result that begins at `base`, but nothing beyond its edges.
fn store(base: u32, row: u32, col: u32, t: Tile, left: vec4f, right: vec4f) {
  if (row + 5u <= dims.rows && col + 8u <= dims.cols) {
    let at = base + row * dims.cols + col;
    put_eight(at, t.left0 + left, t.right0 + right);
    put_eight(at + dims.cols, t.left1 + left, t.right1 + right);
    put_eight(at + 2u * dims.cols, t.left2 + left, t.right2 + right);
    put_eight(at + 3u * dims.cols, t.left3 + left, t.right3 + right);
    put_eight(at + 4u * dims.cols, t.left4 + left, t.right4 + right);
  } else {
    put_row(base, row, col, t.left0 + left, t.right0 + right);
    put_row(base, row + 1u, col, t.left1 + left, t.right1 + right);
    put_row(base, row + 2u, col, t.left2 + left, t.right2 + right);
    put_row(base, row + 3u, col, t.left3 + left, t.right3 + right);
    put_row(base, row + 4u, col, t.left4 + left, t.right4 + right);
  }
}

// 5×8 of a·p + (left, right). A workgroup takes 320 rows of one panel, the next its next: they stay in the caches.
fn product(id: vec3u, left: vec4f, right: vec4f) {
  let row = 5u * (id.z * threads + id.x);
  if (row >= dims.rows) {
    return;
  }
  let r0 = row * dims.inner;
  let r1 = min(row + 1u, dims.rows - 1u) * dims.inner;
  let r2 = min(row + 2u, dims.rows - 1u) * dims.inner;
  let r3 = min(row + 3u, dims.rows - 1u) * dims.inner;
  let r4 = min(row + 4u, dims.rows - 1u) * dims.inner;
  let panel = 2u * id.y * dims.inner;
  var t = Tile();
  for (var k = 0u; k < dims.inner; k++) {
    let p = p4[panel + 2u * k];
    let q = p4[panel + 2u * k + 1u];
    let a0 = vec4f(a[r0 + k]);
    t.left0 += a0 * p;
    t.right0 += a0 * q;
    let a1 = vec4f(a[r1 + k]);
    t.left1 += a1 * p;
    t.right1 += a1 * q;
    let a2 = vec4f(a[r2 + k]);
    t.left2 += a2 * p;
    t.right2 += a2 * q;
    let a3 = vec4f(a[r3 + k]);
    t.left3 += a3 * p;
    t.right3 += a3 * q;
    let a4 = vec4f(a[r4 + k]);
    t.left4 += a4 * p;
    t.right4 += a4 * q;
  }
  store(0u, row, 8u * id.y, t, left, right);
}

// One invocation: 5×8 of y.
@compute @workgroup_size(threads)
fn linear_forward(@builtin(global_invocation_id) id: vec3u) {
  let col = 8u * id.y;
  var left = vec4f();
  var right = vec4f();
  if (col + 8u <= dims.cols) {
    left = vec4f(b[col], b[col + 1u], b[col + 2u], b[col + 3u]);
    right = vec4f(b[col + 4u], b[col + 5u], b[col + 6u], b[col + 7u]);
  } else {
    let c = min(col + vec4u(0u, 1u, 2u, 3u), vec4u(dims.cols - 1u));
    let d = min(col + vec4u(4u, 5u, 6u, 7u), vec4u(dims.cols - 1u));
    left = vec4f(b[c.x], b[c.y], b[c.z], b[c.w]);
    right = vec4f(b[d.x], b[d.y], b[d.z], b[d.w]);
  }
  product(id, left, right);
}

// One invocation: 5×8 of dx.
@compute @workgroup_size(threads)
fn linear_backward_x(@builtin(global_invocation_id) id: vec3u) {
  product(id, vec4f(), vec4f());
}

// One invocation: 5×8 of y, over one split of inner; ordered as above within each split.
@compute @workgroup_size(threads)
fn linear_backward_w(@builtin(global_invocation_id) id: vec3u) {
  let blocks = (dims.rows + 5u * threads - 1u) / (5u * threads);
  let split = id.z / blocks;
  let row = 5u * (id.z % blocks * threads + id.x);
  if (row >= dims.rows) {
    return;
  }
  let first = split * dims.per_split;
  let tile = row * dims.inner;
  let panel = 2u * id.y * dims.inner;
  var t = Tile();
  for (var k = first; k < min(first + dims.per_split, dims.inner); k++) {
    let p = p4[panel + 2u * k];
    let q = p4[panel + 2u * k + 1u];
    let g0 = vec4f(g[tile + 5u * k]);
    t.left0 += g0 * p;
    t.right0 += g0 * q;
    let g1 = vec4f(g[tile + 5u * k + 1u]);
    t.left1 += g1 * p;
    t.right1 += g1 * q;
    let g2 = vec4f(g[tile + 5u * k + 2u]);
    t.left2 += g2 * p;
    t.right2 += g2 * q;
    let g3 = vec4f(g[tile + 5u * k + 3u]);
    t.left3 += g3 * p;
    t.right3 += g3 * q;
    let g4 = vec4f(g[tile + 5u * k + 4u]);
    t.left4 += g4 * p;
    t.right4 += g4 * q;
  }
  store(split * dims.stride, row, 8u * id.y, t, vec4f(), vec4f());
}

// One invocation: four elements, then those a grid further.
@compute @workgroup_size(threads)
fn linear_sum_partials(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    var sum = vec4f();
    for (var split = 0u; split < dims.splits; split++) {
      sum += partials4[split * dims.count + i];
    }
    total4[i] = sum;
  }
}

// Softmax of each row, x [rows,cols] → y [rows,cols]:
//   softmax_forward:   y = e^(x − max x) / Σ e^(x − max x)
//   softmax_backward:  dx = y · (dy − Σ y · dy)
// The forward pass takes four rows at once, one lane of a vec4 for each, since rows are short.

struct Dims {
  rows: u32,
  cols: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> y_forward: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

const threads = 64u;

// Where four rows begin; beyond the end the last one, again.
struct Rows {
  a: u32,
  b: u32,
  c: u32,
  d: u32,
}

fn rows_at(q: u32) -> Rows {
  let last = dims.rows - 1u;
  let a = 4u * q;
  return Rows(
    a * dims.cols,
    min(a + 1u, last) * dims.cols,
    min(a + 2u, last) * dims.cols,
    min(a + 3u, last) * dims.cols,
  );
}

// Column k of the rows.
fn load(rows: Rows, k: u32) -> vec4f {
  return vec4f(x[rows.a + k], x[rows.b + k], x[rows.c + k], x[rows.d + k]);
}

fn found(rows: Rows, k: u32) -> vec4f {
  return vec4f(y[rows.a + k], y[rows.b + k], y[rows.c + k], y[rows.d + k]);
}

fn put(rows: Rows, k: u32, v: vec4f) {
  y[rows.a + k] = v.x;
  y[rows.b + k] = v.y;
  y[rows.c + k] = v.z;
  y[rows.d + k] = v.w;
}

// One invocation: four rows, then those a grid further.
@compute @workgroup_size(threads)
fn softmax_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var q = id.x; q < (dims.rows + 3u) / 4u; q += groups.x * threads) {
    let rows = rows_at(q);
    var largest = load(rows, 0u);
    for (var k = 1u; k < dims.cols; k++) {
      largest = max(largest, load(rows, k));
    }
    var total = vec4f();
    for (var k = 0u; k < dims.cols; k++) {
      let e = exp(load(rows, k) - largest);
      put(rows, k, e);
      total += e;
    }
    for (var k = 0u; k < dims.cols; k++) {
      put(rows, k, found(rows, k) / total);
    }
  }
}

// One invocation: one row, then those a grid further.
@compute @workgroup_size(threads)
fn softmax_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var row = id.x; row < dims.rows; row += groups.x * threads) {
    let first = row * dims.cols;
    let end = first + dims.cols;
    var total = 0.0;
    for (var i = first; i < end; i++) {
      total += y_forward[i] * dy[i];
    }
    for (var i = first; i < end; i++) {
      dx[i] = y_forward[i] * (dy[i] - total);
    }
  }
}

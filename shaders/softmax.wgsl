// Softmax of each row, x [rows,cols] → y [rows,cols]:
//   softmax_forward:   y = e^(x − max x) / Σ e^(x − max x)
//   softmax_backward:  dx = y · (dy − Σ y · dy)

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

// One invocation: one row, then those a grid further.
@compute @workgroup_size(threads)
fn softmax_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var row = id.x; row < dims.rows; row += groups.x * threads) {
    let first = row * dims.cols;
    let end = first + dims.cols;
    var largest = x[first];
    for (var i = first + 1u; i < end; i++) {
      largest = max(largest, x[i]);
    }
    var total = 0.0;
    for (var i = first; i < end; i++) {
      let e = exp(x[i] - largest);
      y[i] = e;
      total += e;
    }
    for (var i = first; i < end; i++) {
      y[i] /= total;
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

// Rows of mean 0 and variance 1, x [rows,cols], both over the row, the variance biased:
//   layer_norm_forward:   y = (x − mean) · scale,  scale = 1 / √(variance + eps)
//   layer_norm_backward:  dx = scale · (dy − mean of dy − y · mean of dy · y)

struct Dims {
  rows: u32,
  cols: u32,
  eps: f32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> scale: array<f32>;
@group(0) @binding(2) var<storage, read> scale_forward: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> y_forward: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

const threads = 64u;

// One invocation: one row, then those a grid further.
@compute @workgroup_size(threads)
fn layer_norm_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var row = id.x; row < dims.rows; row += groups.x * threads) {
    let first = row * dims.cols;
    let end = first + dims.cols;
    var sum = 0.0;
    for (var i = first; i < end; i++) {
      sum += x[i];
    }
    let mean = sum / f32(dims.cols);
    var squares = 0.0;
    for (var i = first; i < end; i++) {
      squares += (x[i] - mean) * (x[i] - mean);
    }
    let factor = 1.0 / sqrt(squares / f32(dims.cols) + dims.eps);
    scale[row] = factor;
    for (var i = first; i < end; i++) {
      y[i] = (x[i] - mean) * factor;
    }
  }
}

// One invocation: one row, then those a grid further.
@compute @workgroup_size(threads)
fn layer_norm_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var row = id.x; row < dims.rows; row += groups.x * threads) {
    let first = row * dims.cols;
    let end = first + dims.cols;
    var sum = 0.0;
    var product = 0.0;
    for (var i = first; i < end; i++) {
      sum += dy[i];
      product += dy[i] * y_forward[i];
    }
    let mean = sum / f32(dims.cols);
    let along = product / f32(dims.cols);
    for (var i = first; i < end; i++) {
      dx[i] = scale_forward[row] * (dy[i] - mean - y_forward[i] * along);
    }
  }
}

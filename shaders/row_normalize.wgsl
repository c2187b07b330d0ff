// Rows of unit length, x [N,W], r[n] = 1 / max(√Σ_j x[n,j]², eps):
//   row_normalize_forward:   y = x · r, r kept for the backward pass, negative where the length was below eps
//   row_normalize_backward:  dx = r · (dy − y · Σ_j dy · y), or r · dy where the length was below eps
// _vec4 entries are for W of whole vec4s; width is W, there counted in vec4s.

struct Dims {
  rows: u32,
  width: u32,
  eps: f32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> x4: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(2) var<storage, read> y_forward: array<f32>;
@group(0) @binding(2) var<storage, read> y_forward4: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> r: array<f32>;
@group(0) @binding(3) var<storage, read> r_forward: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read> dy4: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx4: array<vec4f>;

const threads = 64u;

// 1 / max(√squares, eps), negative if that is eps.
fn reciprocal(squares: f32) -> f32 {
  let length = sqrt(squares);
  return select(-1.0 / dims.eps, 1.0 / length, length > dims.eps);
}

// Of every entry, one invocation: one row, then those a grid further.
@compute @workgroup_size(threads)
fn row_normalize_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var row = id.x; row < dims.rows; row += groups.x * threads) {
    let first = row * dims.width;
    var squares = 0.0;
    for (var j = 0u; j < dims.width; j++) {
      squares += x[first + j] * x[first + j];
    }
    let factor = reciprocal(squares);
    r[row] = factor;
    for (var j = 0u; j < dims.width; j++) {
      y[first + j] = x[first + j] * abs(factor);
    }
  }
}

@compute @workgroup_size(threads)
fn row_normalize_forward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var row = id.x; row < dims.rows; row += groups.x * threads) {
    let first = row * dims.width;
    var squares = vec4f();
    for (var j = 0u; j < dims.width; j++) {
      squares += x4[first + j] * x4[first + j];
    }
    let factor = reciprocal(dot(squares, vec4f(1.0)));
    r[row] = factor;
    for (var j = 0u; j < dims.width; j++) {
      y4[first + j] = x4[first + j] * abs(factor);
    }
  }
}

@compute @workgroup_size(threads)
fn row_normalize_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var row = id.x; row < dims.rows; row += groups.x * threads) {
    let first = row * dims.width;
    var total = 0.0;
    for (var j = 0u; j < dims.width; j++) {
      total += dy[first + j] * y_forward[first + j];
    }
    let factor = r_forward[row];
    let along = select(0.0, total, factor > 0.0);
    for (var j = 0u; j < dims.width; j++) {
      dx[first + j] = abs(factor) * (dy[first + j] - y_forward[first + j] * along);
    }
  }
}

@compute @workgroup_size(threads)
fn row_normalize_backward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var row = id.x; row < dims.rows; row += groups.x * threads) {
    let first = row * dims.width;
    var products = vec4f();
    for (var j = 0u; j < dims.width; j++) {
      products += dy4[first + j] * y_forward4[first + j];
    }
    let factor = r_forward[row];
    let along = select(0.0, dot(products, vec4f(1.0)), factor > 0.0);
    for (var j = 0u; j < dims.width; j++) {
      dx4[first + j] = abs(factor) * (dy4[first + j] - y_forward4[first + j] * along);
    }
  }
}

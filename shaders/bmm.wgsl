// Products of small matrices, one pair a batch: a [N,I,J], c [N,J,K] → y [N,I,K]
//   bmm_forward:     y[n] = a[n]·c[n]
//   bmm_backward_a:  da[n] = dy[n]·c[n]ᵀ
//   bmm_backward_c:  dc[n] = a[n]ᵀ·dy[n]
// _vec4 entries are for K of whole vec4s; cols is K, there counted in vec4s.

struct Dims {
  batch: u32,
  rows: u32,
  inner: u32,
  cols: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> c: array<f32>;
@group(0) @binding(2) var<storage, read> c4: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read> dy4: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> da: array<f32>;
@group(0) @binding(6) var<storage, read_write> dc: array<f32>;
@group(0) @binding(6) var<storage, read_write> dc4: array<vec4f>;

const threads = 64u;

// Of every entry, one invocation: a row of the result, then those a grid further.
@compute @workgroup_size(threads)
fn bmm_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var r = id.x; r < dims.batch * dims.rows; r += groups.x * threads) {
    let other = r / dims.rows * dims.inner * dims.cols;
    for (var k = 0u; k < dims.cols; k++) {
      var sum = 0.0;
      for (var j = 0u; j < dims.inner; j++) {
        sum += a[r * dims.inner + j] * c[other + j * dims.cols + k];
      }
      y[r * dims.cols + k] = sum;
    }
  }
}

@compute @workgroup_size(threads)
fn bmm_forward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var r = id.x; r < dims.batch * dims.rows; r += groups.x * threads) {
    let other = r / dims.rows * dims.inner * dims.cols;
    for (var k = 0u; k < dims.cols; k++) {
      var sum = vec4f();
      for (var j = 0u; j < dims.inner; j++) {
        sum += a[r * dims.inner + j] * c4[other + j * dims.cols + k];
      }
      y4[r * dims.cols + k] = sum;
    }
  }
}

@compute @workgroup_size(threads)
fn bmm_backward_a(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var r = id.x; r < dims.batch * dims.rows; r += groups.x * threads) {
    let other = r / dims.rows * dims.inner * dims.cols;
    for (var j = 0u; j < dims.inner; j++) {
      var sum = 0.0;
      for (var k = 0u; k < dims.cols; k++) {
        sum += dy[r * dims.cols + k] * c[other + j * dims.cols + k];
      }
      da[r * dims.inner + j] = sum;
    }
  }
}

@compute @workgroup_size(threads)
fn bmm_backward_a_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var r = id.x; r < dims.batch * dims.rows; r += groups.x * threads) {
    let other = r / dims.rows * dims.inner * dims.cols;
    for (var j = 0u; j < dims.inner; j++) {
      var sum = vec4f();
      for (var k = 0u; k < dims.cols; k++) {
        sum += dy4[r * dims.cols + k] * c4[other + j * dims.cols + k];
      }
      da[r * dims.inner + j] = dot(sum, vec4f(1.0));
    }
  }
}

@compute @workgroup_size(threads)
fn bmm_backward_c(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var r = id.x; r < dims.batch * dims.inner; r += groups.x * threads) {
    let first = r / dims.inner * dims.rows;
    let j = r % dims.inner;
    for (var k = 0u; k < dims.cols; k++) {
      var sum = 0.0;
      for (var i = first; i < first + dims.rows; i++) {
        sum += a[i * dims.inner + j] * dy[i * dims.cols + k];
      }
      dc[r * dims.cols + k] = sum;
    }
  }
}

@compute @workgroup_size(threads)
fn bmm_backward_c_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var r = id.x; r < dims.batch * dims.inner; r += groups.x * threads) {
    let first = r / dims.inner * dims.rows;
    let j = r % dims.inner;
    for (var k = 0u; k < dims.cols; k++) {
      var sum = vec4f();
      for (var i = first; i < first + dims.rows; i++) {
        sum += a[i * dims.inner + j] * dy4[i * dims.cols + k];
      }
      dc4[r * dims.cols + k] = sum;
    }
  }
}

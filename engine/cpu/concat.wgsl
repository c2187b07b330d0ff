// shaders/concat.wgsl for invocations that run one after the other: each copies a whole row, in the order of memory. The
// same entries and the same numbers.

struct Dims {
  count: u32,
  rows: u32,
  length: u32,
  stride: u32,
  offset: u32,
  block: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> x4: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read> dy4: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx4: array<vec4f>;

const threads = 64u;

// One invocation of every entry: one row of the input, then those a grid further.
@compute @workgroup_size(threads)
fn concat_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var r = id.x; r < dims.rows; r += groups.x * threads) {
    for (var c = 0u; c < dims.length; c++) {
      y[r * dims.stride + dims.offset + c] = x[r * dims.length + c];
    }
  }
}

@compute @workgroup_size(threads)
fn concat_forward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var r = id.x; r < dims.rows; r += groups.x * threads) {
    for (var c = 0u; c < dims.length; c++) {
      y4[r * dims.stride + dims.offset + c] = x4[r * dims.length + c];
    }
  }
}

@compute @workgroup_size(threads)
fn concat_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var r = id.x; r < dims.rows; r += groups.x * threads) {
    for (var c = 0u; c < dims.length; c++) {
      dx[r * dims.length + c] = dy[r * dims.stride + dims.offset + c];
    }
  }
}

@compute @workgroup_size(threads)
fn concat_backward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var r = id.x; r < dims.rows; r += groups.x * threads) {
    for (var c = 0u; c < dims.length; c++) {
      dx4[r * dims.length + c] = dy4[r * dims.stride + dims.offset + c];
    }
  }
}

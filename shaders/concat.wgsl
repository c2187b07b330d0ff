// Copies between an input and its slice of the output:
//   concat_forward:   y[o, offset + i] = x[o,i]        x [outer,length], y [outer,stride]
//   concat_backward:  dx[o,i] = dy[o, offset + i]
// _vec4: everything in whole vec4s, counted so. count = outer · length.

struct Dims {
  count: u32,
  length: u32,
  stride: u32,
  offset: u32,
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

// Where element i of the input lies in the output.
fn at(i: u32) -> u32 {
  return i / dims.length * dims.stride + dims.offset + i % dims.length;
}

// Of every entry, one invocation: an element or vec4 of the input, then those a grid further.
@compute @workgroup_size(threads)
fn concat_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    y[at(i)] = x[i];
  }
}

@compute @workgroup_size(threads)
fn concat_forward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    y4[at(i)] = x4[i];
  }
}

@compute @workgroup_size(threads)
fn concat_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    dx[i] = dy[at(i)];
  }
}

@compute @workgroup_size(threads)
fn concat_backward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    dx4[i] = dy4[at(i)];
  }
}

// Copies between an input and its slice of the output:
//   concat_forward:   y[r, offset + c] = x[r,c]        x [rows,length], y [rows,stride]
//   concat_backward:  dx[r,c] = dy[r, offset + c]
// _vec4: everything in whole vec4s, counted so.

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

// A column of the input in a block of rows: [r, end). A loop over it needs no division.
struct Tile {
  r: u32,
  end: u32,
  c: u32,
}

fn tile(i: u32) -> Tile {
  let first = i / dims.length * dims.block;
  return Tile(first, min(first + dims.block, dims.rows), i % dims.length);
}

// One invocation of every entry: one column, or vec4 of columns, of a block of rows of the input.
@compute @workgroup_size(threads)
fn concat_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let t = tile(i);
    for (var r = t.r; r < t.end; r++) {
      y[r * dims.stride + dims.offset + t.c] = x[r * dims.length + t.c];
    }
  }
}

@compute @workgroup_size(threads)
fn concat_forward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let t = tile(i);
    for (var r = t.r; r < t.end; r++) {
      y4[r * dims.stride + dims.offset + t.c] = x4[r * dims.length + t.c];
    }
  }
}

@compute @workgroup_size(threads)
fn concat_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let t = tile(i);
    for (var r = t.r; r < t.end; r++) {
      dx[r * dims.length + t.c] = dy[r * dims.stride + dims.offset + t.c];
    }
  }
}

@compute @workgroup_size(threads)
fn concat_backward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let t = tile(i);
    for (var r = t.r; r < t.end; r++) {
      dx4[r * dims.length + t.c] = dy4[r * dims.stride + dims.offset + t.c];
    }
  }
}

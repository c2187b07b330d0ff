// y[b,j,i] = x[b,i,j]     x [batch,rows,cols] → y [batch,cols,rows]
// _vec4: rows and cols in whole vec4s, counted so; count is the number of 4 × 4 tiles.
// Else it is that of blocks of a column.

struct Dims {
  count: u32,
  rows: u32,
  cols: u32,
  block: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> x4: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> y4: array<vec4f>;

const threads = 64u;

// One invocation: one column of a block of rows of x; neighbours read neighbours, and the loop needs no division.
@compute @workgroup_size(threads)
fn transpose_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let blocks = (dims.rows + dims.block - 1u) / dims.block;
  for (var k = id.x; k < dims.count; k += groups.x * threads) {
    let j = k % dims.cols;
    let first = k / dims.cols % blocks * dims.block;
    let matrix = k / (dims.cols * blocks) * dims.rows * dims.cols;
    for (var i = first; i < min(first + dims.block, dims.rows); i++) {
      y[matrix + j * dims.rows + i] = x[matrix + i * dims.cols + j];
    }
  }
}

// One invocation: a tile of 4 × 4, then those a grid further.
@compute @workgroup_size(threads)
fn transpose_forward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var k = id.x; k < dims.count; k += groups.x * threads) {
    let i = k % dims.rows;
    let j = k / dims.rows % dims.cols;
    let first = k / (dims.rows * dims.cols) * 4u * dims.rows * dims.cols;
    let at = first + 4u * i * dims.cols + j;
    let a = x4[at];
    let b = x4[at + dims.cols];
    let c = x4[at + 2u * dims.cols];
    let d = x4[at + 3u * dims.cols];
    let to = first + 4u * j * dims.rows + i;
    y4[to] = vec4f(a.x, b.x, c.x, d.x);
    y4[to + dims.rows] = vec4f(a.y, b.y, c.y, d.y);
    y4[to + 2u * dims.rows] = vec4f(a.z, b.z, c.z, d.z);
    y4[to + 3u * dims.rows] = vec4f(a.w, b.w, c.w, d.w);
  }
}

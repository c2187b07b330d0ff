// A part of each row, with zeros where the row has nothing: x [rows,before] → y [rows,after],
// y[i,j] = x[i, j + skipped − added] where there is such a column, else 0.

struct Dims {
  count: u32,
  before: u32,
  after: u32,
  skipped: u32,
  added: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const threads = 64u;

// One invocation: one element of y, then those a grid further.
@compute @workgroup_size(threads)
fn resize_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let j = i % dims.after + dims.skipped;
    let column = clamp(j, dims.added, dims.added + dims.before - 1u);
    let value = x[i / dims.after * dims.before + column - dims.added];
    y[i] = select(0.0, value, j == column);
  }
}

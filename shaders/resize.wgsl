// Rows cut off, or filled up with zeros: x [rows,before] → y [rows,after], y[i,j] = x[i,j] where j < before, else 0.

struct Dims {
  count: u32,
  before: u32,
  after: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const threads = 64u;

// One invocation: one element of y, then those a grid further.
@compute @workgroup_size(threads)
fn resize_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let j = i % dims.after;
    let value = x[i / dims.after * dims.before + min(j, dims.before - 1u)];
    y[i] = select(0.0, value, j < dims.before);
  }
}

// Rows of a table: y[p,:] = table[ids[p],:]. The backward pass is a sum by rows: segment_sum.wgsl.
// The _vec4 entry is for widths of whole vec4s; width is then counted in vec4s.

struct Dims {
  count: u32,
  width: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> table: array<f32>;
@group(0) @binding(1) var<storage, read> table4: array<vec4f>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> y4: array<vec4f>;

const threads = 64u;

// One invocation: one column of one row.
@compute @workgroup_size(threads)
fn embedding_gather_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count * dims.width; i += groups.x * threads) {
    y[i] = table[ids[i / dims.width] * dims.width + i % dims.width];
  }
}

// One invocation: four columns of one row.
@compute @workgroup_size(threads)
fn embedding_gather_forward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count * dims.width; i += groups.x * threads) {
    y4[i] = table4[ids[i / dims.width] * dims.width + i % dims.width];
  }
}

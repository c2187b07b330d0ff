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

// One invocation: one row, then those a grid further. Columns are a loop, since a division for each of them costs more
// than its copy.
@compute @workgroup_size(threads)
fn embedding_gather_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var p = id.x; p < dims.count; p += groups.x * threads) {
    let first = ids[p] * dims.width;
    let own = p * dims.width;
    for (var j = 0u; j < dims.width; j++) {
      y[own + j] = table[first + j];
    }
  }
}

// One invocation: one row.
@compute @workgroup_size(threads)
fn embedding_gather_forward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var p = id.x; p < dims.count; p += groups.x * threads) {
    let first = ids[p] * dims.width;
    let own = p * dims.width;
    for (var j = 0u; j < dims.width; j++) {
      y4[own + j] = table4[first + j];
    }
  }
}

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

// Four vec4s: all are read before the first is written, so that four reads are under way.
fn copy_four(own: u32, first: u32) {
  let a = table4[first];
  let b = table4[first + 1u];
  let c = table4[first + 2u];
  let d = table4[first + 3u];
  y4[own] = a;
  y4[own + 1u] = b;
  y4[own + 2u] = c;
  y4[own + 3u] = d;
}

// One invocation: one row, four vec4s at a time, then those that are left. Rows of 16 floats do without a loop.
@compute @workgroup_size(threads)
fn embedding_gather_forward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let fours = dims.width & 0xfffffffcu;
  for (var p = id.x; p < dims.count; p += groups.x * threads) {
    let first = ids[p] * dims.width;
    let own = p * dims.width;
    if (dims.width == 4u) {
      copy_four(own, first);
      continue;
    }
    for (var j = 0u; j < fours; j += 4u) {
      copy_four(own + j, first + j);
    }
    for (var j = fours; j < dims.width; j++) {
      y4[own + j] = table4[first + j];
    }
  }
}

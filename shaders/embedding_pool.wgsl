// Pooled rows of sequences, ids [B,L] with 0 as padding:
//   y[b,:] = Σ_l table[ids[b,l],:] over ids that are not 0, divided by their count + 1e-8 if dims.mean is set
//   share[b,:] = dy[b,:] / (count + 1e-8), the gradient of each row that took part; summed by segment_sum.wgsl

struct Dims {
  batch: u32,
  length: u32,
  width: u32,
  mean: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> table: array<f32>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> share: array<f32>;

const threads = 64u;

// One invocation: one column of one sequence.
@compute @workgroup_size(threads)
fn embedding_pool_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.batch * dims.width; i += groups.x * threads) {
    let first = (i / dims.width) * dims.length;
    let column = i % dims.width;
    var total = 0.0;
    var count = 0.0;
    for (var l = first; l < first + dims.length; l++) {
      let row = ids[l];
      if (row != 0u) {
        total += table[row * dims.width + column];
        count += 1.0;
      }
    }
    y[i] = select(total, total / (count + 1e-8), dims.mean != 0u);
  }
}

// One invocation: one column of one sequence.
@compute @workgroup_size(threads)
fn embedding_pool_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.batch * dims.width; i += groups.x * threads) {
    let first = (i / dims.width) * dims.length;
    var count = 0.0;
    for (var l = first; l < first + dims.length; l++) {
      count += select(0.0, 1.0, ids[l] != 0u);
    }
    share[i] = dy[i] / (count + 1e-8);
  }
}

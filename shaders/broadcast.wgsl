// A second operand repeated over the first, and the sums that undo it.
//   broadcast_add:  y[i] = a[i] + factor · b[i / per % size]
//   broadcast_mul:  y[i] = a[i] · b[i / per % size]
//     scalar b [1]: size 1; row b [N] under a [..,N]: per 1, size N; column b [..,1]: per N, size the rows of a
//     _row: a row of whole vec4s; _column: N in whole vec4s, or a scalar; per and size are then counted in vec4s of a
//   sum:          y[o,w] = factor · Σ_j x[o, w + j · width]   x [outer,length], y [outer,width], w + j · width < length
//   sum_product:  the same with x · z for x
//   spread:       y[o,l] = factor · x[o, l % width]            x [outer,width], y [outer,length]
//     _vec4: length and width in whole vec4s, counted so
// Neighbouring invocations read neighbours, and a long sum is made in two levels: see sum.ts.

struct Dims {
  count: u32,
  per: u32,
  size: u32,
  length: u32,
  width: u32,
  factor: f32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> a4: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> b4: array<vec4f>;
@group(0) @binding(3) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> x4: array<vec4f>;
@group(0) @binding(4) var<storage, read> z: array<f32>;
@group(0) @binding(4) var<storage, read> z4: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read_write> y4: array<vec4f>;

const threads = 64u;

// Of every entry, one invocation: an element or vec4 of y, then those a grid further; count in all.
@compute @workgroup_size(threads)
fn broadcast_add(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    y[i] = a[i] + dims.factor * b[i / dims.per % dims.size];
  }
}

@compute @workgroup_size(threads)
fn broadcast_add_row(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    y4[i] = a4[i] + dims.factor * b4[i % dims.size];
  }
}

@compute @workgroup_size(threads)
fn broadcast_add_column(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    y4[i] = a4[i] + dims.factor * b[i / dims.per];
  }
}

@compute @workgroup_size(threads)
fn broadcast_mul(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    y[i] = a[i] * b[i / dims.per % dims.size];
  }
}

@compute @workgroup_size(threads)
fn broadcast_mul_row(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    y4[i] = a4[i] * b4[i % dims.size];
  }
}

@compute @workgroup_size(threads)
fn broadcast_mul_column(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    y4[i] = a4[i] * b[i / dims.per];
  }
}

@compute @workgroup_size(threads)
fn sum(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let end = (i / dims.width + 1u) * dims.length;
    var total = 0.0;
    for (var k = end - dims.length + i % dims.width; k < end; k += dims.width) {
      total += x[k];
    }
    y[i] = dims.factor * total;
  }
}

@compute @workgroup_size(threads)
fn sum_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let end = (i / dims.width + 1u) * dims.length;
    var total = vec4f();
    for (var k = end - dims.length + i % dims.width; k < end; k += dims.width) {
      total += x4[k];
    }
    y4[i] = dims.factor * total;
  }
}

@compute @workgroup_size(threads)
fn sum_product(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let end = (i / dims.width + 1u) * dims.length;
    var total = 0.0;
    for (var k = end - dims.length + i % dims.width; k < end; k += dims.width) {
      total += x[k] * z[k];
    }
    y[i] = dims.factor * total;
  }
}

@compute @workgroup_size(threads)
fn sum_product_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    let end = (i / dims.width + 1u) * dims.length;
    var total = vec4f();
    for (var k = end - dims.length + i % dims.width; k < end; k += dims.width) {
      total += x4[k] * z4[k];
    }
    y4[i] = dims.factor * total;
  }
}

@compute @workgroup_size(threads)
fn spread(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    y[i] = dims.factor * x[i / dims.length * dims.width + i % dims.width];
  }
}

@compute @workgroup_size(threads)
fn spread_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.count; i += groups.x * threads) {
    y4[i] = dims.factor * x4[i / dims.length * dims.width + i % dims.width];
  }
}

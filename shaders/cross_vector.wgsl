// Cross layer with a weight vector, a and x [B,N], w and b [N], s[b] = Σ_j x[b,j] · w[j]:
//   cross_vector_forward:   y = a · s + b + x, s kept for the backward pass
//   cross_vector_backward:  t[b] = Σ_j dy[b,j] · a[b,j],  da = dy · s,  dx = dy + t · w
//   cross_vector_blocks:    Σ_b t · x and Σ_b dy over each block of rows
//   cross_vector_sums:      dw and db, the sums of those
// _vec4 entries are for N of whole vec4s; width is N, there counted in vec4s.

struct Dims {
  batch: u32,
  width: u32,
  block: u32,
  blocks: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> a4: array<vec4f>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> x4: array<vec4f>;
@group(0) @binding(3) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> w4: array<vec4f>;
@group(0) @binding(4) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read> b4: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> s: array<f32>;
@group(0) @binding(6) var<storage, read> s_forward: array<f32>;
@group(0) @binding(7) var<storage, read> dy: array<f32>;
@group(0) @binding(7) var<storage, read> dy4: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> t: array<f32>;
@group(0) @binding(8) var<storage, read> t_backward: array<f32>;
@group(0) @binding(9) var<storage, read_write> da: array<f32>;
@group(0) @binding(9) var<storage, read_write> da4: array<vec4f>;
@group(0) @binding(10) var<storage, read_write> dx: array<f32>;
@group(0) @binding(10) var<storage, read_write> dx4: array<vec4f>;
@group(0) @binding(11) var<storage, read_write> partials: array<f32>;
@group(0) @binding(11) var<storage, read_write> partials4: array<vec4f>;
@group(0) @binding(11) var<storage, read> sums: array<f32>;
@group(0) @binding(12) var<storage, read_write> dw: array<f32>;
@group(0) @binding(13) var<storage, read_write> db: array<f32>;

const threads = 64u;

// One invocation: one row, then those a grid further.
@compute @workgroup_size(threads)
fn cross_vector_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var row = id.x; row < dims.batch; row += groups.x * threads) {
    let first = row * dims.width;
    var total = 0.0;
    for (var j = 0u; j < dims.width; j++) {
      total += x[first + j] * w[j];
    }
    s[row] = total;
    for (var j = 0u; j < dims.width; j++) {
      y[first + j] = a[first + j] * total + b[j] + x[first + j];
    }
  }
}

// One invocation: one row, then those a grid further.
@compute @workgroup_size(threads)
fn cross_vector_forward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var row = id.x; row < dims.batch; row += groups.x * threads) {
    let first = row * dims.width;
    var products = vec4f();
    for (var j = 0u; j < dims.width; j++) {
      products += x4[first + j] * w4[j];
    }
    let total = dot(products, vec4f(1.0));
    s[row] = total;
    for (var j = 0u; j < dims.width; j++) {
      y4[first + j] = a4[first + j] * total + b4[j] + x4[first + j];
    }
  }
}

// One invocation: one row, then those a grid further.
@compute @workgroup_size(threads)
fn cross_vector_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var row = id.x; row < dims.batch; row += groups.x * threads) {
    let first = row * dims.width;
    var total = 0.0;
    for (var j = 0u; j < dims.width; j++) {
      total += dy[first + j] * a[first + j];
    }
    t[row] = total;
    for (var j = 0u; j < dims.width; j++) {
      da[first + j] = dy[first + j] * s_forward[row];
      dx[first + j] = dy[first + j] + total * w[j];
    }
  }
}

// One invocation: one row, then those a grid further.
@compute @workgroup_size(threads)
fn cross_vector_backward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var row = id.x; row < dims.batch; row += groups.x * threads) {
    let first = row * dims.width;
    var products = vec4f();
    for (var j = 0u; j < dims.width; j++) {
      products += dy4[first + j] * a4[first + j];
    }
    let total = dot(products, vec4f(1.0));
    t[row] = total;
    let scale = s_forward[row];
    for (var j = 0u; j < dims.width; j++) {
      da4[first + j] = dy4[first + j] * scale;
      dx4[first + j] = dy4[first + j] + total * w4[j];
    }
  }
}

// One invocation: a column of one block of rows.
@compute @workgroup_size(threads)
fn cross_vector_blocks(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.blocks * dims.width; i += groups.x * threads) {
    let first = (i / dims.width) * dims.block;
    let j = i % dims.width;
    var products = 0.0;
    var total = 0.0;
    for (var row = first; row < min(first + dims.block, dims.batch); row++) {
      products += t_backward[row] * x[row * dims.width + j];
      total += dy[row * dims.width + j];
    }
    partials[i] = products;
    partials[dims.blocks * dims.width + i] = total;
  }
}

// One invocation: four columns of one block of rows.
@compute @workgroup_size(threads)
fn cross_vector_blocks_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.blocks * dims.width; i += groups.x * threads) {
    let first = (i / dims.width) * dims.block;
    let j = i % dims.width;
    var products = vec4f();
    var total = vec4f();
    for (var row = first; row < min(first + dims.block, dims.batch); row++) {
      products += t_backward[row] * x4[row * dims.width + j];
      total += dy4[row * dims.width + j];
    }
    partials4[i] = products;
    partials4[dims.blocks * dims.width + i] = total;
  }
}

// One invocation: one column, width here in elements.
@compute @workgroup_size(threads)
fn cross_vector_sums(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var j = id.x; j < dims.width; j += groups.x * threads) {
    var products = 0.0;
    var total = 0.0;
    for (var i = 0u; i < dims.blocks; i++) {
      products += sums[i * dims.width + j];
      total += sums[(dims.blocks + i) * dims.width + j];
    }
    dw[j] = products;
    db[j] = total;
  }
}

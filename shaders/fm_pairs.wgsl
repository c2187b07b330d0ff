// Pairwise products of fields, e [B,F,D], S = Σ_f e[b,f,d]:
//   fm_pooled: y[b,d] = ½ (S² − Σ_f e²)          de[b,f,d] = dy[b,d] · (S − e[b,f,d])
//   fm_pairs:  y[b] = Σ_d ½ (S² − Σ_f e²)        de[b,f,d] = dy[b] · (S − e[b,f,d])
// _vec4 entries are for D of whole vec4s; width is D, there counted in vec4s.

struct Dims {
  batch: u32,
  fields: u32,
  width: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> e: array<f32>;
@group(0) @binding(1) var<storage, read> e4: array<vec4f>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> dy4: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> de: array<f32>;
@group(0) @binding(4) var<storage, read_write> de4: array<vec4f>;

const threads = 64u;

// Where field 0 of element i of [batch, width] lies in e.
fn at(i: u32) -> u32 {
  return (i / dims.width) * dims.fields * dims.width + i % dims.width;
}

fn pooled(i: u32) -> f32 {
  let first = at(i);
  var sum = 0.0;
  var squares = 0.0;
  for (var f = 0u; f < dims.fields; f++) {
    let value = e[first + f * dims.width];
    sum += value;
    squares += value * value;
  }
  return 0.5 * (sum * sum - squares);
}

fn spread(i: u32, dy_i: f32) {
  let first = at(i);
  var sum = 0.0;
  for (var f = 0u; f < dims.fields; f++) {
    sum += e[first + f * dims.width];
  }
  for (var f = 0u; f < dims.fields; f++) {
    de[first + f * dims.width] = dy_i * (sum - e[first + f * dims.width]);
  }
}

// One invocation: one column of one row.
@compute @workgroup_size(threads)
fn fm_pooled_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.batch * dims.width; i += groups.x * threads) {
    y[i] = pooled(i);
  }
}

// One invocation: one column of one row, all fields.
@compute @workgroup_size(threads)
fn fm_pooled_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.batch * dims.width; i += groups.x * threads) {
    spread(i, dy[i]);
  }
}

// One invocation: one row.
@compute @workgroup_size(threads)
fn fm_pairs_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    var total = 0.0;
    for (var i = b * dims.width; i < (b + 1u) * dims.width; i++) {
      total += pooled(i);
    }
    y[b] = total;
  }
}

// One invocation: one column of one row, all fields.
@compute @workgroup_size(threads)
fn fm_pairs_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.batch * dims.width; i += groups.x * threads) {
    spread(i, f32(dy[i / dims.width]));
  }
}

fn pooled4(i: u32) -> vec4f {
  let first = at(i);
  var sum = vec4f();
  var squares = vec4f();
  for (var f = 0u; f < dims.fields; f++) {
    let value = e4[first + f * dims.width];
    sum += value;
    squares += value * value;
  }
  return 0.5 * (sum * sum - squares);
}

fn spread4(i: u32, dy_i: vec4f) {
  let first = at(i);
  var sum = vec4f();
  for (var f = 0u; f < dims.fields; f++) {
    sum += e4[first + f * dims.width];
  }
  for (var f = 0u; f < dims.fields; f++) {
    de4[first + f * dims.width] = dy_i * (sum - e4[first + f * dims.width]);
  }
}

// One invocation: four columns of one row.
@compute @workgroup_size(threads)
fn fm_pooled_forward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.batch * dims.width; i += groups.x * threads) {
    y4[i] = pooled4(i);
  }
}

// One invocation: four columns of one row, all fields.
@compute @workgroup_size(threads)
fn fm_pooled_backward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.batch * dims.width; i += groups.x * threads) {
    spread4(i, dy4[i]);
  }
}

// One invocation: one row.
@compute @workgroup_size(threads)
fn fm_pairs_forward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    var total = vec4f();
    for (var i = b * dims.width; i < (b + 1u) * dims.width; i++) {
      total += pooled4(i);
    }
    y[b] = dot(total, vec4f(1.0));
  }
}

// One invocation: four columns of one row, all fields.
@compute @workgroup_size(threads)
fn fm_pairs_backward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.batch * dims.width; i += groups.x * threads) {
    spread4(i, vec4f(dy[i / dims.width]));
  }
}

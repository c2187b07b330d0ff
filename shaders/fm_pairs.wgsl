// Pairwise products of fields, e [B,F,D], sums S[b,d] = Σ_f e[b,f,d]:
//   fm_pooled: y[b,d] = ½ (S² − Σ_f e²)          de[b,f,d] = dy[b,d] · (S − e[b,f,d])
//   fm_pairs:  y[b] = Σ_d ½ (S² − Σ_f e²)        de[b,f,d] = dy[b] · (S − e[b,f,d])
// The forward pass keeps S for the backward pass. _vec4 entries are for D of whole vec4s; width is D, there counted in
// vec4s. A row is one invocation's: reading it takes longer than starting more of them would save, and rows need no
// division.

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
@group(0) @binding(4) var<storage, read_write> sums: array<f32>;
@group(0) @binding(4) var<storage, read_write> sums4: array<vec4f>;
@group(0) @binding(5) var<storage, read> sums_forward: array<f32>;
@group(0) @binding(5) var<storage, read> sums_forward4: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> de: array<f32>;
@group(0) @binding(6) var<storage, read_write> de4: array<vec4f>;

const threads = 64u;

// Of every entry, one invocation: one row, then those a grid further.
// Column j of row b: writes S, returns ½ (S² − Σ_f e²).
fn pooled(b: u32, j: u32) -> f32 {
  var sum = 0.0;
  var squares = 0.0;
  for (var f = 0u; f < dims.fields; f++) {
    let value = e[(b * dims.fields + f) * dims.width + j];
    sum += value;
    squares += value * value;
  }
  sums[b * dims.width + j] = sum;
  return 0.5 * (sum * sum - squares);
}

fn spread(b: u32, j: u32, dy_column: f32) {
  let sum = sums_forward[b * dims.width + j];
  for (var f = 0u; f < dims.fields; f++) {
    let at = (b * dims.fields + f) * dims.width + j;
    de[at] = dy_column * (sum - e[at]);
  }
}

@compute @workgroup_size(threads)
fn fm_pooled_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    for (var j = 0u; j < dims.width; j++) {
      y[b * dims.width + j] = pooled(b, j);
    }
  }
}

@compute @workgroup_size(threads)
fn fm_pooled_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    for (var j = 0u; j < dims.width; j++) {
      spread(b, j, dy[b * dims.width + j]);
    }
  }
}

@compute @workgroup_size(threads)
fn fm_pairs_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    var total = 0.0;
    for (var j = 0u; j < dims.width; j++) {
      total += pooled(b, j);
    }
    y[b] = total;
  }
}

@compute @workgroup_size(threads)
fn fm_pairs_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    for (var j = 0u; j < dims.width; j++) {
      spread(b, j, dy[b]);
    }
  }
}

// Column j of row b: writes S, returns ½ (S² − Σ_f e²).
fn pooled4(b: u32, j: u32) -> vec4f {
  var sum = vec4f();
  var squares = vec4f();
  for (var f = 0u; f < dims.fields; f++) {
    let value = e4[(b * dims.fields + f) * dims.width + j];
    sum += value;
    squares += value * value;
  }
  sums4[b * dims.width + j] = sum;
  return 0.5 * (sum * sum - squares);
}

fn spread4(b: u32, j: u32, dy_column: vec4f) {
  let sum = sums_forward4[b * dims.width + j];
  for (var f = 0u; f < dims.fields; f++) {
    let at = (b * dims.fields + f) * dims.width + j;
    de4[at] = dy_column * (sum - e4[at]);
  }
}

@compute @workgroup_size(threads)
fn fm_pooled_forward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    for (var j = 0u; j < dims.width; j++) {
      y4[b * dims.width + j] = pooled4(b, j);
    }
  }
}

@compute @workgroup_size(threads)
fn fm_pooled_backward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    for (var j = 0u; j < dims.width; j++) {
      spread4(b, j, dy4[b * dims.width + j]);
    }
  }
}

@compute @workgroup_size(threads)
fn fm_pairs_forward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    var total = vec4f();
    for (var j = 0u; j < dims.width; j++) {
      total += pooled4(b, j);
    }
    y[b] = dot(total, vec4f(1.0));
  }
}

@compute @workgroup_size(threads)
fn fm_pairs_backward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    for (var j = 0u; j < dims.width; j++) {
      spread4(b, j, vec4f(dy[b]));
    }
  }
}

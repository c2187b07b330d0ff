// A linear map of its own for each field, x [B,F,I], w [F,O,I] → y [B,F,O]:
//   field_linear_forward:       y[b,f,:] = w[f]·x[b,f,:]
//   field_linear_backward_x:    dx[b,f,:] = w[f]ᵀ·dy[b,f,:]
//   field_linear_backward_w:    dw[f,o,:] = Σ_b dy[b,f,o] · x[b,f,:], over per_split rows each, then
//   field_linear_sum_partials:  total = Σ_splits partials [splits,stride]
// _vec4 entries are for I of whole vec4s; inner is I, there counted in vec4s.

struct Dims {
  batch: u32,
  fields: u32,
  inner: u32,
  outer: u32,
  per_split: u32,
  stride: u32,
  splits: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> x4: array<vec4f>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> w4: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx4: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> dw: array<f32>;
@group(0) @binding(6) var<storage, read_write> dw4: array<vec4f>;
@group(0) @binding(7) var<storage, read> partials4: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> total4: array<vec4f>;

const threads = 64u;

// Of the first two, one invocation: a field of a row, then those a grid further.
@compute @workgroup_size(threads)
fn field_linear_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var n = id.x; n < dims.batch * dims.fields; n += groups.x * threads) {
    let matrix = n % dims.fields * dims.outer;
    for (var o = 0u; o < dims.outer; o++) {
      var sum = 0.0;
      for (var i = 0u; i < dims.inner; i++) {
        sum += x[n * dims.inner + i] * w[(matrix + o) * dims.inner + i];
      }
      y[n * dims.outer + o] = sum;
    }
  }
}

@compute @workgroup_size(threads)
fn field_linear_forward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var n = id.x; n < dims.batch * dims.fields; n += groups.x * threads) {
    let matrix = n % dims.fields * dims.outer;
    for (var o = 0u; o < dims.outer; o++) {
      var sum = vec4f();
      for (var i = 0u; i < dims.inner; i++) {
        sum += x4[n * dims.inner + i] * w4[(matrix + o) * dims.inner + i];
      }
      y[n * dims.outer + o] = dot(sum, vec4f(1.0));
    }
  }
}

@compute @workgroup_size(threads)
fn field_linear_backward_x(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var n = id.x; n < dims.batch * dims.fields; n += groups.x * threads) {
    let matrix = n % dims.fields * dims.outer;
    for (var i = 0u; i < dims.inner; i++) {
      var sum = 0.0;
      for (var o = 0u; o < dims.outer; o++) {
        sum += dy[n * dims.outer + o] * w[(matrix + o) * dims.inner + i];
      }
      dx[n * dims.inner + i] = sum;
    }
  }
}

@compute @workgroup_size(threads)
fn field_linear_backward_x_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var n = id.x; n < dims.batch * dims.fields; n += groups.x * threads) {
    let matrix = n % dims.fields * dims.outer;
    for (var i = 0u; i < dims.inner; i++) {
      var sum = vec4f();
      for (var o = 0u; o < dims.outer; o++) {
        sum += dy[n * dims.outer + o] * w4[(matrix + o) * dims.inner + i];
      }
      dx4[n * dims.inner + i] = sum;
    }
  }
}

// Of the next two, one invocation: an element or vec4 of dw from one split of the batch.
@compute @workgroup_size(threads)
fn field_linear_backward_w(@builtin(global_invocation_id) id: vec3u) {
  let at = id.x;
  if (at >= dims.fields * dims.outer * dims.inner) {
    return;
  }
  let row = at / dims.inner;
  let f = row / dims.outer;
  let first = id.y * dims.per_split;
  var sum = 0.0;
  for (var b = first; b < min(first + dims.per_split, dims.batch); b++) {
    let n = b * dims.fields + f;
    sum += dy[n * dims.outer + row % dims.outer] * x[n * dims.inner + at % dims.inner];
  }
  dw[id.y * dims.stride + at] = sum;
}

@compute @workgroup_size(threads)
fn field_linear_backward_w_vec4(@builtin(global_invocation_id) id: vec3u) {
  let at = id.x;
  if (at >= dims.fields * dims.outer * dims.inner) {
    return;
  }
  let row = at / dims.inner;
  let f = row / dims.outer;
  let first = id.y * dims.per_split;
  var sum = vec4f();
  for (var b = first; b < min(first + dims.per_split, dims.batch); b++) {
    let n = b * dims.fields + f;
    sum += dy[n * dims.outer + row % dims.outer] * x4[n * dims.inner + at % dims.inner];
  }
  dw4[id.y * dims.stride + at] = sum;
}

// One invocation: a vec4 of the total; stride counts vec4s.
@compute @workgroup_size(threads)
fn field_linear_sum_partials(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= dims.stride) {
    return;
  }
  var sum = vec4f();
  for (var s = 0u; s < dims.splits; s++) {
    sum += partials4[s * dims.stride + id.x];
  }
  total4[id.x] = sum;
}

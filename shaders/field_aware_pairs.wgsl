// Field-aware pair products, v [B,F,F,D], v[b,f,i] what feature i says to field f → y [B,D]:
//   y[b,:] = Σ_{i<j} v[b,j,i,:] · v[b,i,j,:]     dv[b,f,i,:] = dy[b,:] · v[b,i,f,:], 0 for f = i
// _vec4 entries are for D of whole vec4s; width is D, there counted in vec4s.

struct Dims {
  batch: u32,
  fields: u32,
  width: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> v: array<f32>;
@group(0) @binding(1) var<storage, read> v4: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read> dy4: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dv: array<f32>;
@group(0) @binding(4) var<storage, read_write> dv4: array<vec4f>;

const threads = 64u;

// Where v[b,f,i,:] begins.
fn at(b: u32, f: u32, i: u32) -> u32 {
  return ((b * dims.fields + f) * dims.fields + i) * dims.width;
}

// Of every entry, one invocation: a row, then those a grid further.
@compute @workgroup_size(threads)
fn field_aware_pairs_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    for (var d = 0u; d < dims.width; d++) {
      var sum = 0.0;
      for (var i = 0u; i < dims.fields; i++) {
        for (var j = i + 1u; j < dims.fields; j++) {
          sum += v[at(b, j, i) + d] * v[at(b, i, j) + d];
        }
      }
      y[b * dims.width + d] = sum;
    }
  }
}

@compute @workgroup_size(threads)
fn field_aware_pairs_forward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    for (var d = 0u; d < dims.width; d++) {
      var sum = vec4f();
      for (var i = 0u; i < dims.fields; i++) {
        for (var j = i + 1u; j < dims.fields; j++) {
          sum += v4[at(b, j, i) + d] * v4[at(b, i, j) + d];
        }
      }
      y4[b * dims.width + d] = sum;
    }
  }
}

@compute @workgroup_size(threads)
fn field_aware_pairs_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    for (var f = 0u; f < dims.fields; f++) {
      for (var i = 0u; i < dims.fields; i++) {
        for (var d = 0u; d < dims.width; d++) {
          dv[at(b, f, i) + d] = select(dy[b * dims.width + d] * v[at(b, i, f) + d], 0.0, f == i);
        }
      }
    }
  }
}

@compute @workgroup_size(threads)
fn field_aware_pairs_backward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    for (var f = 0u; f < dims.fields; f++) {
      for (var i = 0u; i < dims.fields; i++) {
        for (var d = 0u; d < dims.width; d++) {
          dv4[at(b, f, i) + d] = select(dy4[b * dims.width + d] * v4[at(b, i, f) + d], vec4f(), f == i);
        }
      }
    }
  }
}

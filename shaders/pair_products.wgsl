// Products of pairs of fields, e [B,F,D] → y [B,P,D], pairs (i,j), i < j, in the order (0,1), (0,2), … (F−2,F−1):
//   y[b,(i,j),:] = e[b,i,:] · e[b,j,:]           de[b,i,:] = Σ_{j ≠ i} dy[b,(i,j),:] · e[b,j,:]
// _vec4 entries are for D of whole vec4s; width is D, there counted in vec4s.

struct Dims {
  batch: u32,
  fields: u32,
  pairs: u32,
  width: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> e: array<f32>;
@group(0) @binding(1) var<storage, read> e4: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read> dy4: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> de: array<f32>;
@group(0) @binding(4) var<storage, read_write> de4: array<vec4f>;

const threads = 64u;

// Of every entry, one invocation: a row, then those a grid further.
@compute @workgroup_size(threads)
fn pair_products_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let width = dims.width;
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    var to = b * dims.pairs * width;
    for (var i = 0u; i < dims.fields; i++) {
      let left = (b * dims.fields + i) * width;
      for (var j = i + 1u; j < dims.fields; j++) {
        let right = (b * dims.fields + j) * width;
        for (var d = 0u; d < width; d++) {
          y[to + d] = e[left + d] * e[right + d];
        }
        to += width;
      }
    }
  }
}

@compute @workgroup_size(threads)
fn pair_products_forward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let width = dims.width;
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    var to = b * dims.pairs * width;
    for (var i = 0u; i < dims.fields; i++) {
      let left = (b * dims.fields + i) * width;
      for (var j = i + 1u; j < dims.fields; j++) {
        let right = (b * dims.fields + j) * width;
        for (var d = 0u; d < width; d++) {
          y4[to + d] = e4[left + d] * e4[right + d];
        }
        to += width;
      }
    }
  }
}

@compute @workgroup_size(threads)
fn pair_products_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let width = dims.width;
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    let row = b * dims.fields * width;
    for (var k = row; k < row + dims.fields * width; k++) {
      de[k] = 0.0;
    }
    var from_pair = b * dims.pairs * width;
    for (var i = 0u; i < dims.fields; i++) {
      let left = row + i * width;
      for (var j = i + 1u; j < dims.fields; j++) {
        let right = row + j * width;
        for (var d = 0u; d < width; d++) {
          let flow = dy[from_pair + d];
          de[left + d] += flow * e[right + d];
          de[right + d] += flow * e[left + d];
        }
        from_pair += width;
      }
    }
  }
}

@compute @workgroup_size(threads)
fn pair_products_backward_vec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let width = dims.width;
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    let row = b * dims.fields * width;
    for (var k = row; k < row + dims.fields * width; k++) {
      de4[k] = vec4f();
    }
    var from_pair = b * dims.pairs * width;
    for (var i = 0u; i < dims.fields; i++) {
      let left = row + i * width;
      for (var j = i + 1u; j < dims.fields; j++) {
        let right = row + j * width;
        for (var d = 0u; d < width; d++) {
          let flow = dy4[from_pair + d];
          de4[left + d] += flow * e4[right + d];
          de4[right + d] += flow * e4[left + d];
        }
        from_pair += width;
      }
    }
  }
}

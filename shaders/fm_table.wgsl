// fm_pairs.wgsl where e is nothing but rows of a table, e[b,f] = table[ids[b,f]]: they are read where they are.
// S[b,d] = Σ_f e[b,f,d]; D is of whole vec4s, and width is D counted in them.
//   fm_table_pooled_forward:  y[b,d] = ½ (S² − Σ_f e²)
//   fm_table_pairs_forward:   y[b] = Σ_d ½ (S² − Σ_f e²)

struct Dims {
  batch: u32,
  fields: u32,
  rest: u32, // fields that are no rows
  width: u32,
}

override width: u32; // dims.width, known when the pipeline is made: no division by it is left

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> table4: array<vec4f>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> sums4: array<vec4f>;
@group(0) @binding(5) var<storage, read> rest4: array<vec4f>;

const threads = 64u;

// Column j of example b: writes S, returns ½ (S² − Σ_f e²).
fn pooled(b: u32, j: u32) -> vec4f {
  var sum = vec4f();
  var squares = vec4f();
  for (var p = b * dims.fields; p < (b + 1u) * dims.fields; p++) {
    let value = table4[ids[p] * width + j];
    sum += value;
    squares += value * value;
  }
  for (var r = b * dims.rest; r < (b + 1u) * dims.rest; r++) {
    let value = rest4[r * width + j];
    sum += value;
    squares += value * value;
  }
  sums4[b * width + j] = sum;
  return 0.5 * (sum * sum - squares);
}

// One invocation: one example, then those a grid further.
@compute @workgroup_size(threads)
fn fm_table_pooled_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    for (var j = 0u; j < width; j++) {
      y4[b * width + j] = pooled(b, j);
    }
  }
}

// One invocation: one example.
@compute @workgroup_size(threads)
fn fm_table_pairs_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    var total = vec4f();
    for (var j = 0u; j < width; j++) {
      total += pooled(b, j);
    }
    y[b] = dot(total, vec4f(1.0));
  }
}

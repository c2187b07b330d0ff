// Edge weights of the complete graph of a row's fields, x [B,F,2] → y [B,F,F], x[f] = (s_f, t_f):
//   e[i,j] = LeakyReLU(s_i + t_j)                y[i,:] = softmax over j ≠ i of e[i,:], y[i,i] = 0
//   de[i,j] = y · (dy − Σ_j y · dy), through the LeakyReLU;   ds_i = Σ_j de[i,j]    dt_j = Σ_i de[i,j]

struct Dims {
  batch: u32,
  fields: u32,
  slope: f32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> y_forward: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

const threads = 64u;

// s_i + t_j, both fields counted over all rows.
fn sum_of(i: u32, j: u32) -> f32 {
  return x[2u * i] + x[2u * j + 1u];
}

// One invocation: the edges of a row, then those a grid further.
@compute @workgroup_size(threads)
fn edge_softmax_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    let first = b * dims.fields;
    for (var i = first; i < first + dims.fields; i++) {
      let at = i * dims.fields;
      var largest = -3e38;
      for (var j = 0u; j < dims.fields; j++) {
        let sum = sum_of(i, first + j);
        let e = select(dims.slope * sum, sum, sum > 0.0);
        y[at + j] = e;
        largest = select(max(largest, e), largest, first + j == i);
      }
      var total = 0.0;
      for (var j = 0u; j < dims.fields; j++) {
        let share = select(exp(y[at + j] - largest), 0.0, first + j == i);
        y[at + j] = share;
        total += share;
      }
      for (var j = 0u; j < dims.fields; j++) {
        y[at + j] /= total;
      }
    }
  }
}

// One invocation: the fields of a row, then those a grid further.
@compute @workgroup_size(threads)
fn edge_softmax_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    let first = b * dims.fields;
    for (var j = first; j < first + dims.fields; j++) {
      dx[2u * j + 1u] = 0.0;
    }
    for (var i = first; i < first + dims.fields; i++) {
      let at = i * dims.fields;
      var total = 0.0;
      for (var j = 0u; j < dims.fields; j++) {
        total += y_forward[at + j] * dy[at + j];
      }
      var ds = 0.0;
      for (var j = 0u; j < dims.fields; j++) {
        let slope = select(dims.slope, 1.0, sum_of(i, first + j) > 0.0);
        let de = slope * y_forward[at + j] * (dy[at + j] - total);
        dx[2u * (first + j) + 1u] += de;
        ds += de;
      }
      dx[2u * i] = ds;
    }
  }
}

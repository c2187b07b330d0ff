// Bilinear forms of pairs of fields, p [B,F,4·W], q [B,F,D], k [D,P,4·W] → y [B,P], W vec4s hold D columns, the rest
// zeros, pairs (i,j), i < j, in the order (0,1), (0,2), … (F−2,F−1):
//   pair_forms_forward:     y[b,(i,j)] = Σ_o q[b,j,o] · Σ_c k[o,(i,j),c] · p[b,i,c]
//   pair_forms_backward_p:  dp[b,i,c] = Σ_{j>i} dy[b,(i,j)] · Σ_o q[b,j,o] · k[o,(i,j),c]
//   pair_forms_backward_q:  dq[b,j,o] = Σ_{i<j} dy[b,(i,j)] · Σ_c k[o,(i,j),c] · p[b,i,c]
//   pair_forms_backward_k:  Σ_b dy[b,(i,j)] · q[b,j,o] · p[b,i,c] over each split of the rows
//   pair_forms_sums:        dk, the sum of those

struct Dims {
  batch: u32,
  fields: u32,
  pairs: u32,
  dim: u32,
  width: u32,
  per_split: u32,
  splits: u32,
  quads: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> p4: array<vec4f>;
@group(0) @binding(2) var<storage, read> q: array<f32>;
@group(0) @binding(3) var<storage, read> k4: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> dy: array<f32>;
@group(0) @binding(6) var<storage, read_write> dp4: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> dq: array<f32>;
@group(0) @binding(8) var<storage, read_write> partials4: array<vec4f>;
@group(0) @binding(8) var<storage, read> sums4: array<vec4f>;
@group(0) @binding(9) var<storage, read_write> dk4: array<vec4f>;

const threads = 64u;

// Number of pair (i,j).
fn pair(i: u32, j: u32) -> u32 {
  return i * (2u * dims.fields - i - 1u) / 2u + j - i - 1u;
}

// Σ_c k[o,(i,j),c] · p[b,i,c] in four parts.
fn form(o: u32, at_pair: u32, left: u32) -> vec4f {
  let first = (o * dims.pairs + at_pair) * dims.width;
  var products = vec4f();
  for (var c = 0u; c < dims.width; c++) {
    products += k4[first + c] * p4[left + c];
  }
  return products;
}

// One invocation: one row, then those a grid further.
@compute @workgroup_size(threads)
fn pair_forms_forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    var at = 0u;
    for (var i = 0u; i < dims.fields; i++) {
      for (var j = i + 1u; j < dims.fields; j++) {
        let right = (b * dims.fields + j) * dims.dim;
        var total = vec4f();
        for (var o = 0u; o < dims.dim; o++) {
          total += q[right + o] * form(o, at, (b * dims.fields + i) * dims.width);
        }
        y[b * dims.pairs + at] = dot(total, vec4f(1.0));
        at += 1u;
      }
    }
  }
}

// One invocation: one row, then those a grid further.
@compute @workgroup_size(threads)
fn pair_forms_backward_p(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    for (var i = 0u; i < dims.fields; i++) {
      for (var c = 0u; c < dims.width; c++) {
        var total = vec4f();
        for (var j = i + 1u; j < dims.fields; j++) {
          let right = (b * dims.fields + j) * dims.dim;
          let at = pair(i, j);
          var sum = vec4f();
          for (var o = 0u; o < dims.dim; o++) {
            sum += q[right + o] * k4[(o * dims.pairs + at) * dims.width + c];
          }
          total += dy[b * dims.pairs + at] * sum;
        }
        dp4[(b * dims.fields + i) * dims.width + c] = total;
      }
    }
  }
}

// One invocation: one row, then those a grid further.
@compute @workgroup_size(threads)
fn pair_forms_backward_q(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var b = id.x; b < dims.batch; b += groups.x * threads) {
    for (var j = 0u; j < dims.fields; j++) {
      for (var o = 0u; o < dims.dim; o++) {
        var total = vec4f();
        for (var i = 0u; i < j; i++) {
          let at = pair(i, j);
          total += dy[b * dims.pairs + at] * form(o, at, (b * dims.fields + i) * dims.width);
        }
        dq[(b * dims.fields + j) * dims.dim + o] = dot(total, vec4f(1.0));
      }
    }
  }
}

// One invocation: row o of the matrix of pair (i,j), in one split of the rows; x counts (o,i,j), y the splits.
@compute @workgroup_size(threads)
fn pair_forms_backward_k(@builtin(global_invocation_id) id: vec3u) {
  let o = id.x / (dims.fields * dims.fields);
  let i = id.x / dims.fields % dims.fields;
  let j = id.x % dims.fields;
  if (o >= dims.dim || i >= j) {
    return;
  }
  let at = pair(i, j);
  let end = min((id.y + 1u) * dims.per_split, dims.batch);
  for (var c = 0u; c < dims.width; c++) {
    var sum = vec4f();
    for (var b = id.y * dims.per_split; b < end; b++) {
      let factor = dy[b * dims.pairs + at] * q[(b * dims.fields + j) * dims.dim + o];
      sum += factor * p4[(b * dims.fields + i) * dims.width + c];
    }
    partials4[id.y * dims.quads + (o * dims.pairs + at) * dims.width + c] = sum;
  }
}

// One invocation: four numbers of dk, then those a grid further.
@compute @workgroup_size(threads)
fn pair_forms_sums(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var n = id.x; n < dims.quads; n += groups.x * threads) {
    var sum = vec4f();
    for (var split = 0u; split < dims.splits; split++) {
      sum += sums4[split * dims.quads + n];
    }
    dk4[n] = sum;
  }
}
